"""Logs of lists that were shown and chosen from: which there are, how they are read and replayed."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from functools import partial
from pathlib import Path

from cli.output import Output
from cli.settings import Settings
from demo.ranklens import FEATURES, YARDSTICK, looks_like_ranklens, ranklens_loop, read_ranklens
from feedback.example_log import ExampleLog
from learning.example_events import events_of
from learning.replay import LoopSettings, Replay
from ranking.feature_settings import Feature
from topics.behavior import BehaviorQuery
from topics.events import Product
from topics.shop_log import LoggedEvent, ShopLogError, in_order_of_time, known_from_the_start, read_shop_log

LOG_HELP = (
    "A shop's log, a JSON object a line, or .gz: products (id, updated_at, title ...), UBI queries (query_id, "
    "user_query, timestamp, query_response_hit_ids), UBI events (action_name, timestamp, query_id, and the product as "
    "event_attributes.object); docs/ranking.md has a sample."
)
EXAMPLES_HELP = "The click loop's example log (click_loop.examples.url), where that is a folder."
PRODUCTS_HELP = "With --examples: the products, a JSON object a line, as catalog.products has them; or .gz."
ON_HELP = "A log of real choices: ranklens (lists of movies; about 4 minutes on two cores)."
DATA_HELP = "Folder of the real data sets."


class LogName(StrEnum):
    RANKLENS = "ranklens"


@dataclass(frozen=True, slots=True)
class RankingLog:
    """A log, the loop that it is replayed through, and what rankers see of it; `yardstick` may be empty.

    `events` reads it, or another one of the same form: it raises ShopLogError, LogUnavailable. `encoders`: the settings
    by which products are encoded; None: they have no vectors.
    """

    name: str
    path: Path
    events: Callable[[Path], Iterable[LoggedEvent]]
    loop: LoopSettings
    features: Sequence[Feature]
    yardstick: Sequence[Feature] = ()
    encoders: Settings | None = None


def known_log(name: LogName, data: Path) -> RankingLog:
    return RankingLog(name, data / name / "events.jsonl.gz", read_ranklens, ranklens_loop(), FEATURES, YARDSTICK)


def own_log(path: Path, settings: Settings) -> RankingLog:
    """With the features, profiles and rules of the settings."""
    features = settings.ranking.reranking.features
    return RankingLog(path.name, path, _read_shop_log, _loop(settings), features, encoders=settings)


def example_log(folder: Path, products: Path | None, settings: Settings) -> RankingLog:
    """The click loop's example log, with products of a file of their own."""
    events = partial(_read_examples, products)
    features = settings.ranking.reranking.features
    return RankingLog(folder.name, folder, events, _loop(settings), features, encoders=settings)


def read_log(log: RankingLog, path: Path, output: Output, before: Sequence[LoggedEvent] = ()) -> list[LoggedEvent]:
    """With the first version of each product before the lists that show it, unless one stands in the log `before`.
    Raises ShopLogError, LogUnavailable.
    """
    known = {event.id for event in before if isinstance(event, Product)}
    with output.waiting(f"reading {path.name}"):
        return known_from_the_start(list(log.events(path)), known)


def replay_log(replay: Replay, events: Sequence[LoggedEvent], name: str, output: Output) -> int:
    """How many lists there were."""
    queries = sum(isinstance(event, BehaviorQuery) for event in events)
    with output.counting(f"replaying {name}", queries) as on_list:
        replay.run(events, on_list)
    return queries


def without_yardstick(log: RankingLog) -> RankingLog:
    """Only what serves is computed."""
    return replace(log, loop=replace(log.loop, features=log.features), yardstick=())


def _loop(settings: Settings) -> LoopSettings:
    return LoopSettings(
        settings.ranking.reranking.features, settings.profiles, settings.click_loop.join, settings.click_loop.traffic
    )


def _read_shop_log(path: Path) -> list[LoggedEvent]:
    if looks_like_ranklens(path):
        raise ShopLogError(f"{path} is in Metarank's form, in which only --on ranklens is read: see docs/ranking.md")
    return in_order_of_time(read_shop_log(path))


def _read_examples(products: Path | None, folder: Path) -> Iterator[LoggedEvent]:
    log = ExampleLog(str(folder), erased_at=lambda _: {})
    if not log.days():
        raise ShopLogError(f"{folder} holds no example log: it has a folder for each day, such as day=2026-11-20")
    if products is not None:
        yield from (event for event in read_shop_log(products) if isinstance(event, Product))
    yield from events_of(log.read(date.min, date.max))
