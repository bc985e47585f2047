"""RankLens as a shop's events."""

import json
from collections import Counter
from pathlib import Path

import pytest

from demo.ranklens import read_ranklens
from topics.behavior import BehaviorEvent, BehaviorQuery
from topics.events import Product
from topics.shop_log import ShopLogError

ITEM = {
    "event": "item",
    "id": "e1",
    "item": "7",
    "timestamp": "1636907100000",
    "fields": [
        {"name": "title", "value": "Heat"},
        {"name": "genres", "value": ["crime", "drama"]},
        {"name": "actors", "value": ["al pacino"]},
        {"name": "runtime", "value": 170.0},
    ],
}
RANKING = {
    "event": "ranking",
    "id": "r1",
    "timestamp": "1636993834000",
    "user": "u",
    "session": "u",
    "fields": [],
    "items": [{"id": "9", "fields": []}, {"id": "7", "fields": []}],
}
CLICK = {
    "event": "interaction",
    "id": "c1",
    "timestamp": "1636993839000",
    "user": "u",
    "session": "u",
    "type": "click",
    "item": "7",
    "ranking": "r1",
}


def log(folder: Path, *events: object) -> Path:
    path = folder / "events.jsonl"
    path.write_text("".join(json.dumps(event) + "\n" for event in events))
    return path


def test_items_rankings_and_clicks_are_products_queries_and_events(tmp_path: Path) -> None:
    product, query, click = read_ranklens(log(tmp_path, ITEM, RANKING, CLICK))

    assert isinstance(product, Product)
    assert (product.id, product.title, product.categories) == ("7", "Heat", ("crime", "drama"))
    assert product.attributes == {"actors": ["al pacino"], "runtime": 170.0}
    assert isinstance(query, BehaviorQuery)
    assert query.query_response_hit_ids == ("9", "7")
    assert isinstance(click, BehaviorEvent)
    assert (click.query_id, click.product_id, click.action_name) == ("r1", "7", "click")
    assert (click.timestamp - query.timestamp).total_seconds() == 5


@pytest.mark.parametrize("event", [{"event": "other"}, {**ITEM, "fields": []}, {**CLICK, "timestamp": "soon"}])
def test_what_is_no_event_of_it_is_named_with_its_line(tmp_path: Path, event: object) -> None:
    with pytest.raises(ShopLogError, match="line 2: no event of RankLens"):
        list(read_ranklens(log(tmp_path, ITEM, event)))


@pytest.mark.data
def test_the_whole_file_is_read(shared_data: Path) -> None:
    kinds = Counter(type(event) for event in read_ranklens(shared_data / "ranklens" / "events.jsonl.gz"))

    assert kinds == {Product: 2_512, BehaviorQuery: 8_382, BehaviorEvent: 39_245}
