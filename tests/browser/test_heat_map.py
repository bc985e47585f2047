"""The storefront in a real browser: where in a product's picture the search matched."""

import re
from typing import Any

import pytest

from tests.browser.conftest import EVERYTHING, playwright, search

pytestmark = pytest.mark.services

expect = playwright.expect

_PAINTED = "map => map.getContext('2d').getImageData(0, 0, map.width, map.height).data.some(value => value > 0)"


def _open_why(page: Any) -> Any:
    card = page.locator(".card:has(img)").first
    card.locator("summary").click()
    return card


def test_the_heat_map_is_laid_over_the_picture_and_taken_off_again(page: Any) -> None:
    search(page, f"red {EVERYTHING}")
    card = _open_why(page)
    card.locator(".heat").click()
    heat = card.locator(".picture canvas")
    expect(heat).to_be_visible()
    expect(card.locator(".heat")).to_have_attribute("aria-pressed", "true")
    expect(heat).to_have_attribute("aria-label", re.compile("^Heat map: what matches most is (at|on|in) the "))
    assert heat.evaluate(_PAINTED)
    assert heat.bounding_box() == card.locator(".picture img").bounding_box()
    card.locator(".heat").click()
    expect(heat).to_be_hidden()
    card.locator(".heat").click()
    expect(heat).to_be_visible()


def test_what_the_server_refuses_is_told_on_the_button(page: Any) -> None:
    problem = {"title": "The picture model does not get through a heat map in time", "status": 503}
    page.route("**/heatmap?*", lambda route: route.fulfill(status=503, json=problem))
    search(page, "red")
    card = _open_why(page)
    card.locator(".heat").click()
    expect(card.locator(".heat")).to_have_text(problem["title"])
    expect(card.locator(".picture canvas")).to_have_count(0)


def test_a_list_of_similar_products_has_no_search_to_show(page: Any, url: str) -> None:
    page.goto(f"{url}/?similar=drawn-1-000004")
    _open_why(page)
    expect(page.locator(".heat")).to_have_count(0)
