"""The storefront in a real browser: searches, pictures, languages."""

import base64
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import EVERYTHING, HOSTILE, playwright, search

pytestmark = pytest.mark.services

SEND_FILE = """([data, kind]) => {
    const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
    const transfer = new DataTransfer();
    transfer.items.add(new File([bytes], "query.jpg", { type: "image/jpeg" }));
    const about = { bubbles: true, cancelable: true };
    document.body.dispatchEvent(kind === "paste"
        ? new ClipboardEvent("paste", { ...about, clipboardData: transfer })
        : new DragEvent("drop", { ...about, dataTransfer: transfer }));
}"""


def test_a_search_has_an_address_and_shows_cards_with_pictures(page: Any, url: str) -> None:
    search(page, f"{EVERYTHING} & red")
    assert page.url == f"{url}/?q=plain+striped+dotted+checked+%26+red"
    assert page.locator(".card").count() == 24
    assert "30 results" in page.inner_text("#status")
    assert "€" in page.locator(".price").first.inner_text()
    page.evaluate("document.querySelector('.card img').decode()")
    page.reload()
    page.wait_for_selector(".card")
    assert page.input_value("#words") == f"{EVERYTHING} & red"


def test_back_and_forward_bring_searches_back(page: Any) -> None:
    search(page, "watch")
    first = page.inner_text("h3 >> nth=0")
    search(page, "umbrella")
    page.go_back()
    playwright.expect(page.locator("h3").first).to_have_text(first)
    assert page.input_value("#words") == "watch"
    page.go_back()
    page.wait_for_selector("h1:visible")
    assert page.locator(".card").count() == 0


def test_what_a_shop_sends_stays_text(page: Any) -> None:
    search(page, "img src onerror umbrella")
    assert HOSTILE in page.locator("h3").all_inner_texts()
    assert page.locator("h3 img").count() == 0
    assert "broken-in" not in page.title()


def test_why_opens_by_keyboard_and_shows_each_leg(page: Any) -> None:
    search(page, "red striped")
    page.locator("summary").first.focus()
    page.keyboard.press("Enter")
    opened = page.locator("details[open]")
    assert opened.locator("dt").count() == 3
    assert "rank 1" in opened.inner_text()
    widths = opened.locator(".bar i").evaluate_all("bars => bars.map((bar) => parseFloat(bar.style.width))")
    assert sum(widths) == pytest.approx(100, abs=0.1)


def test_why_names_the_matching_words_and_the_title_marks_them(page: Any) -> None:
    search(page, "STRIPED umbrella of velvet")
    card = page.locator(".card", has=page.locator("h3 mark")).first
    words = {word.lower() for word in card.locator("h3 mark").all_inner_texts()}
    assert words
    assert words <= {"striped", "umbrella"}
    card.locator("summary").click()
    assert {word.lower() for word in card.locator("details mark").all_inner_texts()} == words
    assert "matching words: " in card.locator("details").inner_text()
    page.click("#language")
    card.locator("summary").click()
    assert "匹配词" in card.locator("details").inner_text()


@pytest.mark.parametrize("way", ["button", "drop", "paste"])
def test_a_picture_finds_itself_and_can_be_taken_away(page: Any, pictures: Path, way: str) -> None:
    picture = pictures / "drawn-1-000004.jpg"
    if way == "button":
        page.set_input_files("#file", picture)
    else:
        page.evaluate(SEND_FILE, [base64.b64encode(picture.read_bytes()).decode(), way])
    page.wait_for_selector("#results[aria-busy=false] .card")
    assert page.locator(".card img").first.get_attribute("src") == "/media/drawn-1-000004.jpg"
    page.click("#remove")
    page.wait_for_selector("h1:visible")
    assert not page.is_visible("#chosen")


def test_a_file_that_is_no_picture_and_a_server_that_is_away_are_told(page: Any) -> None:
    page.evaluate(SEND_FILE, [base64.b64encode(b"no picture").decode(), "drop"])
    page.wait_for_selector("#message:visible")
    assert "The picture cannot be read" in page.inner_text("#message")
    assert "no picture" not in page.inner_text("#message")
    page.context.set_offline(True)
    page.click("#again")
    page.wait_for_selector("text=The server does not answer")


def test_the_language_is_changed_and_kept(page: Any) -> None:
    page.click("#language")
    assert page.inner_text("#go") == "搜索"
    page.reload()
    assert page.get_attribute("html", "lang") == "zh-Hans"
    assert page.inner_text("#language") == "English"


def test_an_example_is_asearch(page: Any) -> None:
    page.click("text=蓝色波点雨伞")
    page.wait_for_selector("#results[aria-busy=false] .card")
    assert page.input_value("#words") == "蓝色波点雨伞"


def test_the_start_page_shows_products_of_different_kinds(page: Any) -> None:
    page.wait_for_selector(".tile")
    kinds = [title.split()[-1] for title in page.locator(".tile .title").all_inner_texts()]
    assert len(kinds) == 8
    assert len(set(kinds)) == 8
    assert "similar=drawn-1-" in (page.locator(".tile").first.get_attribute("href") or "")
