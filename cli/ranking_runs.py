"""What `millrace evaluate ranking` and `millrace train ranker` do; the rankers' libraries load with it."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cli.local_stack import make_room
from cli.output import Output
from cli.ranker_serving import Learned, ServingOptions, local_settings, serve_ranker
from cli.ranking_logs import RankingLog, read_log, replay_log, without_yardstick
from cli.ranking_report import order_table, report_facts, weight_table
from cli.served_log import as_heard, example_request, newest_products
from cli.settings import Settings
from feedback.memory_store import MemoryStore
from learning.ranked_lists import ObservedList, informative
from learning.ranking_experiment import (
    Experiment,
    ExperimentOptions,
    run_experiment,
    split_by_time,
    train_chosen,
)
from learning.replay import Replay
from ranking.ranker_folder import write_ranker
from serving.pseudonyms import Pseudonyms
from topics.shop_log import LoggedEvent


def evaluate(known: RankingLog, then: Path | None, share: float, output: Output) -> None:
    """Raises ShopLogError, RankingDataError."""
    options = ExperimentOptions(share=share)
    replay = Replay(known.loop)
    queries = replay_log(replay, read_log(known, known.path, output), known.path.name, output)
    train, test = split_by_time(informative(replay.lists()), share)
    if then is not None:
        train = informative(replay.lists())
        before = {each.query_id for each in replay.lists()}
        queries += replay_log(replay, read_log(known, then, output), then.name, output)
        test = informative([each for each in replay.lists() if each.query_id not in before])
    experiment = _experiment(known, train, test, options, output)
    _show(experiment, options, output)
    output.finish({"log": known.name, "lists": queries} | report_facts(experiment, options.measure))


def train(log: RankingLog, to: Path, share: float, output: Output) -> None:
    """Raises ShopLogError, RankingDataError."""
    replay = Replay(without_yardstick(log).loop)
    events = read_log(log, log.path, output)
    facts = _train(log, to, share, replay, events, output)
    release = facts["release"]
    output.show(f'\n{release} is in {to}. To serve it, set:\n\n\\[ranking.reranking]\nranker = "{to}"')
    output.finish(facts)


def train_and_serve(
    log: RankingLog, to: Path, share: float, settings: Settings, options: ServingOptions, output: Output
) -> None:
    """Raises ShopLogError, RankingDataError, and what starting and asking a server raises."""
    settings = local_settings(settings, options.folder, options.port)
    make_room(options.folder)
    events = read_log(log, log.path, output)
    pseudonyms = Pseudonyms(settings.server.pseudonym_key.get_secret_value())
    store = MemoryStore()
    replay = Replay(without_yardstick(log).loop, store=store)
    facts = _train(log, to, share, replay, as_heard(events, pseudonyms, datetime.now(UTC)), output)
    output.note(f"\n{facts['release']} is in {to}.")
    learned = Learned(store.states(), newest_products(events), example_request(events, replay.lists()))
    report = serve_ranker(log, to, learned, settings, options, output)
    output.finish(facts | {"serving": asdict(report)})


def _train(
    log: RankingLog, to: Path, share: float, replay: Replay, events: Sequence[LoggedEvent], output: Output
) -> dict[str, Any]:
    """What `--json` says."""
    known = without_yardstick(log)
    options = ExperimentOptions(share=share)
    queries = replay_log(replay, events, log.path.name, output)
    lists = informative(replay.lists())
    experiment = _experiment(known, *split_by_time(lists, share), options, output)
    facts = report_facts(experiment, options.measure)
    with output.waiting("training on all lists"):
        trained = train_chosen(experiment, known.features, lists, options, facts)
    write_ranker(to, trained)
    _show(experiment, options, output)
    return {"log": known.name, "lists": queries, "folder": str(to), "release": trained.ranker().release} | facts


def _experiment(
    known: RankingLog,
    train: Sequence[ObservedList],
    test: Sequence[ObservedList],
    options: ExperimentOptions,
    output: Output,
) -> Experiment:
    def on_step(name: str) -> None:
        output.note(f"{name} ...")

    with output.waiting("training"):
        return run_experiment(known.features, train, test, options, known.yardstick, on_step)


def _show(experiment: Experiment, options: ExperimentOptions, output: Output) -> None:
    output.show(order_table(experiment, options.measure))
    output.show(weight_table(experiment))
