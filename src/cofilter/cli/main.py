"""The command ``cofilter``: its commands are imported when they are asked for."""

from __future__ import annotations

import gc
import importlib
import os
import sys
from typing import NoReturn

import click

from cofilter.cli.output import printable
from cofilter.core.errors import CofilterError, Interrupted, refusal_of_the_machine

REFUSED = 2  # exit code of a mistake that the user can mend
INTERRUPTED = 130  # as a shell gives it for Ctrl-C

# Module and line of help of each command, so that `cofilter --help` imports none of them.
COMMANDS = {
    "models": ("models", "List the trained models with their line of the leaderboard."),
    "recommend": ("recommend", "Recommend items to a user, or to somebody who rates some here."),
    "similar": ("similar", "List the items most similar to one."),
    "predict": ("predict", "Predict a user's ratings of items."),
    "explain": ("explain", "Tell which of a user's own ratings carried a recommendation."),
    "onboard": ("onboard", "Rate some items on the terminal and get recommendations."),
    "update": ("update", "Fold new ratings into a model without training it again."),
    "compare": ("compare", "Compare two models on the same held-out ratings."),
    "export": ("export", "Write everything that a service needs of a model into a folder."),
    "ship": ("ship", "Fit the chosen method once more on all rows and export it."),
    "recommend-all": ("everybody", "Write everybody's list as a Parquet file."),
    "serve": ("serve", "Answer over HTTP, with a page to try it."),
    "verify-serving": ("verify", "Check that the served lists are those that were scored."),
    "completion": ("completion", "Print the code that makes a shell complete commands."),
}


# They answer and end, before garbage could matter; looking for it takes a tenth of their time.
SHORT = {"models", "recommend", "similar", "predict", "explain", "completion"}


class LazyGroup(click.Group):
    """Imports a command when it is called, or when its own help is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names, in the order of `COMMANDS`."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a name; None where there is none."""
        if cmd_name not in COMMANDS:
            return None
        module, _ = COMMANDS[cmd_name]
        command: click.Command = importlib.import_module(f"cofilter.cli.{module}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands from their lines of help alone."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


@click.command(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="cofilter", prog_name="cofilter")
def cofilter() -> None:
    """Recommendations from trained collaborative-filtering models.

    In a checkout the models are those of the last `make repro`, and `best` is the one to ship.
    Elsewhere they are the folders of exported models: the current folder, or those in it.

    \b
    Examples:
      cofilter models
      cofilter recommend --user 42 -k 5
      cofilter recommend --rate 50=5 --rate 172=4 --explain
      cofilter export best served/films && cofilter serve served/films

    Exit status: 0, or 2 after a refusal in one line, or 3 where `compare` finds a worse model.
    """


def main() -> None:
    """Run a command; what a user can mend is one line, Ctrl-C and a closed pipe are no error."""
    if SHORT.intersection(sys.argv[1:2]):
        gc.disable()
    try:
        cofilter(prog_name="cofilter", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("\nended", err=True)
        sys.exit(INTERRUPTED)
    except Interrupted as interrupted:
        click.echo(str(interrupted), err=True)
        sys.exit(128 + interrupted.signal_number)
    except CofilterError as error:
        _refuse(str(error))
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("cofilter"):
            raise
        _refuse(f"this needs {error.name}: pip install 'cofilter[pipeline]'")
    except BrokenPipeError:
        # A reader such as `head` has seen enough; Python would complain once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except MemoryError as error:
        _refuse(str(refusal_of_the_machine(error)))
    except OSError as error:  # no right, no room, no such folder: not for the program to mend
        told = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        _refuse(refusal_of_the_machine(error) or told)
    except click.exceptions.Exit as ended:
        sys.exit(ended.exit_code)


def _refuse(reason: str) -> NoReturn:
    """One line, in which a title's control characters are shown, not obeyed."""
    click.echo(f"error: {printable(reason)}", err=True)
    sys.exit(REFUSED)


if __name__ == "__main__":
    main()
