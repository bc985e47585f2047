"""A shop's events in one file."""

import gzip
import json
from codecs import BOM_UTF8
from pathlib import Path

import pytest

from topics.behavior import BehaviorEvent, BehaviorQuery
from topics.events import Product
from topics.shop_log import ShopLogError, in_order_of_time, known_from_the_start, read_shop_log

PRODUCT = {"id": "p1", "updated_at": "2026-11-01T00:00:00Z", "title": "A red dress"}
QUERY = {
    "query_id": "q1",
    "user_query": "dress",
    "timestamp": "2026-11-02T00:00:00Z",
    "query_response_hit_ids": ["p1", "p2"],
}
CLICK = {"action_name": "click", "timestamp": "2026-11-02T00:00:05Z", "query_id": "q1"}


def written(path: Path, *lines: object) -> Path:
    text = "".join(json.dumps(line) + "\n" for line in lines).encode()
    path.write_bytes(gzip.compress(text) if path.suffix == ".gz" else text)
    return path


@pytest.mark.parametrize("name", ["log.jsonl", "log.jsonl.gz"])
def test_products_queries_and_actions_come_in_their_order(tmp_path: Path, name: str) -> None:
    events = list(read_shop_log(written(tmp_path / name, PRODUCT, QUERY, CLICK)))

    assert [type(event) for event in events] == [Product, BehaviorQuery, BehaviorEvent]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ([1], "line 2: write one JSON object a line"),
        ({"id": "p2"}, "line 2: updated_at: Field required"),
        ({"foo": 1}, "line 2: id: Field required; it has no action_name.* no user_query.* taken for a product"),
        ({"user_query": "dress"}, "query_id: Field required; it has a user_query and is taken for a query"),
        ({"action_name": "click"}, "timestamp: Field required; it has an action_name and is taken for an event"),
        ({**QUERY, "query_attributes": {"positions": [1]}}, "line 2: query_attributes.positions are 1 for 2"),
        ({**CLICK, "timestamp": 5}, "line 2: timestamp: "),
    ],
)
def test_what_cannot_be_read_is_named_with_its_line(tmp_path: Path, line: object, reason: str) -> None:
    with pytest.raises(ShopLogError, match=reason):
        list(read_shop_log(written(tmp_path / "log.jsonl", PRODUCT, line)))


def test_a_mark_of_utf_8_at_the_beginning_is_passed_over(tmp_path: Path) -> None:
    path = written(tmp_path / "log.jsonl", PRODUCT)
    path.write_bytes(BOM_UTF8 + path.read_bytes())

    assert len(list(read_shop_log(path))) == 1


def test_the_sample_of_the_documentation_is_a_log(tmp_path: Path) -> None:
    document = Path(__file__).parents[3] / "docs" / "ranking.md"
    sample = document.read_text().partition("```json\n")[2].partition("```")[0]
    (tmp_path / "log.jsonl").write_text(sample)
    product, query, event = read_shop_log(tmp_path / "log.jsonl")

    assert isinstance(product, Product)
    assert isinstance(query, BehaviorQuery)
    assert isinstance(event, BehaviorEvent)
    assert (event.query_id, event.product_id) == (query.query_id, product.id)
    assert product.id in query.query_response_hit_ids


def test_a_file_that_is_cut_off_or_missing_is_said_to_be(tmp_path: Path) -> None:
    path = written(tmp_path / "log.jsonl.gz", PRODUCT)
    path.write_bytes(path.read_bytes()[:-10])

    with pytest.raises(ShopLogError, match="cannot read"):
        list(read_shop_log(path))
    with pytest.raises(ShopLogError, match="No such file"):
        list(read_shop_log(tmp_path / "none.jsonl"))


def test_what_is_done_comes_after_what_was_asked_before_it_wherever_it_stands(tmp_path: Path) -> None:
    later = QUERY | {"query_id": "q2", "timestamp": "2026-11-02T00:00:03Z"}
    changed = PRODUCT | {"title": "A redder dress"}
    events = list(read_shop_log(written(tmp_path / "log.jsonl", PRODUCT, CLICK, changed, QUERY, later)))
    product, click, product_then, query, query_then = events

    assert in_order_of_time(events) == [product, query, query_then, click, product_then]


def test_the_first_version_of_a_product_holds_from_the_start_where_it_was_shown_before(tmp_path: Path) -> None:
    changed, other = PRODUCT | {"title": "A redder dress"}, PRODUCT | {"id": "not shown"}
    events = list(read_shop_log(written(tmp_path / "log.jsonl", QUERY, other, PRODUCT, CLICK, changed)))
    query, unseen, product, click, product_then = events

    assert known_from_the_start(events) == [product, query, unseen, click, product_then]


def test_a_product_with_an_earlier_version_stays_where_it_stands(tmp_path: Path) -> None:
    events = list(read_shop_log(written(tmp_path / "log.jsonl", QUERY, CLICK, PRODUCT)))

    assert known_from_the_start(events, known={"p1"}) == events
    assert known_from_the_start([events[2], *events]) == [events[2], *events]
