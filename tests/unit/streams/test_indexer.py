"""What product events do to the index, and what they cost."""

from dataclasses import replace

import numpy as np
import pytest

from index.base import IMAGE_FIELD, ContentHashes, IndexUnavailable, ProductRow, VectorQuery
from streams.work import Work
from tests.unit.streams.conftest import Bench, FixedRecord, deletion, picture, product
from topics.events import InvalidReason


def outcomes(work: Work) -> list[tuple[str, str]]:
    return sorted((settled.product_id, settled.outcome) for settled in work.settled)


def reasons(work: Work) -> list[InvalidReason]:
    return [rejected.invalid.reason for rejected in work.rejected]


def found_by_picture(bench: Bench, link: str) -> list[str]:
    from encoders.images import decode_image

    image = decode_image(bench.parts.images.fetch(link), bench.parts.image_limits)
    vector = bench.encoder.encode_images([image])[0]
    return [hit.product_id for hit in bench.index.search(VectorQuery(IMAGE_FIELD, vector), 10)]


def test_a_new_product_becomes_searchable_with_words_and_picture(bench: Bench) -> None:
    work = bench.run(product("a", 1, title="Red dress", price=5, currency="EUR", image_links=[picture("red")]))

    assert outcomes(work) == [("a", "indexed")]
    assert not work.tasks
    assert bench.index.documents(["a"])["a"]["price"] == 5.0
    assert found_by_picture(bench, picture("red")) == ["a"]


def test_a_price_change_runs_no_encoder(bench: Bench) -> None:
    bench.run(product("a", 1, price=5, currency="EUR", image_links=[picture("red")]))
    bench.encoder.texts.clear()
    bench.encoder.images = 0

    work = bench.run(product("a", 2, price=4, currency="EUR", image_links=[picture("red")]))

    assert outcomes(work) == [("a", "attributes_updated")]
    assert (bench.encoder.texts, bench.encoder.images) == ([], 0)
    assert bench.index.documents(["a"])["a"]["price"] == 4.0
    assert found_by_picture(bench, picture("red")) == ["a"]


def test_a_new_title_encodes_the_words_and_keeps_the_picture(bench: Bench) -> None:
    bench.run(product("a", 1, image_links=[picture("red")]))
    bench.encoder.images = 0

    work = bench.run(product("a", 2, title="other words", image_links=[picture("red")]))

    assert outcomes(work) == [("a", "indexed")]
    assert bench.encoder.texts[-1] == "other words"
    assert bench.encoder.images == 0
    assert found_by_picture(bench, picture("red")) == ["a"]


def test_the_same_picture_under_a_new_link_is_not_encoded_again(bench: Bench) -> None:
    link = picture("red")
    bench.run(product("a", 1, image_links=[link]))

    bench.run(product("a", 2, image_links=[link.replace("image/png", "image/PNG")]))

    assert bench.encoder.images == 1
    assert bench.counted("encodings_saved_total", role="image", reason="same_picture") == 1


def test_a_picture_that_is_taken_away_finds_the_product_no_more(bench: Bench) -> None:
    bench.run(product("a", 1, image_links=[picture("red")]))

    bench.run(product("a", 2))

    assert found_by_picture(bench, picture("red")) == []
    assert bench.index.count() == 1


def test_an_older_version_changes_nothing(bench: Bench) -> None:
    bench.run(product("a", 5, title="new"))

    assert outcomes(bench.run(product("a", 4, title="old"))) == [("a", "stale")]
    assert outcomes(bench.run(product("a", 5, title="repeat"))) == [("a", "stale")]
    assert bench.index.documents(["a"])["a"]["title"] == "new"


def test_several_changes_in_a_batch_are_one_upsert_of_the_newest(bench: Bench) -> None:
    work = bench.run(product("a", 1, title="one"), product("a", 3, title="three"), product("a", 2, title="two"))

    assert outcomes(work) == [("a", "indexed"), ("a", "stale"), ("a", "stale")]
    assert bench.encoder.texts == ["three"]
    assert bench.index.documents(["a"])["a"]["title"] == "three"


def test_a_deleted_product_stays_deleted_for_older_events_and_returns_with_newer_ones(bench: Bench) -> None:
    bench.run(product("a", 1))

    assert outcomes(bench.run(deletion("a", 5))) == [("a", "deleted")]
    assert bench.index.count() == 0
    assert outcomes(bench.run(product("a", 4))) == [("a", "stale")]
    assert outcomes(bench.run(product("a", 6))) == [("a", "indexed")]
    assert bench.index.count() == 1


def test_a_deletion_that_comes_first_keeps_older_events_out(bench: Bench) -> None:
    bench.run(deletion("a", 5))

    assert outcomes(bench.run(product("a", 4))) == [("a", "stale")]


