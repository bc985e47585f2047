"""What shoppers turn to now: told by the page, and shown on it."""

from datetime import timedelta
from typing import Any

import pytest

from ranking.trending import Trending
from tests.browser.conftest import NOW, search, tells
from topics.behavior import BehaviorEvent

pytestmark = pytest.mark.services


def test_a_click_is_told_to_the_shop(page: Any) -> None:
    search(page, "dotted umbrella")
    card = page.locator(".card").nth(1)
    product = card.locator("a.similar").get_attribute("data-product")
    with page.expect_response(lambda response: tells("click")(response.request)) as told:
        card.locator("a.similar").click()
    assert told.value.status == 202
    event = told.value.request.post_data_json
    assert event["action_name"] == "click"
    assert event["event_attributes"]["object"]["object_id"] == product
    assert event["event_attributes"]["position"]["ordinal"] == 2
    assert len(event["query_id"]) == 36
    assert len(event["session_id"]) == 32


def test_the_start_page_shows_what_trends(page: Any, url: str, trending: Trending) -> None:
    assert page.locator("#trending").is_hidden()
    for product, most in (("drawn-1-000003", 2), ("drawn-1-000005", 4)):
        for number in range(most):
            document = {
                "action_name": "click",
                "timestamp": NOW - timedelta(hours=number),
                "session_id": f"s{number}",
                "event_attributes": {"object": {"object_id": product}},
            }
            trending.count(BehaviorEvent.model_validate(document), NOW)
    page.goto("about:blank")  # what was asked so far is answered no more
    with page.expect_response("**/v1/trending*") as answered:
        page.goto(url)
    shown = answered.value.json()
    tiles = page.locator("#trends .tile")
    tiles.first.wait_for()
    assert [tile.get_attribute("data-product") for tile in tiles.all()] == ["drawn-1-000005", "drawn-1-000003"]
    assert tiles.first.bounding_box()["width"] < 200, "two tiles are as wide as each of eight"
    assert page.locator("#trending h2").inner_text() == "Trending now"
    with page.expect_request(tells("click")) as told:
        tiles.first.click()
    assert told.value.post_data_json["query_id"] == shown["query_id"]
    page.wait_for_url("**similar=drawn-1-000005*")


def test_a_click_is_told_where_storage_is_switched_off(page: Any) -> None:
    page.add_init_script(
        "Object.defineProperty(window, 'sessionStorage', { get() { throw new DOMException('off', 'SecurityError'); } })"
    )
    page.reload()
    search(page, "dotted umbrella")
    sessions = []
    for _ in range(2):
        with page.expect_request(tells("click")) as told:
            page.locator("a.similar").first.click()
        sessions.append(told.value.post_data_json["session_id"])
        page.wait_for_selector("#results[aria-busy=false] .card")
    assert len(sessions[0]) == 32
    assert sessions[0] == sessions[1]
