"""Who behaves like no shopper: bots and click floods, recognized by event time from what a shopper did lately."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import chain
from typing import NamedTuple

import orjson
from pydantic import BaseModel, ConfigDict, Field

_UNITS = (1.0, 60.0, 3_600.0, 86_400.0)  # seconds of what clocks round to


class TrafficSettings(BaseModel):
    """When whoever acts counts as no shopper: their lists count in no statistics and train nothing."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    counted_actions: tuple[str, ...] = Field(
        default=("click",),
        description="what a person does one by one, for the bursts and rates of clicks; what comes in bundles, as "
        "impressions do, belongs not here",
    )
    hammer_actions: tuple[str, ...] = Field(
        default=("click", "add_to_cart", "purchase"), description="each looked at by itself for hammering"
    )
    burst_clicks: int = Field(
        default=6,
        ge=2,
        le=1000,
        description="so many within burst_seconds: nobody looks at pages so briefly; those of one list at one instant "
        "were sent together and count once",
    )
    burst_seconds: float = Field(default=1.0, gt=0, le=60)
    rate_seconds: float = Field(default=600, ge=1, le=3600)
    rate_clicks: int = Field(
        default=200, ge=2, le=1000, description="so many within rate_seconds: one each 3 s for ten minutes on end"
    )
    rate_queries: int = Field(
        default=300, ge=2, le=1000, description="so many within rate_seconds; each page of a long list is one"
    )
    hammer_seconds: float = Field(default=3600, ge=1, le=86_400)
    hammer_clicks: int = Field(
        default=30,
        ge=2,
        le=1000,
        description="so many of one kind upon one product within hammer_seconds: to push it up",
    )
    suspect_hours: float = Field(
        default=24, gt=0, le=8760, description="how long after the last offence, by event time, a suspicion lasts"
    )
    remembered_lists: int = Field(
        default=50, ge=0, le=1000, description="newest lists of a shopper that become suspect with them"
    )

    @property
    def memory_seconds(self) -> float:
        return max(self.burst_seconds, self.rate_seconds, self.hammer_seconds)

    @property
    def memory_acts(self) -> int:
        return max(self.burst_clicks, self.rate_clicks + self.rate_queries, self.hammer_clicks)


class Suspicion(StrEnum):
    """Why somebody is taken for no shopper: `suspect` of their lists, and the label of the counter."""

    BURST = "burst"
    CLICK_RATE = "click_rate"
    QUERY_RATE = "query_rate"
    HAMMERING = "hammering"


class Act(NamedTuple):
    """A query (of no product) or an action of the rules. `at` is seconds since 1970, by the event; `list_mark` tells
    the list of an action from others.
    """

    at: float
    product_id: str
    list_mark: int = 0
    action: str = "click"


@dataclass(slots=True)
class Traffic:
    """What is remembered of one shopper: the last acts by id, the lists that are not suspect yet, and a suspicion.

    `until`: the suspicion holds for what happened up to then (seconds since 1970, by the events).
    """

    acts: dict[str, Act] = field(default_factory=dict)
    lists: list[str] = field(default_factory=list)
    suspicion: str = ""
    until: float = 0.0

    def is_suspect(self, at: float) -> bool:
        return bool(self.suspicion) and at <= self.until

    def remember_lists(self, list_ids: Iterable[str], most: int) -> None:
        known = set(self.lists)
        self.lists += [list_id for list_id in list_ids if list_id not in known]
        del self.lists[: max(0, len(self.lists) - most)]

    def add(self, acts: Mapping[str, Act], rules: TrafficSettings, until: float) -> bool:
        """Whether a suspicion has begun. Repeats count once; what is later than `until` counts not."""
        known = {id_: act for id_, act in {**self.acts, **acts}.items() if act.at <= until}
        self.acts = _newest(known, rules)
        found = _offence(list(self.acts.values()), rules)
        if found is None:
            return False
        suspicion, at = found
        begins = not self.is_suspect(at)
        if begins:
            self.suspicion = suspicion
        self.until = max(self.until, at + rules.suspect_hours * 3600)
        return begins