@pytest.mark.parametrize(
    ("link", "problem"),
    [
        ("data:image/png;base64,PGh0bWw+", "not_an_image"),
        ("http://127.0.0.1:9/x.png", "private_address"),
        ("http://169.254.169.254/latest", "private_address"),
        ("file:///etc/passwd", "forbidden_file"),
    ],
)
def test_a_picture_that_cannot_be_read_is_reported_and_the_words_are_indexed(
    bench: Bench, link: str, problem: str
) -> None:
    work = bench.run(product("a", 1, title="Red dress", image_links=[link]))

    assert outcomes(work) == [("a", "indexed")]
    assert problem in work.settled[0].problem
    assert bench.counted("image_failures_total", reason=problem) == 1
    assert bench.index.count() == 1


def test_a_picture_that_failed_is_tried_again_with_the_next_event(bench: Bench) -> None:
    bench.run(product("a", 1, image_links=["data:image/png;base64,PGh0bWw+"]))

    bench.run(product("a", 2, image_links=[picture("red")]))

    assert found_by_picture(bench, picture("red")) == ["a"]


def test_a_failed_picture_takes_the_old_one_away(bench: Bench) -> None:
    bench.run(product("a", 1, image_links=[picture("red")]))

    bench.run(product("a", 2, image_links=["data:image/png;base64,PGh0bWw+"]))

    assert found_by_picture(bench, picture("red")) == []


def test_unreadable_messages_are_rejected_and_the_others_go_on(bench: Bench) -> None:
    work = bench.run(FixedRecord(b"x", b"{broken"), product("a", 1), FixedRecord(b"y", b"{}"))

    assert outcomes(work) == [("a", "indexed")]
    assert reasons(work) == [InvalidReason.NOT_JSON, InvalidReason.INVALID_FIELDS]


def test_text_that_the_model_cannot_encode_is_rejected_alone(bench: Bench) -> None:
    bench.encoder.unusable = {"cursed"}

    work = bench.run(product("a", 1), product("b", 1, title="cursed"), product("c", 1))

    assert outcomes(work) == [("a", "indexed"), ("c", "indexed")]
    assert reasons(work) == [InvalidReason.ENCODER_REFUSED]
    assert outcomes(bench.run(product("b", 2))) == [("b", "indexed")]


def test_a_picture_that_the_model_cannot_encode_is_left_out(bench: Bench) -> None:
    bench.encoder.refuse_images = True

    work = bench.run(product("a", 1, image_links=[picture("red")]))

    assert outcomes(work) == [("a", "indexed")]
    assert "picture left out" in work.settled[0].problem


def test_a_row_that_the_index_refuses_is_rejected_alone(bench: Bench) -> None:
    bench.index.refused = frozenset({"b"})

    work = bench.run(product("a", 1), product("b", 1))

    assert outcomes(work) == [("a", "indexed")]
    assert reasons(work) == [InvalidReason.INDEX_REFUSED]
    assert work.rejected[0].invalid.detail == "too wide"


def test_an_index_that_is_away_is_waited_for(bench: Bench) -> None:
    bench.index.failures = 2

    assert outcomes(bench.run(product("a", 1))) == [("a", "indexed")]
    assert bench.waits == 2
    assert bench.counted("retries_total", operation="index", reason="unavailable") == 2


def test_work_that_overlaps_is_planned_on_what_will_be_there(bench: Bench) -> None:
    bench.run(product("a", 1, title="one"))
    second = bench.indexer.prepare([product("a", 2, title="two")], 0.0)
    third = bench.indexer.prepare([product("a", 3, title="one")], 0.0)

    for work in (second, third):
        bench.indexer.write(bench.indexer.encode(work))

    expected = bench.encoder.encode_texts(["one"])[0]
    hit = bench.index.search(VectorQuery("text_vector", expected), 1)[0]
    assert bench.encoder.texts[:3] == ["one", "two", "one"]
    assert hit.score == pytest.approx(1.0)
    assert bench.counted("retries_total", operation="upsert", reason="conflict") == 0


def test_a_price_change_right_behind_a_new_product_runs_no_encoder(bench: Bench) -> None:
    first = bench.indexer.prepare([product("a", 1, title="one", price=2, currency="EUR")], 0.0)
    second = bench.indexer.prepare([product("a", 2, title="one", price=1, currency="EUR")], 0.0)

    outcome = [outcomes(bench.indexer.write(bench.indexer.encode(work))) for work in (first, second)]

    assert outcome == [[("a", "indexed")], [("a", "attributes_updated")]]
    assert bench.encoder.texts == ["one"]


