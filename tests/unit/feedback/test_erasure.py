"""A person who is erased is in no state any more, and does not come back with what arrives late."""

from hypothesis import given, settings
from hypothesis import strategies as st

from feedback.applying import apply_lists
from feedback.erasure import erase_shopper, found
from feedback.ledger import decode_entry
from feedback.memory_store import MemoryStore
from feedback.profiles import decode_profile
from feedback.reading import StateReader
from feedback.settings import ProfileSettings
from tests.unit.feedback.deliveries import deliveries
from tests.unit.feedback.lists import HOUR, NOW, joined, revisions
from topics.feedback import JoinedList, ShopperErased

SETTINGS = ProfileSettings(kind="memory")
LATER = NOW + HOUR
ERASED = ShopperErased(shopper="ann", at=NOW + 100)


def apply(store: MemoryStore, *lists: JoinedList) -> dict[str, int]:
    return dict(apply_lists(store, lists, SETTINGS, LATER).outcomes)


def recent(store: MemoryStore, shopper: str) -> list[str]:
    return StateReader(store, SETTINGS).read(shopper, [], "", LATER).profile.recent(9).product_ids


def clicks(store: MemoryStore, products: str) -> list[int]:
    return StateReader(store, SETTINGS).read("", list(products), "", LATER).products.totals[:, 1].tolist()


def test_all_that_names_the_person_goes_and_counts_of_products_and_others_stay() -> None:
    store = MemoryStore()
    apply(store, *[joined(f"q{number}", "ab", ("click", "a", 1)) for number in range(3)])
    apply(store, joined("other", "ab", ("click", "b", 1), shopper="bob"))
    report = erase_shopper(store, ERASED, SETTINGS, LATER)
    assert report.removed == {"shopper": 1, "lists": 1, "counted": 3}
    assert report.found_afterwards == {"shopper": 0, "lists": 0, "counted": 0}
    named = [key for kind in ("shopper", "lists", "counted", "erased") for key in store.keys(kind)]
    assert sorted(named) == ["counted:other", "erased:ann", "lists:bob", "shopper:bob"]
    keys = [key for kind in ("product", "class", "shop", "co_clicks", "counted") for key in store.keys(kind)]
    assert not any(b"ann" in (state or b"") for state in store.read(keys))
    assert clicks(store, "ab") == [3, 1]
    assert recent(store, "bob") == ["b"]


def test_a_list_that_counts_nothing_names_nobody_afterwards_either() -> None:
    store = MemoryStore()
    apply(store, joined("q", "", ("hide", "a", 1)))
    assert erase_shopper(store, ERASED, SETTINGS, LATER).removed == {"shopper": 1, "lists": 1, "counted": 1}
    assert list(store.keys("counted")) == []


def test_what_is_left_is_found() -> None:
    store = MemoryStore()
    apply(store, joined("q", "ab", ("click", "a", 1)))
    assert found(store, ERASED, SETTINGS, LATER) == {"shopper": 1, "lists": 1, "counted": 1}


def test_what_arrives_late_of_the_time_before_is_dropped_and_counted() -> None:
    store = MemoryStore()
    one = joined("q", "ab", ("click", "a", 1), ("click", "b", 2))
    apply(store, revisions(one)[1])
    erase_shopper(store, ERASED, SETTINGS, LATER)
    applied = apply_lists(store, [one, joined("new", "b", ("click", "b", 50))], SETTINGS, LATER)
    assert applied.outcomes == {"erased": 2}
    assert applied.left_out == {"erased": 5}
    assert recent(store, "ann") == []
    assert clicks(store, "ab") == [1, 0]
    assert found(store, ERASED, SETTINGS, LATER) == {"shopper": 0, "lists": 0, "counted": 0}


def test_what_the_person_does_afterwards_counts() -> None:
    store = MemoryStore()
    before = joined("q", "ab", ("click", "a", 1))
    apply(store, before)
    erase_shopper(store, ERASED, SETTINGS, LATER)
    after = joined("q", "ab", ("click", "a", 1), ("click", "b", 200))
    apply(store, after, joined("new", "c", ("click", "c", 300), at=NOW + 290))
    apply(store, after)
    assert recent(store, "ann") == ["c", "b"]
    assert clicks(store, "abc") == [1, 1, 1]


def test_an_erasure_that_is_read_again_takes_nothing_of_what_came_later() -> None:
    store = MemoryStore()
    apply(store, joined("q", "ab", ("click", "a", 1)))
    erase_shopper(store, ERASED, SETTINGS, LATER)
    apply(store, joined("new", "c", ("click", "c", 300), at=NOW + 290))
    states = dict(zip(keys := sorted(store.keys("shopper")), store.read(keys), strict=True))
    report = erase_shopper(store, ERASED, SETTINGS, LATER)
    assert report.removed == {}
    assert dict(zip(keys, store.read(keys), strict=True)) == states
    assert recent(store, "ann") == ["c"]


def test_an_older_erasure_does_not_move_the_mark_back() -> None:
    store = MemoryStore()
    erase_shopper(store, ERASED, SETTINGS, LATER)
    erase_shopper(store, ShopperErased(shopper="ann", at=NOW - HOUR), SETTINGS, LATER)
    assert apply(store, joined("q", "ab", ("click", "a", 1))) == {"erased": 1}


def test_a_list_that_turns_suspect_after_the_erasure_takes_back_what_came_later() -> None:
    store = MemoryStore()
    one = joined("q", "ab", ("click", "a", 1), ("hide", "b", 200))
    apply(store, revisions(one)[1])
    erase_shopper(store, ERASED, SETTINGS, LATER)
    apply(store, one)
    assert recent(store, "ann") == ["b"]
    apply(store, one.model_copy(update={"suspect": "too fast", "revision": 9}))
    assert recent(store, "ann") == []


@given(delivery=deliveries(), when=st.integers(0, 6), erased_after=st.floats(-1, 5 * HOUR))
@settings(max_examples=30)
def test_whatever_arrives_before_and_after_nothing_of_before_is_left(
    delivery: tuple[list[JoinedList], list[list[JoinedList]]], when: int, erased_after: float
) -> None:
    _, batches = delivery
    store, erased = MemoryStore(), ShopperErased(shopper="ann", at=NOW + erased_after)
    now = NOW + 6 * HOUR
    for batch in batches[:when]:
        apply_lists(store, batch, SETTINGS, now)
    erase_shopper(store, erased, SETTINGS, now)
    for batch in [*batches[when:], *batches]:
        apply_lists(store, batch, SETTINGS, now)

    profile, *entries = store.read(["shopper:ann", *store.keys("counted")])
    assert all(at > erased.at for at in decode_profile(profile).records["at"].tolist())
    of_hers = [entry for entry in map(decode_entry, entries) if entry.shopper == "ann"]
    assert all(line.at > erased.at for entry in of_hers for line in entry.contributions)
    assert all(entry.until > erased.at for entry in of_hers)
    assert found(store, erased, SETTINGS, now) == {"shopper": 0, "lists": 0, "counted": 0}
