"""What `millrace evaluate ranking` and `millrace train ranker` do; the rankers' libraries load with it."""

from collections.abc import Sequence
from pathlib import Path

from cli.output import Output
from cli.ranking_logs import RankingLog, replayed, without_yardstick
from cli.ranking_report import order_table, report_facts, weight_table
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


def evaluate(known: RankingLog, then: Path | None, share: float, output: Output) -> None:
    """Raises ShopLogError, RankingDataError."""
    options = ExperimentOptions(share=share)
    replay = Replay(known.loop)
    queries = replayed(known, known.path, replay, output)
    train, test = split_by_time(informative(replay.lists()), share)
    if then is not None:
        train = informative(replay.lists())
        before = {each.query_id for each in replay.lists()}
        queries += replayed(known, then, replay, output)
        test = informative([each for each in replay.lists() if each.query_id not in before])
    experiment = _experiment(known, train, test, options, output)
    _show(experiment, options, output)
    output.finish({"log": known.name, "lists": queries} | report_facts(experiment, options.measure))


def train(log: RankingLog, to: Path, share: float, output: Output) -> None:
    """Raises ShopLogError, RankingDataError."""
    known = without_yardstick(log)
    options = ExperimentOptions(share=share)
    replay = Replay(known.loop)
    queries = replayed(known, known.path, replay, output)
    lists = informative(replay.lists())
    experiment = _experiment(known, *split_by_time(lists, share), options, output)
    facts = report_facts(experiment, options.measure)
    with output.waiting("training on all lists"):
        trained = train_chosen(experiment, known.features, lists, options, facts)
    write_ranker(to, trained)
    _show(experiment, options, output)
    release = trained.ranker().release
    output.show(f'\n{release} is in {to}. To serve it, set:\n\n\\[ranking.reranking]\nranker = "{to}"')
    output.finish({"log": known.name, "lists": queries, "folder": str(to), "release": release} | facts)


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
