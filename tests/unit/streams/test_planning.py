"""What an event changes, decided from versions and content hashes before any encoder runs."""

from collections.abc import Mapping, Sequence

import pytest

from encoders.product_text import text_to_encode
from index.base import IMAGE_FIELD, ContentHashes, IndexedState
from index.memory import MemoryIndex
from streams.planning import Planner
from streams.work import Arrival, Deletion, Update, Work
from tests.unit.streams.conftest import ANALYSER, FixedRecord
from topics.codec import ProductCodec
from topics.events import Product, ProductDeletion

RECORD = FixedRecord(b"a", None)


class StatesIndex(MemoryIndex):
    """Holds what a test says, and counts how many products it was asked for."""

    def __init__(self, held: Mapping[str, IndexedState]) -> None:
        super().__init__(8, 8)
        self.held = held
        self.asked = 0

    def states(self, product_ids: Sequence[str]) -> dict[str, IndexedState]:
        self.asked += len(product_ids)
        return {id_: self.held[id_] for id_ in product_ids if id_ in self.held}


def planner(
    state: IndexedState | None = None, text_release: str = "text@1", image_release: str = "image@1"
) -> tuple[Planner, StatesIndex]:
    index = StatesIndex({} if state is None else {"a": state})
    return Planner(index, ANALYSER, text_release, image_release), index


def product(version: int, **fields: object) -> Product:
    event = {"id": "a", "updated_at": version, "title": "Red dress", **fields}
    return Product.model_validate(event)


def plan(event: Product | ProductDeletion, state: IndexedState | None, planning: Planner | None = None) -> Work:
    work = Work(0.0)
    (planning or planner(state)[0]).plan(work, {"a": [Arrival(RECORD, event)]})
    return work


def update(event: Product, state: IndexedState | None, planning: Planner | None = None) -> Update:
    (task,) = plan(event, state, planning).tasks
    assert isinstance(task, Update)
    return task


def held(event: Product, **changes: str) -> IndexedState:
    """What the index holds once this event is indexed with its picture."""
    hashes = update(event, None).hashes
    return IndexedState(
        event.version, False, ContentHashes(hashes.text, hashes.image_link, "pixels")._replace(**changes)
    )


def test_what_is_unknown_is_encoded_whole() -> None:
    event = product(1, image_links=["https://shop.example/a.png"])

    task = update(event, None)

    assert (task.text, task.fetch_image, task.held) == (text_to_encode(event), True, None)
    assert task.outcome() == "indexed"


def test_without_a_picture_nothing_is_fetched() -> None:
    assert not update(product(1), None).fetch_image


@pytest.mark.parametrize("version", [1, 2])
def test_what_is_no_newer_is_stale(version: int) -> None:
    state = IndexedState(2_000, False, ContentHashes())

    work = plan(product(version), state)

    assert (work.tasks, [settled.outcome for settled in work.settled]) == ([], ["stale"])


def test_a_tombstone_is_older_or_newer_like_anything_else() -> None:
    state = IndexedState(2_000, False, ContentHashes())

    assert isinstance(plan(ProductDeletion("a", 2_001), state).tasks[0], Deletion)
    assert plan(ProductDeletion("a", 2_000), state).tasks == []


@pytest.mark.parametrize(
    "change",
    [{"price": 3, "currency": "EUR"}, {"availability": "out_of_stock"}, {"rating": 4.5}, {"attributes": {"size": "M"}}],
)
def test_attributes_need_no_encoder(change: dict[str, object]) -> None:
    link = {"image_links": ["https://shop.example/a.png"]}

    task = update(product(2, **link, **change), held(product(1, **link)))

    assert (task.text, task.fetch_image, task.vectors) == (None, False, {})
    assert task.outcome() == "attributes_updated"
    assert task.hashes == task.held


def test_a_new_link_is_fetched_and_the_words_stay() -> None:
    before = held(product(1, image_links=["https://shop.example/a.png"]))

    task = update(product(2, image_links=["https://shop.example/b.png"]), before)

    assert (task.text, task.fetch_image) == (None, True)


def test_a_link_that_is_gone_takes_the_picture_away() -> None:
    before = held(product(1, image_links=["https://shop.example/a.png"]))

    assert update(product(2), before).vectors == {IMAGE_FIELD: None}


def test_a_picture_that_never_was_needs_no_taking_away() -> None:
    assert update(product(2), held(product(1), image="")).vectors == {}


def test_a_deleted_product_comes_back_whole() -> None:
    event = product(1)

    task = update(product(2), held(event)._replace(deleted=True))

    assert (task.text, task.held) == (text_to_encode(event), None)


def test_another_model_encodes_everything_anew() -> None:
    link = {"image_links": ["https://shop.example/a.png"]}
    before = held(product(1, **link))

    task = update(product(2, **link), before, planner(before, "text@2", "image@2")[0])

    assert task.text is not None
    assert task.fetch_image


def test_what_is_on_the_way_is_planned_on_without_asking_the_index() -> None:
    planning, index = planner()
    planning.remember(plan(product(5), None, planning))

    task = update(product(6), None, planning)

    assert task.text is None
    assert index.asked == 1


def test_what_looks_stale_beside_what_is_on_the_way_is_left_until_that_is_written() -> None:
    planning, _ = planner()
    planning.remember(plan(product(5), None, planning))

    work = plan(product(4), None, planning)

    assert (work.tasks, work.settled) == ([], [])
    assert [arrival.event.version for arrival in work.unplanned] == [4_000]


def test_after_what_is_left_unplanned_nothing_is_known_of_the_product() -> None:
    planning, _ = planner()
    planning.remember(first := plan(product(5), None, planning))
    planning.remember(plan(product(4), None, planning))
    planning.forget(first)

    work = plan(product(7), None, planning)

    assert work.tasks == []
    assert len(work.unplanned) == 1


def test_a_tombstone_on_the_way_is_known_as_one() -> None:
    planning, _ = planner()
    planning.remember(plan(ProductDeletion("a", 7), None, planning))

    assert update(product(1), None, planning).held is None


def test_what_was_written_is_asked_of_the_index_again() -> None:
    planning, index = planner()
    planning.remember(work := plan(product(5), None, planning))
    planning.forget(work)

    assert update(product(4), None, planning).held is None
    assert index.asked == 2


def test_a_newer_plan_stays_known_when_an_older_one_is_written() -> None:
    planning, _ = planner()
    planning.remember(older := plan(product(5), None, planning))
    planning.remember(plan(product(6), None, planning))
    planning.forget(older)

    assert update(product(7), None, planning).held is not None


def test_the_codec_and_the_planner_mean_the_same_version() -> None:
    event = ProductCodec().decode(b"a", b'{"id":"a","title":"x","updated_at":"1970-01-01T00:00:00.000005Z"}', 0)
    assert isinstance(event, Product)

    assert update(event, None).version == 5
