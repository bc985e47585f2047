"""`millrace evaluate ranking` and `millrace train ranker`: from a log of events to a ranker, and how good it is."""

import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from cli.output import CONFIG_HELP, JSON_HELP, Output
from cli.ranking_logs import (
    DATA_HELP,
    EXAMPLES_HELP,
    LOG_HELP,
    ON_HELP,
    PRODUCTS_HELP,
    LogName,
    RankingLog,
    example_log,
    known_log,
    own_log,
)
from cli.ranking_propensities import AUTO, PROPENSITIES_HELP
from cli.settings import SettingsError, load_settings
from encoders.base import EncoderError
from feedback.log_errors import LogUnavailable
from learning.ranked_lists import RankingDataError
from learning.showings import PropensityError
from ranking.rankers import RankerFolderError
from topics.shop_log import ShopLogError

Log = Annotated[Path | None, typer.Option(help=LOG_HELP)]
On = Annotated[LogName | None, typer.Option(help=ON_HELP)]
Examples = Annotated[Path | None, typer.Option(help=EXAMPLES_HELP)]
Products = Annotated[Path | None, typer.Option(help=PRODUCTS_HELP)]
Data = Annotated[Path, typer.Option(help=DATA_HELP, envvar="MILLRACE_DATA")]
Config = Annotated[Path | None, typer.Option(help=CONFIG_HELP)]
Share = Annotated[float, typer.Option(min=0.1, max=0.95, help="Of the lists, by time, that train what is measured.")]
Propensities = Annotated[str, typer.Option(help=PROPENSITIES_HELP)]
WithoutVectors = Annotated[
    bool,
    typer.Option("--no-vectors", help="Encode no products of your log: saves time, and likeness counts nothing."),
]
AsJson = Annotated[bool, typer.Option("--json", help=JSON_HELP)]
_GIVEN = "COMMANDLINE"
_ERRORS = (
    EncoderError, SettingsError, ShopLogError, RankingDataError, PropensityError, LogUnavailable, RankerFolderError,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Sources:
    log: Path | None
    on: LogName | None
    examples: Path | None
    products: Path | None


def ranking_command(  # noqa: PLR0913 - each is an option of the command
    log: Log = None,
    on: On = None,
    examples: Examples = None,
    products: Products = None,
    then: Annotated[
        Path | None, typer.Option(help="Train on the whole log, and measure on this one of the same form, after it.")
    ] = None,
    share: Share = 0.8,
    propensities: Propensities = AUTO,
    no_vectors: WithoutVectors = False,
    data: Data = Path("../shared/data"),
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Replay a log through the click loop, train rankers on its earlier lists, and measure them on the later ones.

    Each list is ranked before anything of what was done with it is known, by the same code that serves. Lists of
    which all or nothing was chosen tell nothing of an order and are left out: what is counted are the others, the
    later ones as measured, the earlier ones as trained on.

    Orders: random; as shown; click rate (by the rate of clicks so far); trees, network and blend (of both), the one
    that would serve marked re-ranked; with --on ranklens also yardstick (trees with LightGBM's usual settings on 14
    plain features). "re-ranked gains": how much that one is better than the order of the line. "list 1", "list 2" ...:
    NDCG@10 on the shoppers' first, second ... lists. "weight": a feature's share in what the order tells apart;
    "more of it": from +1 (more of the feature always raises a product) to -1 (always lowers it).

    Example: millrace evaluate ranking --on ranklens

    Example: millrace evaluate ranking --log events.jsonl.gz --config millrace.toml --json

    With --json: log, lists, train_lists, test_lists, chosen (the kind that would serve), ndcg (by order: mean, low,
    high), differences (of the chosen kind to each order), by_list_number (by order, then by the shopper's list),
    feature_weights (shares, all together 1), feature_directions, and propensities (source, examination).
    """
    from cli import ranking_runs

    output = Output(as_json)
    with output.failing_on(*_ERRORS):
        options = ranking_runs.RunOptions(share, propensities, vectors=not no_vectors)
        ranking_runs.evaluate(_log(_Sources(log, on, examples, products), data, config), then, options, output)


def train_ranker_command(  # noqa: PLR0913 - each is an option of the command
    context: typer.Context,
    log: Log = None,
    on: On = None,
    examples: Examples = None,
    products: Products = None,
    to: Annotated[Path, typer.Option(help="Folder of the ranker; a ranker that is there is replaced.")] = Path(
        "millrace-ranker"
    ),
    share: Share = 0.8,
    propensities: Propensities = AUTO,
    no_vectors: WithoutVectors = False,
    serve: Annotated[
        bool,
        typer.Option("--serve", help="Then start the API on this machine, with the ranker and what the log taught."),
    ] = False,
    port: Annotated[int, typer.Option(min=0, max=65535, help="With --serve: of the API; 0 takes a free one.")] = 8080,
    headless: Annotated[
        bool, typer.Option("--headless", help="With --serve: end by itself instead of waiting for Ctrl-C.")
    ] = False,
    seconds: Annotated[float, typer.Option(min=1, help="With --headless: end so long after the first answer.")] = 60,
    folder: Annotated[Path, typer.Option(help="With --serve: data, logs and settings; emptied at the start.")] = Path(
        ".served-ranker"
    ),
    data: Data = Path("../shared/data"),
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Train a ranker on a log of events, and say how much better than the order shown it is on lists that it never saw.

    Trees, a network and both together are trained on the earlier lists; the kind that is best there is trained again
    on all of them and written. The features are those of the settings (ranking.reranking.features), as they are served.
    The tables are those of `evaluate ranking`, whose --help says what their words mean.

    With --serve the profiles, counts and co-clicks of the log are kept, its products indexed, and broker, worker, click
    loop and server run on this machine until Ctrl-C. The log's users are those of the API; its times are moved so that
    it ends now.

    Example: millrace train ranker --log events.jsonl.gz --to ranker --config millrace.toml

    Example: millrace train ranker --log events.jsonl.gz --serve

    Example: millrace train ranker --examples examples --products products.jsonl

    With --json: log, lists, folder, release, what `evaluate ranking` says, and with --serve: serving (url, config,
    products, states, example).
    """
    from cli import ranking_runs

    output = Output(as_json)
    _require_serving(context, serve, headless)
    with output.failing_on(*_ERRORS):
        known = _log(_Sources(log, on, examples, products), data, config)
        options = ranking_runs.RunOptions(share, propensities, vectors=not no_vectors)
        if not serve:
            ranking_runs.train(known, to, options, output)
            return
        from cli.ranker_serving import SERVING_ERRORS, ServingOptions

        for number in (signal.SIGINT, signal.SIGTERM):  # a shell starts background jobs with SIGINT ignored
            signal.signal(number, signal.default_int_handler)
        serving = ServingOptions(folder, port, seconds if headless else None)
        with output.failing_on(*SERVING_ERRORS):
            ranking_runs.train_and_serve(known, to, options, load_settings(config), serving, output)


def _require_serving(context: typer.Context, serve: bool, headless: bool) -> None:
    """Raises typer.BadParameter where an option of serving is given that would do nothing."""
    given = {
        name for name in context.params if (source := context.get_parameter_source(name)) and source.name == _GIVEN
    }
    strangers = [name for name in ("headless", "port", "folder", "seconds") if name in given]
    if strangers and not serve:
        raise typer.BadParameter(f"--{strangers[0]} goes with --serve")
    if "seconds" in given and not headless:
        raise typer.BadParameter("--seconds goes with --headless")


def _log(sources: _Sources, data: Path, config: Path | None) -> RankingLog:
    match sources:
        case _Sources(Path() as log, None, None, None):
            return own_log(log, load_settings(config))
        case _Sources(None, LogName() as on, None, None):
            return known_log(on, data)
        case _Sources(None, None, Path() as examples, products):
            return example_log(examples, products, load_settings(config))
    raise typer.BadParameter("give one of --log FILE, --on NAME and --examples FOLDER; --products goes with --examples")
