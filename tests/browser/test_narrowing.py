"""The storefront in a real browser: choices, orders, pages, and what comes nearest."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.browser.conftest import EVERYTHING, playwright, search

pytestmark = pytest.mark.services

expect = playwright.expect
NARROW = {"width": 390, "height": 844}


def asked(page: Any) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


def choose(page: Any, group: str, value: str) -> None:
    page.get_by_role("group", name=group).get_by_role("checkbox", name=value).click()


def prices(page: Any) -> list[float]:
    return [float(text.removeprefix("€")) for text in page.locator("#results .price").all_inner_texts()]


def titles(page: Any) -> list[str]:
    found: list[str] = page.locator("#results h3").all_inner_texts()
    return found


def test_a_chosen_value_narrows_and_stands_above_the_results_and_in_the_address(page: Any) -> None:
    search(page, EVERYTHING)
    choose(page, "Brand", "Mirabeck")
    expect(page.locator("#status")).to_contain_text("3 results")
    expect(page.locator(".brand")).to_have_text(["Mirabeck"] * 3)
    expect(page.locator(".chip")).to_contain_text("Brand: Mirabeck")
    assert asked(page) == {"q": [EVERYTHING], "brand": ["Mirabeck"]}
    page.reload()
    expect(page.locator("#status")).to_contain_text("3 results")
    expect(page.get_by_role("checkbox", name="Mirabeck")).to_be_checked()


def test_several_values_of_a_field_are_alternatives_and_fields_add_up(page: Any) -> None:
    search(page, EVERYTHING)
    choose(page, "Brand", "Mirabeck")
    expect(page.locator("#status")).to_contain_text("3 results")
    choose(page, "Brand", "Dunloom")
    expect(page.locator("#status")).to_contain_text("6 results")
    choose(page, "Colour", "white")
    expect(page.locator("#results h3")).to_have_text(["Mirabeck white checked skirt"])
    page.get_by_role("button", name="Remove the filter Brand: Mirabeck").click()
    expect(page.locator("#message")).to_contain_text("No product fits all of these filters")
    page.get_by_role("button", name="Clear all").click()
    expect(page.locator("#status")).to_contain_text("30 results")
    assert asked(page) == {"q": [EVERYTHING]}


def test_counts_say_what_each_choice_finds(page: Any) -> None:
    search(page, EVERYTHING)
    count = page.get_by_role("group", name="Category").locator("label", has_text="Umbrellas").locator(".count")
    page.get_by_role("group", name="Category").get_by_role("button", name="more").click()
    expect(count).to_have_text("4")
    choose(page, "Category", "Umbrellas")
    expect(page.locator("#status")).to_contain_text("4 results")


def test_counts_that_may_be_higher_are_shown_as_such(page: Any) -> None:
    def inexact(route: Any) -> None:
        answer = route.fetch()
        content = answer.json()
        content["total"]["exact"] = False
        for facet in content["facets"]:
            facet["exact"] = False
        route.fulfill(response=answer, json=content)

    page.route("**/v1/search?*", inexact)
    search(page, EVERYTHING)
    expect(page.locator("#status")).to_contain_text("at least 30 results")
    expect(page.locator("label", has_text="Mirabeck").locator(".count")).to_have_text("3+")


def test_attributes_that_are_true_or_false_can_be_chosen(page: Any) -> None:
    search(page, EVERYTHING)
    choose(page, "Gift", "Yes")
    expect(page.locator("#status")).to_contain_text("10 results")
    assert asked(page)["filter"] == ["attributes.gift:true"]
    expect(page.locator(".chip")).to_contain_text("Gift: Yes")


def test_a_price_that_is_typed_stays_while_the_panel_is_made_anew(page: Any) -> None:
    search(page, EVERYTHING)
    page.get_by_label("Lowest price").fill("30")
    choose(page, "Gift", "Yes")
    page.wait_for_selector(".chip")
    expect(page.get_by_label("Lowest price")).to_have_value("30")
    page.get_by_label("Lowest price").press("Enter")
    page.wait_for_selector("text=Price: from 30")
    page.get_by_role("button", name="Remove the filter Price").click()
    expect(page.get_by_label("Lowest price")).to_have_value("")


def test_a_price_range_is_asked_for_and_taken_off(page: Any) -> None:
    search(page, EVERYTHING)
    least = page.get_by_label("Lowest price")
    expect(least).to_have_attribute("placeholder", "11.9")
    least.fill("30")
    page.get_by_label("Highest price").fill("60")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=Price: 30 to 60")
    assert asked(page)["price_min"] + asked(page)["price_max"] == ["30", "60"]
    assert prices(page)
    assert all(30 <= price <= 60 for price in prices(page))
    page.get_by_role("button", name="Remove the filter Price").click()
    expect(page.locator("#status")).to_contain_text("30 results")


def test_results_are_sorted_and_the_order_outlives_a_new_search(page: Any) -> None:
    search(page, EVERYTHING)
    page.select_option("#sort", label="Price: low to high")
    expect(page.locator("#results .price").first).to_have_text("€11.90")
    assert prices(page) == sorted(prices(page))
    page.select_option("#sort", label="Price: high to low")
    expect(page.locator("#results .price").first).to_have_text("€228.90")
    search(page, "umbrella striped checked dotted")
    assert asked(page)["sort"] == ["-price"]
    assert prices(page) == sorted(prices(page), reverse=True)


def test_a_phrase_that_became_a_filter_is_taken_off(page: Any) -> None:
    search(page, "umbrella under 30 euros")
    expect(page.locator("#results h3")).to_have_count(3)
    page.get_by_role("button", name="Search for the words “under 30 euros” instead").click()
    expect(page.locator(".chip")).to_have_count(0)
    assert asked(page) == {"q": ["umbrella under 30 euros"], "as_words": ["under 30 euros"]}
    expect(page.locator("#results h3", has_text="umbrella")).to_have_count(5)


@pytest.mark.parametrize("sort", ["", "price"])
def test_more_results_neither_repeat_nor_skip(page: Any, url: str, sort: str) -> None:
    page.goto(f"{url}/?q={EVERYTHING}&sort={sort}")
    expect(page.locator(".card")).to_have_count(24)
    page.click("#more")
    expect(page.locator(".card")).to_have_count(30)
    expect(page.locator("#more")).to_be_hidden()
    assert len(set(titles(page))) == 30
    expect(page.locator(".card").nth(24)).to_be_focused()
    page.reload()
    expect(page.locator(".card")).to_have_count(30)


def test_where_nothing_is_found_the_page_says_so(page: Any) -> None:
    search(page, "xyzzy")
    expect(page.get_by_role("status")).to_have_text("Nothing found for “xyzzy”. These come nearest:")
    expect(page.locator("#more")).to_be_hidden()
    expect(page.locator("#panel")).to_be_hidden()


def test_filters_that_exclude_each_other_are_explained_and_cleared(page: Any, url: str) -> None:
    page.goto(f"{url}/?q=umbrella under 30 euros&price_min=50")
    expect(page.locator("#notes")).to_contain_text("price cannot be at least 50 and at most 30 at once")
    page.get_by_role("button", name="Clear filters").click()
    page.wait_for_selector(".card")
    expect(page.locator(".chip")).to_have_count(0)


def test_a_filter_that_the_server_refuses_can_be_cleared(page: Any, url: str) -> None:
    page.goto(f"{url}/?q=umbrella&filter=colour")
    expect(page.locator("#message")).to_contain_text("'colour' is not of the form field:value")
    page.get_by_role("button", name="Clear filters").click()
    page.wait_for_selector(".card")
    assert asked(page) == {"q": ["umbrella"]}


def test_back_and_forward_restore_choices(page: Any) -> None:
    search(page, EVERYTHING)
    choose(page, "Brand", "Dunloom")
    expect(page.locator("#status")).to_contain_text("3 results")
    page.select_option("#sort", "price")
    page.wait_for_url("**sort=price")
    page.go_back()
    expect(page.locator("#sort")).to_have_value("")
    expect(page.locator(".chip")).to_have_count(1)
    page.go_back()
    expect(page.locator("#status")).to_contain_text("30 results")
    expect(page.get_by_role("checkbox", name="Dunloom")).not_to_be_checked()
    page.go_forward()
    expect(page.locator("#status")).to_contain_text("3 results")


def test_a_choice_keeps_the_focus_and_a_slash_leads_to_the_words(page: Any) -> None:
    search(page, EVERYTHING)
    box = page.get_by_role("checkbox", name="Mirabeck")
    box.focus()
    page.keyboard.press("Space")
    expect(page.locator(".chip")).to_have_count(1)
    expect(page.locator("#status")).to_contain_text("3 results")
    expect(box).to_be_focused()
    page.keyboard.press("/")
    expect(page.locator("#words")).to_be_focused()
    page.keyboard.press("End")
    page.keyboard.type("/")
    assert page.input_value("#words").endswith("/")


def test_on_a_narrow_screen_the_choices_open_over_the_page_and_escape_closes_them(page: Any) -> None:
    page.set_viewport_size(NARROW)
    search(page, EVERYTHING)
    expect(page.locator("#panel")).to_be_hidden()
    page.click("#open-panel")
    expect(page.locator("#close-panel")).to_be_focused()
    choose(page, "Brand", "Mirabeck")
    expect(page.locator("#show-results")).to_have_text("Show 3 results")
    page.keyboard.press("Escape")
    expect(page.locator("#panel")).to_be_hidden()
    expect(page.locator("#open-panel")).to_be_focused()
    expect(page.locator("#open-panel")).to_contain_text("1")


def test_a_picture_can_be_narrowed_as_well(page: Any, pictures: Any) -> None:
    page.set_input_files("#file", pictures / "drawn-1-000004.jpg")
    choose(page, "Category", "Umbrellas")
    expect(page.locator("#status")).to_contain_text("4 results")
    expect(page.locator("#chosen")).to_be_visible()
    page.go_back()
    expect(page.locator("#status")).to_contain_text("30 results")


def test_another_language_shows_choices_without_asking_again(page: Any) -> None:
    search(page, EVERYTHING)
    choose(page, "Availability", "Out of stock")
    expect(page.locator("#status")).to_contain_text("1 result")
    page.click("#language")
    expect(page.locator("#status")).to_contain_text("共 1 个结果")
    expect(page.locator(".chip")).to_contain_text("库存: 缺货")
    expect(page.get_by_role("group", name="分类")).to_be_visible()
    expect(page.locator("#sort option").first).to_have_text("综合")