def _newest(acts: Mapping[str, Act], rules: TrafficSettings) -> dict[str, Act]:
    """What the rules look at. What comes in bundles pushes out nothing of what is done one by one."""
    oldest = max((act.at for act in acts.values()), default=0.0) - rules.memory_seconds
    lately = {id_: act for id_, act in acts.items() if act.at >= oldest}
    if len(lately) <= rules.memory_acts:
        return lately
    one_by_one = {id_: act for id_, act in lately.items() if _is_one_by_one(act, rules)}
    bundled = {id_: act for id_, act in lately.items() if id_ not in one_by_one}
    kept = (sorted(some.items(), key=lambda one: one[1].at)[-rules.memory_acts :] for some in (one_by_one, bundled))
    return dict(chain.from_iterable(kept))


def _is_one_by_one(act: Act, rules: TrafficSettings) -> bool:
    return not act.product_id or act.action in rules.counted_actions


def _offence(acts: Sequence[Act], rules: TrafficSettings) -> tuple[Suspicion, float] | None:
    """The first rule that is broken, and when it was last."""
    if len(acts) < min(rules.burst_clicks, rules.rate_clicks, rules.rate_queries, rules.hammer_clicks):
        return None
    one_by_one = [act for act in acts if act.product_id and _is_one_by_one(act, rules)]
    clicks = sorted(act.at for act in one_by_one)
    queries = sorted(act.at for act in acts if not act.product_id)
    for suspicion, at in (
        (Suspicion.BURST, _last_burst(one_by_one, clicks, rules)),
        (Suspicion.CLICK_RATE, _last_crowd(clicks, rules.rate_clicks, rules.rate_seconds)),
        (Suspicion.QUERY_RATE, _last_crowd(queries, rules.rate_queries, rules.rate_seconds)),
    ):
        if at is not None:
            return suspicion, at
    upon = [(act.action, act.product_id) for act in acts if act.product_id and act.action in rules.hammer_actions]
    for hammered, times_done in Counter(upon).items():
        if times_done >= rules.hammer_clicks:
            times = sorted(act.at for act in acts if (act.action, act.product_id) == hammered)
            if (at := _last_crowd(times, rules.hammer_clicks, rules.hammer_seconds)) is not None:
                return Suspicion.HAMMERING, at
    return None


def _last_burst(acts: Sequence[Act], clicks: Sequence[float], rules: TrafficSettings) -> float | None:
    """Clicks of one list at one instant were sent together, and a clock that rounds may have put others together."""
    if _last_crowd(clicks, rules.burst_clicks, rules.burst_seconds) is None:
        return None
    moments = sorted(at for at, _ in {(act.at, act.list_mark) for act in acts})
    return _last_crowd(moments, rules.burst_clicks, rules.burst_seconds - _resolution(moments))


def _resolution(times: Iterable[float]) -> float:
    """How far apart two things may be that have equal times: what their clock rounds to, 0 where it is fine."""
    return max((unit for unit in _UNITS if all(time % unit == 0 for time in times)), default=0.0)


def _last_crowd(times: Sequence[float], many: int, seconds: float) -> float | None:
    """When, of sorted times, `many` last stood within `seconds`."""
    for last in range(len(times) - 1, many - 2, -1):
        if times[last] - times[last - many + 1] <= seconds:
            return times[last]
    return None


def encode(traffic: Traffic) -> bytes:
    acts = {id_: list(act) for id_, act in traffic.acts.items()}
    return orjson.dumps([acts, traffic.lists, traffic.suspicion, traffic.until])


def decode(state: bytes) -> Traffic:
    """What `encode` made."""
    acts, lists, suspicion, until = orjson.loads(state)
    return Traffic({id_: Act(*act) for id_, act in acts.items()}, lists, suspicion, until)
