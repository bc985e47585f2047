"""What a list says after the join, whatever came first, twice, late, or for a product that was not shown."""

import pytest

from feedback.memory_store import MemoryStore
from feedback.store import StoreUnavailable
from tests.unit.feedback.behavior import HOUR, START, asked, click_join, did, joined_at_once, lists_of
from topics.feedback import JoinedList


def actions(joined: JoinedList) -> list[tuple[str, str]]:
    return [(action.action, action.product_id) for action in joined.actions]


def test_a_list_has_all_that_was_shown_and_what_was_done() -> None:
    query = asked("q", "a", "b", positions=[3, 4], propensities=[0.5, 0.25], arm="B", releases={"ranker": "7"})
    seen = did("q", "b", 20, "add_to_cart")
    (joined,) = joined_at_once([query], [seen, did("q", "b", 10)]).values()

    assert (joined.query_id, joined.shopper, joined.session, joined.at) == ("q", "ann", "morning", START)
    assert (joined.text, joined.arm, joined.releases) == ("lamp", "B", {"ranker": "7"})
    assert [(one.product_id, one.position, one.propensity) for one in joined.shown] == [("a", 3, 0.5), ("b", 4, 0.25)]
    assert actions(joined) == [("click", "b"), ("add_to_cart", "b")]
    assert (joined.revision, joined.late, joined.suspect) == (3, 0, "")


def test_without_positions_the_places_are_counted_from_one() -> None:
    (joined,) = joined_at_once([asked("q", "a", "b")], []).values()

    assert [(one.position, one.propensity) for one in joined.shown] == [(1, None), (2, None)]


def test_an_action_may_come_before_its_query() -> None:
    join = click_join()
    early = lists_of([join.join([], [did("q", "a")])])["q"]
    late = lists_of([join.join([asked("q", "a")], [])])["q"]

    assert (early.at, actions(early), early.shopper, early.revision) == (None, [("click", "a")], "ann", 1)
    assert (late.at, actions(late), late.revision) == (START, [("click", "a")], 2)


def test_a_repeat_changes_nothing_and_is_told_again() -> None:
    """The broker may not have had the first one."""
    join = click_join()
    batch = [asked("q", "a")], [did("q", "a"), did("q", "a"), did(None, "b")]
    first, second = join.join(*batch), join.join(*batch)

    assert first.messages == second.messages
    assert (first.outcomes["repeated"], second.outcomes["repeated"]) == (1, 3)
    assert (first.outcomes["actions"], second.outcomes["actions"]) == (2, 0)


def test_an_event_is_the_same_by_its_own_id_or_by_what_it_says() -> None:
    said = [did("q", "a", event_id="1"), did("q", "a", event_id="2"), did("q", "a", event_id="2", at=11)]
    unsaid = [did("q", "a"), did("q", "a"), did("q", "a", at=11), did("q", "a", shopper="bob")]
    joined = joined_at_once([asked("q", "a")], said + unsaid)["q"]

    assert len(joined.actions) == 2 + 3


def test_a_late_action_is_counted_and_stands_alone_wherever_it_comes_from() -> None:
    late, in_time = did("q", "a", 24 * HOUR + 1), did("q", "a", 24 * HOUR)
    for events_first in (True, False):
        join = click_join()
        batches: list[tuple[list, list]] = [([asked("q", "a")], []), ([], [late, in_time])]
        lists = lists_of([join.join(*batch) for batch in (reversed(batches) if events_first else batches)])
        own = next(one for id_, one in lists.items() if id_ != "q")

        assert (len(lists), lists["q"].late, len(lists["q"].actions)) == (2, 1, 1)
        assert (own.at, own.shopper, [action.at for action in own.actions]) == (None, "ann", [START + 24 * HOUR + 1])


def test_an_action_upon_what_was_not_shown_is_a_list_of_its_own() -> None:
    lists = joined_at_once([asked("q", "a")], [did("q", "other")])
    own = next(one for id_, one in lists.items() if id_ != "q")

    assert actions(lists["q"]) == []
    assert actions(own) == [("click", "other")]
    assert lists["q"].late == 0


def test_events_without_a_query_are_lists_of_their_own() -> None:
    lists = joined_at_once([], [did(None, "a"), did(None, "b"), did(None, "b"), did(None, "b", shopper="bob")])

    assert sorted((one.shopper, *actions(one)) for one in lists.values()) == [
        ("ann", ("click", "a")),
        ("ann", ("click", "b")),
        ("bob", ("click", "b")),
    ]


def test_events_of_two_shoppers_with_equal_ids_are_two() -> None:
    lists = joined_at_once([], [did(None, "a", event_id="1"), did(None, "b", event_id="1", shopper="bob")])

    assert sorted(one.shopper for one in lists.values()) == ["ann", "bob"]


def test_what_is_upon_no_product_is_left_out_and_counted() -> None:
    joined = click_join().join([], [did("q", None, action="scroll")])

    assert (joined.messages, joined.outcomes["no_product"]) == ([], 1)


@pytest.mark.parametrize(("said", "kept"), [(2.5, 2.5), (3, 3.0), (-1, None), ("7", None), (True, None), (1e12, None)])
def test_dwell_is_kept_where_it_is_a_time(said: object, kept: float | None) -> None:
    event = did("q", "a", action="dwell", event_attributes={"dwell_seconds": said})

    assert joined_at_once([], [event])["q"].actions[0].dwell_seconds == kept


