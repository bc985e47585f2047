"""The page of `millrace evaluate compare`, opened from a file."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli.comparison_page import comparison_page
from cli.run_folder import StoredRun
from learning.qrels import Judgments
from learning.relevance import RelevanceOptions
from learning.run_comparison import compare_runs

PICTURE = "data:image/webp;base64,UklGRiQAAABXRUJQVlA4IBgAAAAwAQCdASoBAAEAAwA0JaQAA3AA/vuUAAA="
HOSTILE = "<img src=x onerror=document.title='broken-in'>"
JUDGMENTS = Judgments(
    {"1": {"a": 3}, "2": {"b": 3}, "3": {"c": 1}}, {"1": f"mouse {HOSTILE}", "2": "screen", "3": "desk"}
)
PRODUCTS = {name: {"title": f"{title} {HOSTILE}", "picture": PICTURE} for name, title in (("a", "A"), ("b", "Bee"))}


def stored(name: str, **orders: str) -> StoredRun:
    run = {query[1:]: [(product, 1.0) for product in order] for query, order in orders.items()}
    return StoredRun(name, run, JUDGMENTS, PRODUCTS, {"1": PICTURE}, ["drawn-clip@1"])


@pytest.fixture
def page(browser: Any, tmp_path: Path) -> Iterator[Any]:
    """The test fails when the page throws, breaks its policy, or asks anybody for anything."""
    before, after = stored("old", q1="xa", q2="bx", q3="cx"), stored("new", q1="ax", q2="xb", q3="cx")
    comparison = compare_runs(before.run, after.run, JUDGMENTS, RelevanceOptions(resamples=20))
    file = tmp_path / "page.html"
    file.write_text(comparison_page(comparison, before, after))
    context = browser.new_context()
    page = context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda message: wrong.append(message.text))
    page.on("request", lambda request: request.url.startswith(("file:", "data:")) or wrong.append(request.url))
    page.goto(file.as_uri())
    yield page
    assert page.title() == "old → new", "titles of products are text, not markup"
    context.close()
    assert wrong == []


def queries(page: Any) -> list[str]:
    return [title.split(" ")[0] for title in page.locator("details:visible h3").all_inner_texts()]


def test_gains_lead_and_losses_end(page: Any) -> None:
    assert queries(page) == ["mouse", "desk", "screen"]
    assert page.locator("details:visible .chip").all_inner_texts() == ["+0.369", "same list", "−0.369"]


def test_the_filter_finds_queries_and_products_and_the_buttons_their_kind(page: Any) -> None:
    page.fill("#filter", "bee")
    assert queries(page) == ["screen"]
    assert page.inner_text("#count") == "1 query"

    page.fill("#filter", "")
    page.click("[data-show=gain]")
    assert queries(page) == ["mouse"]
    page.click("[data-show='']")
    assert len(queries(page)) == 3


def test_a_bar_leads_to_its_query_and_all_can_be_opened(page: Any) -> None:
    assert page.locator("#q2[open]").count() == 0
    page.click(".strip a:nth-child(2)")
    assert page.locator("#q2[open]").count() == 1

    page.click("#open")
    page.click("#open")
    assert page.locator("details[open]").count() == 0
