"""``cofilter serve``."""

from __future__ import annotations

import click

from cofilter.release.checkout import home
from cofilter.release.found import BEST, find_model
from cofilter.release.indexed import PAYS_FROM, WHEN, When


@click.command("serve")
@click.argument("names", metavar="[MODEL]...", nargs=-1)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535))
@click.option(
    "--workers", default=1, show_default=True, type=click.IntRange(1), help="Processes that answer."
)
@click.option("--default", help="The model that answers when a request names none; else the first.")
@click.option(
    "--state",
    type=click.Path(dir_okay=False),
    help="SQLite file that keeps sessions' ratings; else they go when the service ends.",
)
@click.option(
    "--index",
    type=click.Choice(WHEN),
    default="auto",
    show_default=True,
    help="Whether lists are found by the index of an exported folder that has one; "
    f"auto: from {PAYS_FROM:,} items on.",
)
@click.option("--quiet", is_flag=True, help="No log line for each request.")
def command(
    names: tuple[str, ...],
    host: str,
    port: int,
    workers: int,
    default: str | None,
    state: str | None,
    index: When,
    quiet: bool,
) -> None:
    """Answer over HTTP, with a page to try it.

    MODEL is `best`, a name that `cofilter models` lists, or a model's folder; several are served at
    once. It listens on this machine alone unless --host says otherwise; there is no login, so put
    it behind a proxy that has one. SIGHUP reads the folders again; SIGTERM and Ctrl-C finish the
    requests in work.

    \b
    Examples:
      cofilter serve
      cofilter serve served/films served/films-updated --port 8080 --workers 2
    """
    from cofilter.serving.run import serve

    where = home()
    folders = [find_model(name, where)[1] for name in names or (BEST,)]
    serve(
        folders,
        host=host,
        port=port,
        workers=workers,
        default=default,
        state=state,
        index=index,
        log_requests=not quiet,
    )
