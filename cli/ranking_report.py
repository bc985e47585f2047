"""How rankers compare, for people and for programs."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from rich.table import Table

from learning.ranked_lists import OrderQuality, by_list_number, difference
from learning.ranking_experiment import Experiment, ExperimentOptions
from learning.relevance import Interval, RelevanceOptions

_LISTS_TOLD_APART = 5
_FEATURES_SHOWN = 20


def report_facts(experiment: Experiment, options: RelevanceOptions) -> dict[str, Any]:
    """What `--json` says."""
    chosen = experiment.orders[experiment.chosen]
    return {
        "train_lists": len(experiment.train),
        "test_lists": len(experiment.test),
        "chosen": experiment.chosen,
        "ndcg": {name: asdict(order.mean) for name, order in experiment.orders.items()},
        "differences": {
            name: asdict(difference(chosen, order, options))
            for name, order in experiment.orders.items()
            if name not in ("random", experiment.chosen)
        },
        "by_list_number": {
            name: {number: asdict(mean) for number, mean in numbers.items()}
            for name, numbers in _by_number(experiment, options).items()
        },
        "feature_weights": dict(experiment.weights),
        "feature_directions": dict(experiment.directions),
    }


def order_table(experiment: Experiment, experiment_options: ExperimentOptions) -> Table:
    """Each order with its quality, what the chosen one gains over it, and the quality by the shopper's list."""
    options = experiment_options.measure
    numbers = _by_number(experiment, options)
    headings = sorted({number for by_number in numbers.values() for number in by_number})
    lists = f"{len(experiment.test):,} later lists (trained on {len(experiment.train):,} earlier ones)"
    weighed = ", by inverse propensity" if experiment_options.examination else ""
    table = Table(title=f"NDCG@10 on {lists}, 95 % intervals{weighed}", box=None)
    for heading in ("order", "NDCG@10", "re-ranked gains", *(f"list {number}" for number in headings)):
        table.add_column(heading, justify="left" if heading == "order" else "right")
    for name, order in experiment.orders.items():
        serves = name == experiment.chosen
        gain = "serves" if serves else _signed(_gain(experiment, order, options))
        cells = [f"{numbers[name][number].mean:.3f}" if number in numbers[name] else "" for number in headings]
        label = f"re-ranked ({name})" if serves else name
        table.add_row(label, _cell(order.mean), "" if name == "random" else gain, *cells)
    return table


def worse_than_shown(experiment: Experiment, options: RelevanceOptions) -> str | None:
    """A warning where that is beyond chance."""
    gain = _gain(experiment, experiment.orders["as shown"], options)
    if gain.high >= 0:
        return None
    return (
        f"warning: this ranker is worse than the order shown, by {-gain.mean:.4f} [{-gain.high:.4f}, {-gain.low:.4f}] "
        "NDCG@10: do not serve it before you know why. What is placed first is clicked more (position bias), so the "
        "log of a shop that already ranks favours the order shown. Show some lists in another order "
        "(ranking.reranking.exploration), or give --propensities FILE"
    )


def weight_table(experiment: Experiment) -> Table:
    """The share of each feature, and whether more of it raises the score (1) or lowers it (-1)."""
    table = Table(title=f"Weight of each feature in the order by {experiment.chosen}", box=None)
    table.add_column("feature")
    table.add_column("weight", justify="right")
    table.add_column("more of it", justify="right")
    table.add_column("")
    most = max(experiment.weights.values(), default=1.0)
    for name, weight in list(experiment.weights.items())[:_FEATURES_SHOWN]:
        direction = f"{experiment.directions[name]:+.2f}" if name in experiment.directions else ""
        table.add_row(name, f"{weight:.1%}", direction, "█" * round(30 * weight / most))
    return table


def _by_number(experiment: Experiment, options: RelevanceOptions) -> Mapping[str, Mapping[str, Interval]]:
    return {
        name: by_list_number(experiment.test, order.values, options, _LISTS_TOLD_APART)
        for name, order in experiment.orders.items()
    }


def _gain(experiment: Experiment, order: OrderQuality, options: RelevanceOptions) -> Interval:
    return difference(experiment.orders[experiment.chosen], order, options)


def _cell(interval: Interval) -> str:
    return rf"{interval.mean:.4f} \[{interval.low:.3f}, {interval.high:.3f}]"


def _signed(interval: Interval) -> str:
    return rf"{interval.mean:+.4f} \[{interval.low:+.4f}, {interval.high:+.4f}]"
