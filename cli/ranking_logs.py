"""Logs of lists that were shown and chosen from: which there are, how they are read and replayed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from cli.output import Output
from cli.settings import Settings
from demo.ranklens import FEATURES, YARDSTICK, ranklens_loop, read_ranklens
from learning.replay import LoopSettings, Replay
from ranking.feature_settings import Feature
from topics.behavior import BehaviorQuery
from topics.shop_log import LoggedEvent, read_shop_log

LOG_HELP = "A shop's events in the order of time, a JSON object a line: products, UBI queries, UBI events; or .gz."
ON_HELP = "A log of real choices: ranklens (lists of movies)."
DATA_HELP = "Folder of the real data sets."


class LogName(StrEnum):
    RANKLENS = "ranklens"


@dataclass(frozen=True, slots=True)
class RankingLog:
    """A log, the loop that it is replayed through, and what rankers see of it; `yardstick` may be empty."""

    name: str
    path: Path
    loop: LoopSettings
    features: Sequence[Feature]
    yardstick: Sequence[Feature] = ()

    def events(self, path: Path) -> Iterable[LoggedEvent]:
        """Of a file of the same form. Raises ShopLogError."""
        return read_ranklens(path) if self.name == LogName.RANKLENS else read_shop_log(path)


def known_log(name: LogName, data: Path) -> RankingLog:
    return RankingLog(name, data / name / "events.jsonl.gz", ranklens_loop(), FEATURES, YARDSTICK)


def own_log(path: Path, settings: Settings) -> RankingLog:
    """With the features, profiles and rules of the settings."""
    loop = LoopSettings(
        settings.ranking.reranking.features, settings.profiles, settings.click_loop.join, settings.click_loop.traffic
    )
    return RankingLog(path.name, path, loop, settings.ranking.reranking.features)


def read_log(log: RankingLog, path: Path, output: Output) -> list[LoggedEvent]:
    """Raises ShopLogError."""
    with output.waiting(f"reading {path.name}"):
        return list(log.events(path))


def replay_log(replay: Replay, events: Sequence[LoggedEvent], name: str, output: Output) -> int:
    """How many lists there were."""
    queries = sum(isinstance(event, BehaviorQuery) for event in events)
    with output.counting(f"replaying {name}", queries) as on_list:
        replay.run(events, on_list)
    return queries


def without_yardstick(log: RankingLog) -> RankingLog:
    """Only what serves is computed."""
    return replace(log, loop=replace(log.loop, features=log.features), yardstick=())
