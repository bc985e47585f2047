"""What the page says of an answer beside its results."""

from typing import Any

import pytest

from tests.browser.conftest import playwright, search

pytestmark = pytest.mark.services

expect = playwright.expect


def test_what_concerns_a_shopper_is_said_in_the_pages_language(page: Any, url: str) -> None:
    page.goto(f"{url}/?q=🎉")
    notes = page.locator("#notes li")
    expect(notes).to_have_text(
        ["Your search has no words to look up: what comes near in meaning or by picture is shown."]
    )
    page.click("#language")
    expect(notes).to_have_text(["您的搜索中没有可查找的词，已按含义或图片显示相近的商品。"])


def test_filters_that_exclude_each_other_are_explained_in_chinese_too(page: Any, url: str) -> None:
    page.goto(f"{url}/?q=umbrella under 30 euros&price_min=50")
    page.click("#language")
    expect(page.locator("#notes li")).to_have_text(["有些筛选条件互相矛盾，没有商品能同时符合。"])


def test_what_concerns_whoever_runs_the_shop_alone_is_not_said(page: Any) -> None:
    notes = {"text_left_out": "text was left out: model@1 was not trained on this text's script", "of_later": "new"}

    def answer(route: Any) -> None:
        said = route.fetch()
        route.fulfill(response=said, json=said.json() | {"notes": [*notes.values()], "note_codes": [*notes]})

    page.route("**/v1/search*", answer)
    search(page, "dotted umbrella")
    expect(page.locator("#notes li")).to_have_count(0)


def test_what_stands_behind_the_others_says_why(page: Any) -> None:
    def answer(route: Any) -> None:
        said = route.fetch()
        content = said.json()
        content["results"][-1]["behind"] = "out_of_stock"
        route.fulfill(response=said, json=content)

    page.route("**/v1/search*", answer)
    search(page, "dotted umbrella")
    why = page.locator(".card").last
    why.locator("summary").click()
    expect(why.locator(".behind")).to_have_text("Out of stock: it comes after the others, whatever its score.")
    expect(page.locator(".behind")).to_have_count(1)
    page.click("#language")
    expect(page.locator(".card").last.locator(".behind")).to_contain_text("缺货：")


def test_a_leg_that_did_not_find_a_product_is_told_from_one_that_counts_it_as_its_last(page: Any) -> None:
    def answer(route: Any) -> None:
        said = route.fetch()
        content = said.json()
        if explanation := content["results"][0].get("explanation"):
            del explanation["text"]
            explanation["image"] = {"rank": None, "score": None, "contribution": 0.171}
        route.fulfill(response=said, json=content)

    page.route("**/v1/search*", answer)
    search(page, "dotted umbrella")
    why = page.locator(".card").first
    why.locator("summary").click()
    figures = why.locator(".figures")
    expect(figures.filter(has_text="not among its best: counts as the last · +0.171")).to_have_count(1)
    expect(figures.filter(has_text="did not find it")).to_have_count(1)
