"""MemoryIndex against a dictionary: whatever comes in whatever order, the outcomes and what is held are the same."""

from dataclasses import dataclass, field

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from index.base import (
    IMAGE_FIELD,
    TEXT_FIELD,
    Change,
    ContentHashes,
    IndexedState,
    KeywordQuery,
    Outcome,
    PartialUpdate,
    ProductRow,
    Tombstone,
    VectorQuery,
)
from index.memory import MemoryIndex

IDS = st.sampled_from(["a", "b", "c"])
VERSIONS = st.integers(0, 6)
HASHES = st.sampled_from([ContentHashes("1"), ContentHashes("2"), ContentHashes("1", "l", "i")])
VECTOR = np.ones(1, np.float32)
WORDS = st.sampled_from(["red", "blue", "red blue", ""])


@dataclass
class Held:
    version: int
    deleted: bool = False
    hashes: ContentHashes = field(default_factory=ContentHashes)
    keywords: str = ""
    vectors: set[str] = field(default_factory=set)


def row(id_: str, version: int, words: str, hashes: ContentHashes, pictured: bool) -> Change:
    vectors = {TEXT_FIELD: VECTOR} | ({IMAGE_FIELD: VECTOR} if pictured else {})
    return ProductRow(id_, version, {"words": words}, words, hashes, vectors)


def partial(
    id_: str, version: int, words: str, hashes: tuple[ContentHashes, ContentHashes], picture: bool | None
) -> Change:
    vectors = {} if picture is None else {IMAGE_FIELD: VECTOR if picture else None}
    return PartialUpdate(id_, version, {"words": words}, words, *hashes, vectors)


CHANGES = st.one_of(
    st.builds(row, IDS, VERSIONS, WORDS, HASHES, st.booleans()),
    st.builds(partial, IDS, VERSIONS, WORDS, st.tuples(HASHES, HASHES), st.none() | st.booleans()),
    st.builds(Tombstone, IDS, VERSIONS),
)
CALLS = st.lists(st.lists(CHANGES, max_size=3, unique_by=lambda change: change.product_id), max_size=12)


def expected_outcome(model: dict[str, Held], change: Change) -> Outcome:
    held = model.get(change.product_id)
    if held is not None and change.version <= held.version:
        return Outcome.STALE
    if isinstance(change, Tombstone):
        model[change.product_id] = Held(change.version, deleted=True)
    elif isinstance(change, ProductRow):
        model[change.product_id] = Held(change.version, False, change.hashes, change.keywords, set(change.vectors))
    elif held is None or held.deleted or held.hashes != change.expects:
        return Outcome.CONFLICT
    else:
        vectors = {name for name in held.vectors if name not in change.vectors}
        vectors |= {name for name, vector in change.vectors.items() if vector is not None}
        model[change.product_id] = Held(change.version, False, change.hashes, change.keywords, vectors)
    return Outcome.WRITTEN


@given(CALLS)
def test_it_is_a_dictionary_with_versions(calls: list[list[Change]]) -> None:
    index, model = MemoryIndex(1, 1), {}
    for changes in calls:
        assert [one.outcome for one in index.apply(changes)] == [expected_outcome(model, change) for change in changes]
    alive = {id_: held for id_, held in model.items() if not held.deleted}
    assert index.states(["a", "b", "c"]) == {
        id_: IndexedState(held.version, held.deleted, held.hashes) for id_, held in model.items()
    }
    assert index.documents(["a", "b", "c"]) == {id_: {"words": held.keywords} for id_, held in alive.items()}
    assert index.count() == len(alive)
    for name in (TEXT_FIELD, IMAGE_FIELD):
        hits = index.search(VectorQuery(name, VECTOR), 9)  # type: ignore[arg-type]
        assert {hit.product_id for hit in hits} == {id_ for id_, held in alive.items() if name in held.vectors}
    hits = index.search(KeywordQuery("red"), 9)
    assert {hit.product_id for hit in hits} == {id_ for id_, held in alive.items() if "red" in held.keywords}


@given(CALLS, st.randoms())
def test_any_order_of_full_rows_and_deletions_ends_in_the_same_state(calls: list[list[Change]], random: object) -> None:
    changes = [one for call in calls for one in call if not isinstance(one, PartialUpdate)]
    newest = {(one.product_id, one.version): one for one in changes}.values()  # one event a version
    shuffled = list(newest)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    ends = []
    for order in (list(newest), shuffled):
        index = MemoryIndex(1, 1)
        for change in order:
            index.apply([change])
        ends.append((index.states(["a", "b", "c"]), index.documents(["a", "b", "c"]), index.count()))
    assert ends[0] == ends[1]
