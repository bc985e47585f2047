"""A misspelt search: what was searched for instead, and the way back."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.browser.conftest import playwright, search

pytestmark = pytest.mark.services


def test_a_misspelt_search_says_what_it_shows_and_offers_the_words_as_written(page: Any) -> None:
    search(page, "umbrela")
    shown = page.locator("#correction")
    playwright.expect(shown).to_have_text("Showing results for umbrella Search instead for “umbrela”")
    assert "umbrella" in page.inner_text("h3 >> nth=0")
    assert page.input_value("#words") == "umbrela"

    shown.get_by_role("link").click()
    playwright.expect(shown).to_be_hidden()
    assert parse_qs(urlsplit(page.url).query) == {"q": ["umbrela"], "as_words": ["umbrela"]}
    assert page.evaluate("document.activeElement.id") == "status"

    page.go_back()
    playwright.expect(shown).to_be_visible()


def test_what_is_spelt_right_is_not_spoken_of(page: Any) -> None:
    search(page, "red umbrella")
    playwright.expect(page.locator("#correction")).to_be_hidden()