def test_a_product_that_another_worker_wrote_in_between_is_planned_again(bench: Bench) -> None:
    bench.run(product("a", 1, title="one"))
    dimension = bench.encoder.dimension
    other = ProductRow(
        "a",
        2_000,
        {"id": "a"},
        "x",
        ContentHashes("else", "", ""),
        {"text_vector": np.eye(dimension, dtype=np.float32)[0]},
    )
    index = bench.index
    index.before_apply = lambda: super(type(index), index).apply([other])

    work = bench.run(product("a", 3, title="one"))

    assert outcomes(work) == [("a", "indexed")]
    assert bench.counted("retries_total", operation="upsert", reason="conflict") == 1
    vector = bench.encoder.encode_texts(["one"])[0]
    assert bench.index.search(VectorQuery("text_vector", vector), 1)[0].score == pytest.approx(1.0)


def undated_deletion(product_id: str, timestamp_ms: int) -> FixedRecord:
    return FixedRecord(product_id.encode(), None, timestamp=timestamp_ms)


@pytest.mark.parametrize("together", [True, False])
def test_a_product_that_was_deleted_and_inserted_again_comes_back(bench: Bench, together: bool) -> None:
    """As Debezium sends it, relayed late: the tombstone after the deletion has the broker's time, long after both."""
    history = [product("a", 100), deletion("a", 200), undated_deletion("a", 10_000), product("a", 300, title="back")]

    if together:
        bench.run(*history)
    else:
        for record in history:
            bench.run(record)

    assert bench.index.documents(["a"])["a"]["title"] == "back"


def test_a_tombstone_without_a_date_ends_what_is_there(bench: Bench) -> None:
    bench.run(product("a", 100))

    assert outcomes(bench.run(undated_deletion("a", 10_000))) == [("a", "deleted")]
    assert outcomes(bench.run(undated_deletion("b", 10_000))) == [("b", "stale")]
    assert bench.index.count() == 0


def test_a_good_version_counts_when_the_newer_one_that_came_with_it_is_rejected(bench: Bench) -> None:
    bench.encoder.unusable = {"cursed"}
    too_wide = {f"attribute {number}": "x" * 9_000 for number in range(9)}

    work = bench.run(
        product("a", 1), product("a", 2, title="cursed"), product("b", 1), product("b", 2, attributes=too_wide)
    )

    assert outcomes(work) == [("a", "indexed"), ("b", "indexed")]
    assert sorted(reasons(work)) == [InvalidReason.ENCODER_REFUSED, InvalidReason.INDEX_REFUSED]
    assert bench.index.states(["a", "b"])["a"].version == 1_000
    assert bench.index.states(["a", "b"])["b"].version == 1_000


def test_a_version_counts_when_the_newer_one_on_the_way_is_rejected(bench: Bench) -> None:
    """It came later and was planned while the newer one was still to be encoded."""
    bench.encoder.unusable = {"cursed"}
    newer = bench.indexer.prepare([product("a", 2, title="cursed")], 0.0)
    older = bench.indexer.prepare([product("a", 1)], 0.0)

    told = [outcomes(bench.indexer.write(bench.indexer.encode(work))) for work in (newer, older)]

    assert told == [[], [("a", "indexed")]]


@pytest.mark.parametrize("read_again", [0, 1, 2])
def test_a_tombstone_that_is_read_again_leaves_what_came_after_it(bench: Bench, read_again: int) -> None:
    """After a crash between a write and its commit, from any record on, and in other batches than before."""
    history = [product("a", 100), deletion("a", 200), undated_deletion("a", 10_000), product("a", 300, title="back")]
    log = [replace(record, offset=offset, timestamp=10_000) for offset, record in enumerate(history)]
    bench.run(*log)

    for record in log[read_again:]:
        bench.run(record)

    assert bench.index.documents(["a"])["a"]["title"] == "back"


def test_a_write_whose_answer_was_lost_is_recognized(bench: Bench) -> None:
    def write_and_lose_the_answer() -> None:
        bench.indexer.write(bench.indexer.encode(bench.indexer.prepare([product("a", 1)], 0.0)))
        raise IndexUnavailable("the answer was lost")

    prepared = bench.indexer.encode(bench.indexer.prepare([product("a", 1)], 0.0))
    bench.indexer._planner.forget(prepared)
    bench.index.before_apply = write_and_lose_the_answer

    assert outcomes(bench.indexer.write(prepared)) == [("a", "indexed")]


def test_a_picture_that_is_gone_for_good_is_asked_for_once(bench: Bench) -> None:
    link = "data:image/png;base64,PGh0bWw+"
    for version in range(1, 4):
        bench.run(product("a", version, price=version, currency="EUR", image_links=[link]))

    assert bench.counted("image_failures_total", reason="not_an_image") == 1
    assert bench.index.documents(["a"])["a"]["price"] == 3.0


def test_each_picture_that_was_waited_for_is_a_sign_of_life(bench: Bench) -> None:
    bench.run(*(product(name, 1, image_links=[picture("red")]) for name in "abc"))

    assert bench.waits == 3
