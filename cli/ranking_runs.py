"""What `millrace evaluate ranking` and `millrace train ranker` do; the rankers' libraries load with it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cli.local_settings import local_settings
from cli.local_stack import make_room, require_free_port
from cli.log_checks import (
    anonymous_queries,
    late_descriptions,
    lost_events,
    require_joined,
    telling_lists,
    unknown_products,
)
from cli.log_vectors import encode_products, vectors_of
from cli.output import Output
from cli.ranker_serving import Learned, ServingOptions, serve_ranker
from cli.ranking_logs import RankingLog, read_log, replay_log, without_yardstick
from cli.ranking_propensities import AUTO, Propensities, propensities
from cli.ranking_report import order_table, report_facts, weight_table, worse_than_shown
from cli.served_log import as_heard, example_request, newest_products
from cli.settings import Settings
from learning.log_summary import summarize_log
from learning.ranked_lists import ObservedList
from learning.ranking_experiment import (
    Experiment,
    ExperimentOptions,
    experiment_steps,
    run_experiment,
    split_by_time,
    train_chosen,
    training_steps,
)
from learning.replay import DirectLoop, Replay, Vectors
from ranking.ranker_folder import require_room, write_ranker
from ranking.rankers import RankerFolderError
from serving.pseudonyms import Pseudonyms
from topics.shop_log import LoggedEvent

_CHECKS = (lost_events, anonymous_queries, unknown_products, late_descriptions)


@dataclass(frozen=True, slots=True)
class RunOptions:
    """`share`: of the lists, by time, that train what is measured; `propensities` as `--propensities` has them;
    `vectors`: whether products are encoded, where the log says how.
    """

    share: float = 0.8
    propensities: str = AUTO
    vectors: bool = True


def evaluate(known: RankingLog, then: Path | None, options: RunOptions, output: Output) -> None:
    """Raises ShopLogError, RankingDataError, PropensityError, EncoderError."""
    events = read_log(known, known.path, output)
    afterwards = read_log(known, then, output, before=events) if then is not None else []
    everything = [*events, *afterwards]
    _check(known, everything, output)
    replay = Replay(known.loop, _vectors(known, everything, options, output))
    queries = replay_log(replay, events, known.path.name, output)
    lists = replay.lists()
    earlier, _ = split_by_time(lists, options.share)
    train, test = split_by_time(telling_lists(lists, everything, known.loop.gains), options.share)
    if then is not None:
        earlier, train = lists, telling_lists(lists, everything, known.loop.gains)
        before = {each.query_id for each in lists}
        queries += replay_log(replay, afterwards, then.name, output)
        test = telling_lists(
            [each for each in replay.lists() if each.query_id not in before], everything, known.loop.gains
        )
    measured = _measured(known, earlier, train, test, options, output)
    _show(measured, output)
    output.finish({"log": known.name, "lists": queries} | measured.facts())


def train(log: RankingLog, to: Path, options: RunOptions, output: Output) -> None:
    """Raises RankerFolderError, ShopLogError, RankingDataError, PropensityError, EncoderError."""
    require_room(to)
    events = read_log(log, log.path, output)
    _check(log, events, output)
    replay = Replay(without_yardstick(log).loop, _vectors(log, events, options, output))
    facts = _train(log, to, options, replay, events, output)
    release = facts["release"]
    serve = "To serve it" if facts["differences"]["as shown"]["high"] >= 0 else "To serve it all the same"
    output.show(f'\n{release} is in {to}. {serve}, set:\n\n\\[ranking.reranking]\nranker = "{to}"')
    output.finish(facts)


def train_and_serve(
    log: RankingLog, to: Path, options: RunOptions, settings: Settings, serving: ServingOptions, output: Output
) -> None:
    """Raises RankerFolderError, ShopLogError, RankingDataError, PropensityError, EncoderError, and what starting and
    asking a server raises.
    """
    require_room(to)
    require_free_port(serving.port)
    settings = local_settings(settings, serving.folder, serving.port)
    make_room(serving.folder)
    events = read_log(log, log.path, output)
    _check(log, events, output)
    pseudonyms = Pseudonyms(settings.server.pseudonym_key.get_secret_value())
    served = without_yardstick(log).loop
    loop = DirectLoop(served)
    replay = Replay(served, _vectors(log, events, options, output), loop)
    heard = as_heard(events, pseudonyms, datetime.now(UTC))
    facts = _train(log, to, options, replay, heard, output)
    output.note(f"\n{facts['release']} is in {to}.")
    learned = Learned(loop.store.states(), newest_products(events), example_request(events, replay.lists()))
    report = serve_ranker(log, to, learned, settings, serving, output)
    output.finish(facts | {"serving": asdict(report)})


def _check(log: RankingLog, events: Sequence[LoggedEvent], output: Output) -> None:
    """Raises RankingDataError where nothing belongs together, before anything is encoded and replayed."""
    summary = summarize_log(events, log.loop.gains)
    require_joined(summary)
    for said in filter(None, (check(summary) for check in _CHECKS)):
        output.note(said)


def _vectors(log: RankingLog, events: Sequence[LoggedEvent], options: RunOptions, output: Output) -> Vectors | None:
    products = newest_products(events)
    if log.encoders is None or not options.vectors or not products:
        return None
    return vectors_of(encode_products(products, log.encoders, output))


@dataclass(frozen=True, slots=True)
class _Measured:
    experiment: Experiment
    options: ExperimentOptions
    propensities: Propensities

    def facts(self) -> dict[str, Any]:
        report = report_facts(self.experiment, self.options.measure)
        return report | {"propensities": self.propensities.facts()}


def _train(
    log: RankingLog, to: Path, options: RunOptions, replay: Replay, events: Sequence[LoggedEvent], output: Output
) -> dict[str, Any]:
    """What `--json` says."""
    known = without_yardstick(log)
    queries = replay_log(replay, events, log.path.name, output)
    lists = telling_lists(replay.lists(), events, log.loop.gains)
    earlier, _ = split_by_time(replay.lists(), options.share)
    measured = _measured(known, earlier, *split_by_time(lists, options.share), options, output)
    facts = measured.facts()
    with output.counting("training on all lists", training_steps(measured.options)) as on_step:
        trained = train_chosen(measured.experiment, known.features, lists, measured.options, facts, on_step)
    try:
        write_ranker(to, trained)
    except OSError as error:
        raise RankerFolderError(f"the ranker cannot be written to {to}: {error}") from None
    _show(measured, output)
    return {"log": known.name, "lists": queries, "folder": str(to), "release": trained.ranker().release} | facts


def _measured(
    known: RankingLog,
    earlier: Sequence[ObservedList],
    train: Sequence[ObservedList],
    test: Sequence[ObservedList],
    options: RunOptions,
    output: Output,
) -> _Measured:
    """`earlier` are all lists before `test`, those that tell nothing of an order, too."""
    found = propensities(options.propensities, earlier)
    output.note(found.said)
    experiment_options = ExperimentOptions(examination=found.examination, share=options.share)

    with _steps(experiment_steps(experiment_options, known.yardstick), output) as on_step:
        experiment = run_experiment(known.features, train, test, experiment_options, known.yardstick, on_step)
    return _Measured(experiment, experiment_options, found)


@contextmanager
def _steps(total: int, output: Output) -> Iterator[Callable[[str], None]]:
    """A bar; call what it gives with what is under way, which is told when it begins."""
    under_way: list[str] = []
    with output.progress("training", total) as advance:

        def on_step(name: str) -> None:
            if name not in under_way:
                output.note(f"{name} ...")
            under_way.append(name)
            advance(len(under_way), name)

        yield on_step


def _show(measured: _Measured, output: Output) -> None:
    output.show(order_table(measured.experiment, measured.options))
    output.show(weight_table(measured.experiment))
    if warning := worse_than_shown(measured.experiment, measured.options.measure):
        output.note(f"\n{warning}")
