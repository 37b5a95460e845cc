"""``cofilter completion``."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

SHELLS = ("bash", "zsh", "fish")


@click.command("completion")
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print the code that makes a shell complete commands.

    \b
    Examples:
      eval "$(cofilter completion bash)"                               # in ~/.bashrc
      cofilter completion fish > ~/.config/fish/completions/cofilter.fish
    """
    made = get_completion_class(shell)
    assert made is not None  # one of those that click has
    click.echo(made(ctx.find_root().command, {}, "cofilter", "_COFILTER_COMPLETE").source())
