"""`millrace worker`, `click-loop` and `serve`: the processes of a shop. Each imports what only it needs."""

from pathlib import Path
from typing import Annotated

import typer

from cli.lifetimes import end_with_stdin
from cli.logs import configure_logging
from cli.output import CONFIG_HELP, Output
from cli.settings import SettingsError, load_settings
from encoders.base import EncoderError
from feedback.log_errors import LogUnavailable
from feedback.store import StoreUnavailable
from index.base import IndexRefused, IndexUnavailable
from monitoring.lag import LagUnavailable
from ranking.rankers import RankerUnusable
from topics.admin import BrokerError
from topics.publisher import PublisherError

Config = Annotated[Path | None, typer.Option(help=CONFIG_HELP)]
AsChild = Annotated[bool, typer.Option("--end-with-stdin", hidden=True)]
_STARTUP_ERRORS = (
    SettingsError,
    BrokerError,
    EncoderError,
    IndexUnavailable,
    IndexRefused,
    PublisherError,
    LagUnavailable,
    StoreUnavailable,
    LogUnavailable,
    RankerUnusable,
)


def worker_command(
    config: Config = None,
    verbose: Annotated[bool, typer.Option("--verbose", help="Log what the stream library does, too.")] = False,
    from_beginning: Annotated[
        bool,
        typer.Option(
            "--from-beginning",
            help="Fill the collection behind --alias with all that the topic holds, beside the live workers.",
        ),
    ] = False,
    alias: Annotated[
        str, typer.Option(help="With --from-beginning: an alias other than index.alias, such as products_next.")
    ] = "",
    restart: Annotated[
        bool,
        typer.Option(
            "--restart",
            help="Start the worker again, in a fraction of its first start, when it is killed or ends itself.",
        ),
    ] = False,
    as_child: AsChild = False,
) -> None:
    """Index products from catalog.products as they change, until SIGTERM or Ctrl-C.

    Run one for each few partitions under a supervisor that restarts it: it ends itself (code 70 or 75) rather than lose
    an event, and what was in flight is read again. With --restart it brings a parent process that does this at once;
    what is wrong with settings, broker or index still ends the command.

    With --from-beginning it fills another collection in a consumer group of its own; the live workers and their
    collection are not touched. It says in its log when it has caught up, and then keeps the collection fresh. After a
    restart it goes on where it was.

    Example: millrace worker --config millrace.toml

    Example: millrace worker --config millrace.toml --from-beginning --alias products_next
    """
    if from_beginning != bool(alias):
        raise typer.BadParameter("--from-beginning and --alias NAME go together")
    from cli import processes

    configure_logging(verbose)
    with Output(as_json=False).failing_on(*_STARTUP_ERRORS):
        settings = load_settings(config)
        membership = None
        if restart:
            membership = processes.restart_worker(settings, with_stdin=as_child)
        elif as_child:
            end_with_stdin()
        processes.worker(settings, alias, membership)


def click_loop_command(
    config: Config = None,
    verbose: Annotated[bool, typer.Option("--verbose", help="Log what the stream library does, too.")] = False,
    restart: Annotated[
        bool,
        typer.Option(
            "--restart",
            help="Start it again, in a fraction of its first start, when it is killed or ends itself.",
        ),
    ] = False,
    as_child: AsChild = False,
) -> None:
    """Join what was shown with what shoppers did, until SIGTERM or Ctrl-C: profiles, statistics, the example log.

    Run one or more under a supervisor that restarts it: it ends itself (code 70 or 75) rather than lose an event, and
    what was in flight is read again, which changes nothing.

    Example: millrace click-loop --config millrace.toml
    """
    from cli import click_loop

    configure_logging(verbose)
    with Output(as_json=False).failing_on(*_STARTUP_ERRORS):
        settings = load_settings(config)
        membership = None
        if restart:
            membership = click_loop.restart_click_loop(with_stdin=as_child)
        elif as_child:
            end_with_stdin()
        click_loop.click_loop(settings, membership)


def serve_command(config: Config = None, as_child: AsChild = False) -> None:
    """Answer searches and take products over HTTP, until SIGTERM or Ctrl-C.

    Example: MILLRACE__SERVER__PORT=9000 millrace serve
    """
    from cli import server

    configure_logging(verbose=False)
    if as_child:
        end_with_stdin()
    with Output(as_json=False).failing_on(*_STARTUP_ERRORS):
        server.serve(load_settings(config))
