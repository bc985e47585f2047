"""The storefront in a real browser: products like a given one."""

from typing import Any
from urllib.parse import quote

import pytest

from tests.browser.conftest import EVERYTHING, playwright, search

pytestmark = pytest.mark.services

expect = playwright.expect


def test_similar_products_are_a_page_of_their_own_that_back_leaves(page: Any, url: str) -> None:
    search(page, EVERYTHING)
    page.click("#more")
    expect(page.locator(".card")).to_have_count(30)
    last = page.locator(".card").last
    title = last.locator("h3").inner_text()
    last.locator(".similar").click()
    expect(page.locator("#subject h2")).to_have_text(f"Similar to {title}")
    expect(page.locator("#results[aria-busy=false] .card")).to_have_count(12)
    assert title not in page.locator("#results h3").all_inner_texts()
    assert page.url.startswith(f"{url}/?similar=drawn-1-0000")
    assert page.title() == f"Similar to {title} · Millrace"
    for part in ("#panel", "#sorting", "#more", ".chip"):
        expect(page.locator(part)).to_be_hidden()
    page.go_back()
    expect(page.locator(".card")).to_have_count(30)
    expect(page.locator("#subject")).to_be_hidden()
    expect(page.locator(".card").last).to_be_in_viewport()


def test_a_link_to_similar_products_works_and_a_search_leaves_them(page: Any, url: str) -> None:
    page.goto(f"{url}/?similar=drawn-1-000004")
    expect(page.locator("#subject h2")).to_have_text("Similar to Kestrane white striped umbrella")
    expect(page.locator("#subject .price")).to_have_text("€20.90")
    search(page, "mug")
    expect(page.locator("#subject")).to_be_hidden()
    assert page.url == f"{url}/?q=mug"


def test_a_product_that_is_not_there_is_told(page: Any, url: str) -> None:
    page.goto(f"{url}/?similar={quote('no/such?one', safe='')}")
    expect(page.locator("#message")).to_contain_text("no product 'no/such?one' is in the index")
