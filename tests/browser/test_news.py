"""The notice of what has just become searchable."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from serving.announcements import Announcements
from tests.browser.conftest import EVERYTHING, playwright, search

pytestmark = pytest.mark.services


def announce(page: Any, announcements: Announcements, *product_ids: str, outcome: str = "indexed") -> None:
    """Once the page listens."""
    while not announcements.has_subscribers:
        page.wait_for_timeout(20)
    announcements.announce(
        [
            json.dumps(
                {
                    "product_id": product_id,
                    "outcome": outcome,
                    "title": f"<b>Product {product_id}</b>",
                    "language": "en",
                    "image": None,
                    "seconds": 0.31,
                }
            ).encode()
            for product_id in product_ids
        ]
    )


def some_id(page: Any, url: str) -> str:
    found = page.request.get(f"{url}/v1/search?q={EVERYTHING}&limit=1").json()
    return str(found["results"][0]["product"]["id"])


def test_a_new_product_is_told_and_opens_what_is_like_it(page: Any, url: str, announcements: Announcements) -> None:
    product_id = some_id(page, url)
    announce(page, announcements, product_id)
    text = page.locator("#news-text")
    playwright.expect(text).to_contain_text(f"New or changed: <b>Product {product_id}</b>")
    playwright.expect(text).to_contain_text("searchable after 0.31 s")
    assert text.get_attribute("aria-live") == "polite"
    assert not page.is_visible("#show-news")
    page.click("#news-text a")
    page.wait_for_selector("#subject:visible")
    playwright.expect(text).to_be_empty()


def test_a_burst_is_one_notice_and_moves_nothing(page: Any, url: str, announcements: Announcements) -> None:
    search(page, EVERYTHING)
    product_id = some_id(page, url)
    before = page.locator(".card").first.bounding_box()
    announce(page, announcements, *(f"other-{number}" for number in range(30)), product_id)
    playwright.expect(page.locator("#news-text")).to_contain_text("31 products are new or changed, such as")
    playwright.expect(page.locator("#news-text")).to_contain_text("1 of them fits your search.")
    assert page.locator(".card").first.bounding_box() == before
    page.evaluate("document.querySelector('.card').dataset.old = '1'")
    page.click("#show-news")
    playwright.expect(page.locator(".card").first).not_to_have_attribute("data-old", "1")
    assert page.evaluate("document.activeElement.id") == "status"


def test_prices_are_no_news_and_news_can_be_ended(page: Any, announcements: Announcements) -> None:
    announce(page, announcements, "cheaper", outcome="attributes_updated")
    announce(page, announcements, "new")
    playwright.expect(page.locator("#news-text")).to_contain_text("New or changed: <b>Product new</b>")
    page.click("#close-news")
    playwright.expect(page.locator("#news-text")).to_be_empty()
    while announcements.has_subscribers:
        page.wait_for_timeout(20)


@contextmanager
def notice_being_made(page: Any, announcements: Announcements, product_id: str) -> Iterator[None]:
    """Within, the page waits to hear how many new products fit its search; behind, it has heard."""
    waiting: list[Any] = []
    page.clock.install()
    page.route("**/v1/search?*filter=id*", lambda route: waiting.append(route))
    announce(page, announcements, product_id)
    with page.expect_request("**/v1/search?*filter=id*"):
        page.clock.run_for(2_000)
    yield
    with page.expect_response("**/v1/search?*filter=id*"):
        waiting[0].continue_()
    page.evaluate("new Promise((done) => requestAnimationFrame(done))")


def test_a_notice_does_not_come_after_the_end_of_news(page: Any, url: str, announcements: Announcements) -> None:
    search(page, EVERYTHING)
    with notice_being_made(page, announcements, some_id(page, url)):
        page.evaluate("document.querySelector('#close-news').click()")
    playwright.expect(page.locator("#news-text")).to_be_empty()


def test_a_notice_does_not_count_for_another_search(page: Any, url: str, announcements: Announcements) -> None:
    search(page, EVERYTHING)
    with notice_being_made(page, announcements, some_id(page, url)):
        search(page, "dotted umbrella")
    playwright.expect(page.locator("#news-text")).to_contain_text("searchable after 0.31 s")
    assert not page.is_visible("#show-news")


HEARD_OF_THE_REFUSAL = """
    window.refused = new Promise((heard) => {
      window.EventSource = class extends EventSource {
        constructor(url) { super(url); this.addEventListener("error", () => heard(true)); }
      };
    });
"""


def test_a_refused_stream_is_tried_again_a_minute_later(page: Any, announcements: Announcements) -> None:
    page.clock.install()
    page.add_init_script(HEARD_OF_THE_REFUSAL)
    page.route("**/v1/indexed-products", lambda route: route.fulfill(status=503, body="{}"))
    page.reload()
    assert page.evaluate("window.refused")
    page.unroute("**/v1/indexed-products")
    with page.expect_request("**/v1/indexed-products"):
        page.clock.run_for(61_000)


def test_the_notice_speaks_the_language_of_the_page(page: Any, announcements: Announcements) -> None:
    page.click("#language")
    announce(page, announcements, "new")
    playwright.expect(page.locator("#news-text")).to_contain_text("新上架或有更新：")
    page.locator("#news").get_by_role("link").wait_for()