def test_who_asked_counts_and_else_who_acted() -> None:
    named, unnamed = asked("q1", "a", shopper="ann"), asked("q2", "a", shopper=None)
    lists = joined_at_once([named, unnamed], [did("q1", "a", shopper="bob"), did("q2", "a", shopper="bob")])

    assert (lists["q1"].shopper, lists["q2"].shopper) == ("ann", "morning")


def by_actor(lists: dict[str, JoinedList]) -> list[tuple[str, ...]]:
    return sorted((one.shopper, *(action.product_id for action in one.actions)) for one in lists.values())


@pytest.mark.parametrize("asker", ["ann", None])
def test_what_somebody_else_did_in_a_list_is_told_in_it_and_as_a_list_of_theirs(asker: str | None) -> None:
    query = asked("q", "a", "b", shopper=asker, session=None)
    events = [did("q", "a", 9, shopper="ann"), did("q", "b", shopper="bob"), did("q", "b", 11, shopper="bob")]
    for batches in ([events], [events[::-1]], [[event] for event in events], [[event] for event in events[::-1]]):
        join = click_join()
        lists = lists_of([join.join([query], batch) for batch in batches])

        assert by_actor(lists) == [("ann", "a", "b", "b"), ("bob", "b", "b")]
        assert [action.by_other for action in lists["q"].actions] == [False, True, True]


def test_who_logs_in_after_a_search_remains_its_shopper() -> None:
    """The search names the browser, the click the account, and both the session."""
    (joined,) = joined_at_once([asked("q", "a")], [did("q", "a", shopper="account", session_id="morning")]).values()

    assert (joined.shopper, [action.by_other for action in joined.actions]) == ("ann", [False])


def test_what_is_late_or_was_not_shown_is_one_list_of_a_shopper_and_session() -> None:
    late = [did("q", "a", 25 * HOUR + number) for number in range(5)]
    others = [did("q", "z"), did("q", "z", session_id="evening")]
    join = click_join()
    lists = lists_of([join.join([asked("q", "a")], [event]) for event in (*late, *others)])

    assert sorted(len(one.actions) for one in lists.values()) == [0, 1, 6]


@pytest.mark.parametrize("together", [True, False])
def test_a_flood_takes_back_what_was_told_as_lists_of_their_own_and_does_so_again(together: bool) -> None:
    join = click_join(settings={"max_actions": 3})
    first = join.join([asked("q", "a")], [did("q", "z", number) for number in range(3)])
    flood = [did("q", "y", number) for number in range(9)]
    later = [join.join([], batch) for batch in ([flood] if together else [[event] for event in flood])]

    assert {one.suspect for one in lists_of([first]).values()} == {""}
    assert {one.suspect for one in lists_of([first, *later]).values()} == {"too_many_actions"}
    assert len(lists_of(later[-1:])) == 2
    assert join.join([], flood).messages == later[-1].messages


def test_a_list_with_more_actions_than_are_kept_keeps_none_whatever_their_order() -> None:
    events = [did("q", "a", at, shopper="x") for at in range(6)]
    for some in (2, 6):
        join = click_join(settings={"max_actions": 5})
        told = [join.join([], events[:some]), join.join([asked("q", "a")], events[some:]), join.join([], events)]
        joined = lists_of(told)["q"]

        assert (joined.suspect, joined.actions, joined.at) == ("too_many_actions", (), START)
        assert joined.revision > 5 + 2


def test_a_list_that_no_message_would_hold_is_flooded_too() -> None:
    join = click_join(settings={"max_actions": 2_000})
    wordy = [did("q", "产" * 256, at, action="做" * 100, event_id=f"{at}") for at in range(1_000)]
    told = lists_of([join.join([asked("q", "产" * 256)], wordy[:400]), join.join([], wordy)])["q"]

    assert (told.suspect, told.actions, len(told.shown)) == ("too_many_actions", (), 1)


def test_queries_that_differ_under_one_id_are_one_in_any_order() -> None:
    one, other = asked("q", "a"), asked("q", "b", at=1)

    assert joined_at_once([one, other], [])["q"] == joined_at_once([other, one], [])["q"]


def test_a_state_is_kept_for_its_days_by_the_clock_of_the_process() -> None:
    store = MemoryStore()
    click_join(store, {"keep_days": 2}, now=1_000).join([asked("q", "a", shopper=None)], [])
    day = 86_400

    assert not store.purge(1_000 + 2 * day - 1)
    assert store.purge(1_000 + 2 * day) == {"list": 1, "traffic": 1}


def test_a_store_that_is_away_is_told_and_the_call_may_be_made_again() -> None:
    class Away(MemoryStore):
        failures = 1

        def update(self, *arguments) -> None:  # type: ignore[no-untyped-def]
            if self.failures:
                self.failures -= 1
                raise StoreUnavailable("away")
            super().update(*arguments)

    join = click_join(Away())
    with pytest.raises(StoreUnavailable):
        join.join([asked("q", "a")], [did("q", "a")])

    assert lists_of([join.join([asked("q", "a")], [did("q", "a")])])["q"].revision == 2


def test_nothing_is_asked_of_the_store_for_a_batch_that_says_nothing() -> None:
    class Never(MemoryStore):
        def update(self, *arguments) -> None:  # type: ignore[no-untyped-def]
            raise AssertionError

    assert click_join(Never()).join([], []).messages == []
