"""The comparison of two click loops finds what differs."""

from collections.abc import Sequence

import pytest

from benchmarks.clicks.agreement import Agreement, Compared, compare_inputs, compare_lists, compare_states
from feedback.contexts import place_class
from feedback.reading import StateReader
from learning.replay import DirectLoop, LoopSettings, Replay
from ranking.feature_settings import RateFeature, SeenFeature
from tests.unit.feedback.behavior import START, asked, did
from topics.behavior import BehaviorEvent
from topics.feedback import JoinedList

LOOP = LoopSettings((RateFeature(name="rate"), SeenFeature(name="seen")))
PLACE = {"place": "Utrecht", "daypart": "evening"}
CLICKS = [did("q1", "a", 10), did("q1", "b", 15)]


class RememberingLoop(DirectLoop):
    def __init__(self) -> None:
        super().__init__(LOOP)
        self.lists: dict[str, JoinedList] = {}

    def reveal(self, *said: Sequence) -> Sequence[JoinedList]:  # type: ignore[type-arg]
        lists = super().reveal(*said)
        self.lists.update((one.query_id, one) for one in lists)
        return lists


def agreement(one: Sequence[BehaviorEvent], other: Sequence[BehaviorEvent], kept: int = 100) -> Agreement:
    found = Agreement()
    loops, replays = [], []
    for clicks in (one, other):
        loops.append(RememberingLoop())
        replays.append(Replay(LOOP, loop=loops[-1]))
        replays[-1].run([asked("q1", "a", "b", context=PLACE), *clicks, asked("q2", "a", "b", at=60)])
    compare_lists(found, loops[0].lists, loops[1].lists)
    compare_inputs(found, replays[0].lists(), replays[1].lists())
    readers = [StateReader(loop.store, LOOP.profiles) for loop in loops]
    compare_states(found, Compared(["ann"], ["a", "b"], ["lamp"], [place_class(PLACE)], START + 60, kept), *readers)
    return found


def test_equal_logs_agree_in_all_that_there_is() -> None:
    found = agreement(CLICKS, CLICKS)

    assert found.is_full
    assert (found.lists, found.inputs, found.identical_inputs, found.profiles, found.co_clicks) == (2, 2, 2, 1, 2)


@pytest.mark.parametrize(
    "other", [CLICKS[:1], [CLICKS[0], did("q1", "b", 16)], [CLICKS[0], did("q1", "b", 15, "view")]]
)
def test_what_differs_is_named(other: list[BehaviorEvent]) -> None:
    found = agreement(CLICKS, other)

    assert not found.is_full
    assert found.differing_lists == ["q1"]
    assert "profile of ann" in found.differing_states


def test_a_click_less_is_seen_by_rankers_and_in_all_statistics() -> None:
    found = agreement(CLICKS, CLICKS[:1])

    assert found.differing_inputs == ["q1", "q2"]
    assert found.count_distance > 0
    assert set(found.differing_states) >= {
        "profile of ann",
        "counts of products",
        "counts of the shop",
        "counts of products in lists of 'lamp'",
        f"counts at place {place_class(PLACE)}",
        "co-clicks of a",
    }


def test_co_clicks_that_are_cut_are_counted_apart() -> None:
    later = [CLICKS[0], did("q1", "b", 40)]

    assert agreement(CLICKS, later, kept=1).cut_co_clicks == 2
    assert agreement(CLICKS, later).cut_co_clicks == 0
