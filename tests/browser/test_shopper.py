"""What the page tells of its shopper, and how it stops."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import orjson
import pytest

from feedback.memory_store import MemoryStore
from feedback.settings import ProfileSettings
from feedback.updating import ProfileUpdater
from ranking.trending import Trending
from serving.pseudonyms import Pseudonyms
from serving.settings import ServerSettings
from tests.browser.conftest import EVERYTHING, NOW, playwright, search, tells, write_learnt
from topics.behavior import BehaviorEvent
from topics.catalogue import BEHAVIOR_EVENTS, BEHAVIOR_QUERIES
from topics.feedback import JoinedList, ListAction, ShownProduct
from topics.reader import TopicReader
from topics.settings import KafkaSettings

pytestmark = pytest.mark.services

expect = playwright.expect


@pytest.fixture
def told(page: Any) -> list[dict[str, Any]]:
    """Events that the page has sent, each held against the model."""
    events: list[dict[str, Any]] = []

    def hear(request: Any) -> None:
        if request.url.endswith("/v1/events") and request.post_data is not None:
            sent = orjson.loads(request.post_data)
            events.extend(sent if isinstance(sent, list) else [sent])

    page.on("request", hear)
    return events


@pytest.fixture
def arrived(kafka: KafkaSettings) -> Iterator[Callable[..., list[dict[str, Any]]]]:
    """Records of a topic until `enough` holds of them."""
    with TopicReader(kafka, [BEHAVIOR_EVENTS, BEHAVIOR_QUERIES]) as reader:
        came: dict[str, list[dict[str, Any]]] = {BEHAVIOR_EVENTS: [], BEHAVIOR_QUERIES: []}

        def take(topic: str, enough: Callable[[list[dict[str, Any]]], object]) -> list[dict[str, Any]]:
            for _ in range(75):
                for record in reader.read(0.2):
                    came[record.topic].append(orjson.loads(record.value or b""))
                if enough(came[topic]):
                    return came[topic]
            raise AssertionError(f"not enough came on {topic}")

        yield take


# A browser tells that something has opened a moment later: the page has to have heard of it before its clock runs.
OPEN_AND_HEAR = """summary => new Promise((heard) => {
    summary.parentElement.addEventListener("toggle", () => heard(), { once: true });
    summary.click();
})"""


def later(page: Any, until: Callable[[], object]) -> None:
    """Lets the page's own clock run."""
    for _ in range(60):
        if until():
            return
        page.clock.run_for(1_000)
        page.evaluate("1")  # what was asked meanwhile is heard of
    raise AssertionError("it did not happen within a minute of the page")


def names(request: Any, name: str) -> bool:
    return name in request.url + (request.post_data or "")


@contextmanager
def unanswered(page: Any, pattern: str, name: str = "") -> Iterator[None]:
    """The page waits in vain for what it asks of these addresses, for this name alone where one is given."""
    held: list[Any] = []
    page.route(pattern, lambda route: held.append(route) if names(route.request, name) else route.fallback())
    try:
        yield
    finally:
        for route in held:
            route.abort()
        page.unroute(pattern)


def test_what_was_seen_is_told_once_with_its_answer_and_its_place(page: Any, told: list[dict[str, Any]]) -> None:
    page.clock.install()
    page.route("**/v1/rank", lambda route: route.abort())  # the start page's own goods would be seen, too
    page.reload()
    with page.expect_response("**/v1/search*track=true*") as answered:
        search(page, EVERYTHING)
    answer = answered.value.json()
    later(page, lambda: told)
    page.locator("#language").click()  # the cards are made anew
    page.clock.run_for(20_000)
    assert {event["action_name"] for event in told} == {"impression"}
    places = {event["event_attributes"]["position"]["ordinal"] for event in told}
    assert len(places) == len(told) < 24, "those below the fold were not seen"
    shown = {result["position"]: result["product"]["id"] for result in answer["results"]}
    for event in told:
        taken = BehaviorEvent.model_validate(event)
        assert taken.product_id == shown[event["event_attributes"]["position"]["ordinal"]]
        assert taken.query_id == answer["query_id"]
        assert len(event["client_id"]) == len(event["session_id"]) == 32
    assert len({event["event_id"] for event in told}) == len(told)


def test_more_results_are_an_answer_of_their_own(page: Any, told: list[dict[str, Any]]) -> None:
    search(page, EVERYTHING)
    with page.expect_response("**/v1/search*offset=24*") as answered:
        page.click("#more")
    expect(page.locator(".card")).to_have_count(30)
    page.locator("a.similar").last.click()
    expect(page.locator("#subject h2")).to_be_visible()
    (click,) = told
    assert click["query_id"] == answered.value.json()["query_id"]
    assert click["event_attributes"]["position"]["ordinal"] == 30


@pytest.mark.parametrize("part", [".picture", "h3", "a.similar"])
def test_picture_title_and_link_of_a_card_open_the_same_and_tell_one_click(
    page: Any, told: list[dict[str, Any]], part: str
) -> None:
    search(page, "dotted umbrella")
    card = page.locator(".card").nth(1)
    title, product = card.locator("h3").inner_text(), card.locator("a.similar").get_attribute("data-product")
    card.locator(part).click()
    expect(page.locator("#subject h2")).to_have_text(f"Similar to {title}")
    with page.expect_request(tells("add_to_cart")):  # after any further click
        page.locator("button.put").first.click()
    (click,) = [event for event in told if event["action_name"] == "click"]
    assert click["event_attributes"]["object"]["object_id"] == product
    assert click["event_attributes"]["position"] == {"ordinal": 2}


def test_keys_come_by_one_link_a_card(page: Any) -> None:
    search(page, "dotted umbrella")
    links = page.locator(".card").first.locator("a")
    assert links.evaluate_all("all => all.filter(one => one.tabIndex >= 0).map(one => one.className)") == ["similar"]


def test_how_long_a_product_was_looked_at_is_told_when_the_page_is_left(
    page: Any, arrived: Any, server: ServerSettings
) -> None:
    shopper = Pseudonyms(server.pseudonym_key.get_secret_value()).of(page.evaluate("localStorage.getItem('client')"))
    page.clock.install()
    page.reload()
    search(page, "dotted umbrella")
    link = page.locator("a.similar").nth(1)
    product = link.get_attribute("data-product")
    link.click()
    page.wait_for_selector("#results[aria-busy=false] .card")
    page.clock.run_for(5_000)
    page.goto("about:blank")  # its beacon goes all the same

    def dwells(came: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [event for event in came if event["action_name"] == "dwell" and event["client_id"] == shopper]

    (dwell,) = dwells(arrived(BEHAVIOR_EVENTS, dwells))
    assert dwell["event_attributes"]["object"]["object_id"] == product
    assert 5 <= dwell["event_attributes"]["dwell_seconds"] < 60
    assert dwell["event_attributes"]["position"] == {"ordinal": 2}


def test_why_is_a_stay_too(page: Any, told: list[dict[str, Any]]) -> None:
    page.clock.install()
    page.reload()
    search(page, "dotted umbrella")
    why = page.locator(".card").first.locator("summary")
    why.evaluate(OPEN_AND_HEAR)
    page.clock.run_for(3_000)
    why.click()
    later(page, lambda: [event for event in told if event["action_name"] == "dwell"])
    (dwell,) = [event for event in told if event["action_name"] == "dwell"]
    assert dwell["event_attributes"]["dwell_seconds"] >= 3


def test_what_was_put_into_the_cart_is_bought(page: Any, told: list[dict[str, Any]]) -> None:
    search(page, "dotted umbrella")
    cards = page.locator(".card")
    titles = [cards.nth(place).locator("h3").inner_text() for place in (0, 2)]
    for place in (0, 2):
        cards.nth(place).locator("button.put").click()
    expect(page.locator("#cart-count")).to_have_text("2")
    page.reload()
    page.click("#open-cart")
    expect(page.locator("#cart-items li > span:first-child")).to_have_text(titles)
    page.click("#buy")
    expect(page.locator("#cart-said")).to_contain_text("Bought")
    expect(page.locator("#cart-count")).to_be_empty()
    page.keyboard.press("Escape")
    expect(page.locator("#cart")).to_be_hidden()
    done = [
        (event["action_name"], event["event_attributes"]["position"]["ordinal"])
        for event in told
        if event["action_name"] != "impression"
    ]
    assert done == [("add_to_cart", 1), ("add_to_cart", 3), ("purchase", 1), ("purchase", 3)]
    assert len({event["query_id"] for event in told}) == 1
    assert len({event["event_id"] for event in told}) == len(told)


def test_what_could_not_be_sent_is_sent_again_as_the_same_event(page: Any, told: list[dict[str, Any]]) -> None:
    search(page, "dotted umbrella")
    page.route("**/v1/events", lambda route: route.abort())
    with page.expect_event("requestfailed", tells("add_to_cart")):
        page.locator("button.put").first.click()
    page.unroute("**/v1/events")
    with page.expect_response(lambda response: tells("add_to_cart")(response.request)) as answered:
        page.evaluate("setInterval(() => dispatchEvent(new Event('online')), 20)")  # it may not have heard of it yet
    assert answered.value.status == 202
    first, again = (event for event in told if event["action_name"] == "add_to_cart")
    assert first == again


def test_a_search_names_the_same_shopper_as_its_events(page: Any, arrived: Any, server: ServerSettings) -> None:
    search(page, "red boots")
    shopper = Pseudonyms(server.pseudonym_key.get_secret_value()).of(page.evaluate("localStorage.getItem('client')"))
    page.locator("a.similar").first.click()

    def clicks(came: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [event for event in came if event["action_name"] == "click" and event["client_id"] == shopper]

    click = clicks(arrived(BEHAVIOR_EVENTS, clicks))[-1]

    def is_there(came: list[dict[str, Any]]) -> bool:
        return any(query["query_id"] == click["query_id"] for query in came)

    queries = arrived(BEHAVIOR_QUERIES, is_there)
    (query,) = [query for query in queries if query["query_id"] == click["query_id"]]
    assert (query["client_id"], query["session_id"]) == (click["client_id"], click["session_id"])
    assert query["user_query"] == "red boots"
    asked = [query["user_query"] for query in queries]
    assert asked.count("red boots") == 1, "counting choices is no search of the shopper's"


@pytest.mark.parametrize(
    ("status", "said"), [(202, "The shop forgets what it knew of you"), (401, "The shop did not take the request")]
)
def test_who_wants_to_be_forgotten_gets_a_new_name(
    page: Any, told: list[dict[str, Any]], status: int, said: str
) -> None:
    page.route("**/v1/users/*", lambda route: route.fulfill(status=status, json={}))
    search(page, "dotted umbrella")
    with page.expect_request(tells("add_to_cart")):
        page.locator("button.put").first.click()
    with page.expect_request("**/v1/users/*") as asked:
        page.click("#forget")
    expect(page.locator("#forgotten")).to_contain_text(said)
    expect(page.locator("#cart-count")).to_be_empty()
    with page.expect_request(tells("add_to_cart")):
        page.locator("button.put").first.click()
    old, new = (event["client_id"] for event in told if event["action_name"] == "add_to_cart")
    assert asked.value.method == "DELETE"
    assert asked.value.url.endswith(f"/v1/users/{old}")
    assert new != old


def test_the_start_page_tells_what_it_shows_and_nothing_else(page: Any, server: ServerSettings, arrived: Any) -> None:
    shopper = Pseudonyms(server.pseudonym_key.get_secret_value()).of(page.evaluate("localStorage.getItem('client')"))
    with page.expect_response("**/recommendations*"):
        page.reload()
    tiles = page.locator("#goods .tile")
    expect(tiles.first).to_be_visible()
    expect(page.locator("#for-you")).to_be_hidden()
    goods = [tile.get_attribute("data-product") for tile in tiles.all()]
    with page.expect_request(tells("click")) as told:
        tiles.nth(1).click()
    click = told.value.post_data_json
    assert click["event_attributes"]["object"]["object_id"] == goods[1]
    assert click["event_attributes"]["position"] == {"ordinal": 2}

    def is_there(came: list[dict[str, Any]]) -> bool:
        return any(query["query_id"] == click["query_id"] for query in came)

    queries = [query for query in arrived(BEHAVIOR_QUERIES, is_there) if query["client_id"] == shopper]
    (shown,) = [query for query in queries if query["query_id"] == click["query_id"]]
    assert shown["query_response_hit_ids"] == goods
    assert "recommendations" not in [query["query_attributes"]["kind"] for query in queries]


def like(store: MemoryStore, page: Any, server: ServerSettings) -> None:
    """The page's shopper has clicked the third of ten products."""
    shopper = Pseudonyms(server.pseudonym_key.get_secret_value()).of(page.evaluate("localStorage.getItem('client')"))
    shown = tuple(ShownProduct(product_id=f"drawn-1-{number:06}", position=number) for number in range(1, 11))
    at = NOW.timestamp() - 60
    click = ListAction(event_id="e", action="click", product_id="drawn-1-000003", at=at + 1)
    clicked = JoinedList(query_id="q", revision=2, shopper=shopper, at=at, shown=shown, actions=(click,))
    ProfileUpdater(store, ProfileSettings(), NOW.timestamp).apply([clicked])


def test_the_start_page_shows_what_fits_the_shopper(page: Any, store: MemoryStore, server: ServerSettings) -> None:
    expect(page.locator("#goods .tile").first).to_be_visible()
    expect(page.locator("#for-you")).to_be_hidden()
    like(store, page, server)
    page.reload()
    tiles = page.locator("#for-you-goods .tile")
    expect(tiles).to_have_count(8)
    assert "drawn-1-000003" not in [tile.get_attribute("data-product") for tile in tiles.all()]
    with page.expect_request(tells("click")) as told:
        tiles.first.click()
    assert told.value.post_data_json["event_attributes"]["position"] == {"ordinal": 1}
    search(page, EVERYTHING)
    expect(page.locator(".personal").filter(has_text="your brands +").first).to_be_attached()


def test_why_a_product_is_here_says_what_moved_it_and_what_it_comes_to(page: Any) -> None:
    parts = {
        "score": (0.9, 0.5),
        "position": (0.0, 0.0),
        "brand_affinity": (0.0, 0.6),
        "lift": (0.1, -0.1),
        "place": (1, 1),
    }

    def answer(route: Any) -> None:
        said = route.fetch()
        content = said.json()
        content["results"] = content["results"][:2]
        for number, result in enumerate(content["results"]):
            own = {name: values[number] for name, values in parts.items()}
            result["reranking"] = {"score": sum(own.values()), "from_position": 2 - number, "parts": own}
        route.fulfill(response=said, json=content)

    page.route("**/v1/search*", answer)
    search(page, "dotted umbrella")
    why = page.locator(".personal").nth(1)
    expect(why.locator("li")).to_have_text(["your brands +0.300", "more clicks than others −0.100"])
    expect(why).to_contain_text("By the search alone it would stand at place 1, not 2.")
    expect(why).to_contain_text("the search −0.200, all else +0.200, together +0.000.")
    page.click("#language")
    expect(why).to_contain_text("搜索 −0.200，其他 +0.200，合计 +0.000。")


@pytest.fixture(params=["this tab", "another tab"])
def pressed(request: pytest.FixtureRequest, page: Any, url: str) -> Any:
    """The tab in which "Forget me" is pressed, for a shop that erases."""
    page.context.route("**/v1/users/*", lambda route: route.fulfill(status=202, json={}))
    return page if request.param == "this tab" else another_tab(page, url)


def another_tab(page: Any, url: str) -> Any:
    other = page.context.new_page()
    other.set_default_timeout(15_000)
    other.goto(url)
    expect(other.locator("#goods .tile").first).to_be_visible()
    page.bring_to_front()  # what is not drawn is not seen
    return other


def test_who_is_forgotten_sees_nothing_that_was_chosen_for_the_old_name(
    page: Any, pressed: Any, store: MemoryStore, server: ServerSettings
) -> None:
    like(store, page, server)
    page.reload()
    expect(page.locator("#for-you-goods .tile")).to_have_count(8)
    pressed.click("#forget")
    expect(pressed.locator("#forgotten")).to_contain_text("The shop forgets what it knew of you")
    expect(page.locator("#for-you")).to_be_hidden()
    expect(page.locator("#goods .tile").first).to_be_visible()
    like(store, page, server)
    search(page, EVERYTHING)
    expect(page.locator(".personal").filter(has_text="your brands +").first).to_be_attached()
    with page.expect_response("**/v1/search*track=true*") as answered:
        pressed.click("#forget")
    assert answered.value.ok
    expect(page.locator(".personal").filter(has_text="your brands +")).to_have_count(0)


@pytest.mark.parametrize("asked", ["users/*/recommendations?*", "trending?*", "search?*interpret=false*", "rank"])
def test_what_was_asked_for_the_old_name_is_not_waited_for(page: Any, pressed: Any, url: str, asked: str) -> None:
    old = page.evaluate("localStorage.getItem('client')")
    page.goto("about:blank")  # what was asked so far comes no more
    with unanswered(page, f"**/v1/{asked}", old):
        with page.expect_request(f"**/v1/{asked}") as waiting:
            page.goto(url)
        with page.expect_event("requestfailed", lambda request: request == waiting.value, timeout=5_000):
            pressed.click("#forget")
        expect(page.locator("#goods .tile").first).to_be_visible()
        expect(page.locator("#for-you")).to_be_hidden()


def test_what_trended_for_the_old_name_is_not_left_for_the_new_one(page: Any, pressed: Any, trending: Trending) -> None:
    document = {
        "action_name": "click",
        "timestamp": NOW,
        "session_id": "s",
        "event_attributes": {"object": {"object_id": "drawn-1-000003"}},
    }
    trending.count(BehaviorEvent.model_validate(document), NOW)
    page.reload()
    expect(page.locator("#trends .tile")).to_have_count(1)
    with unanswered(page, "**/v1/trending?*"):
        with page.expect_request("**/v1/trending?*"):
            pressed.click("#forget")
        expect(page.locator("#trends .tile")).to_have_count(0)
        expect(page.locator("#trending")).to_be_hidden()


def test_what_the_old_name_was_shown_is_not_told_under_the_new_one(
    page: Any, pressed: Any, told: list[dict[str, Any]]
) -> None:
    page.clock.install()
    page.reload()
    search(page, "dotted umbrella")
    page.locator("a.similar").nth(1).click()
    page.wait_for_selector("#results[aria-busy=false] .card")
    page.clock.run_for(3_000)
    old = page.evaluate("localStorage.getItem('client')")
    with unanswered(page, "**/similar?*"):
        pressed.click("#forget")
        expect(page.locator(".card")).to_have_count(0)
        page.click(".home")
    later(page, lambda: [event for event in told if event["client_id"] != old])
    queries = {event["query_id"] for event in told if event["client_id"] == old}
    assert queries
    assert [event["action_name"] for event in told if event["client_id"] != old and event["query_id"] in queries] == []


def test_what_did_not_arrive_is_not_sent_again_under_a_forgotten_name(
    page: Any, pressed: Any, told: list[dict[str, Any]]
) -> None:
    page.clock.install()
    page.reload()
    search(page, "dotted umbrella")
    old = page.evaluate("localStorage.getItem('client')")
    with unanswered(page, "**/v1/events"):
        with page.expect_request(tells("click")):
            page.locator("a.similar").nth(1).click()
        page.wait_for_selector("#results[aria-busy=false] .card")
        with page.expect_request("**/similar?*"):
            pressed.click("#forget")
    said = len(told)
    page.click(".home")
    later(page, lambda: [event for event in told if event["client_id"] != old])
    page.clock.run_for(20_000)
    page.evaluate("1")
    assert [event for event in told[said:] if event["client_id"] == old] == []


def test_no_click_joins_the_name_that_another_tab_gave_up_to_the_new_one(
    page: Any, url: str, told: list[dict[str, Any]]
) -> None:
    other = another_tab(page, url)
    search(page, "dotted umbrella")
    with page.expect_request(tells("add_to_cart")):
        page.locator("button.put").first.click()
    old = page.evaluate("localStorage.getItem('client')")
    other.click("#forget")
    expect(other.locator("#forgotten")).not_to_be_empty()
    with page.expect_request(tells("click")):
        page.locator("a.similar").first.click()  # whether or not this tab has heard of it by now
    page.go_back()
    expect(page.locator("#cart-count")).to_be_empty()
    page.wait_for_selector("#results[aria-busy=false] .card")
    with page.expect_request(tells("add_to_cart")):
        page.locator("button.put").first.click()
    page.click("#open-cart")
    with page.expect_request(tells("purchase")):
        page.click("#buy")
    new = page.evaluate("localStorage.getItem('client')")
    assert {event["client_id"] for event in told} == {old, new}
    for what in ("session_id", "query_id"):
        known = [{event[what] for event in told if event["client_id"] == name} for name in (old, new)]
        assert known[0].isdisjoint(known[1]), what


def test_a_name_that_this_tab_has_not_heard_of_is_not_used(page: Any, told: list[dict[str, Any]]) -> None:
    search(page, "dotted umbrella")
    old = page.evaluate("localStorage.getItem('client')")
    page.evaluate("localStorage.setItem('client', 'new')")  # a tab does not hear of what it writes itself
    with page.expect_request(tells("add_to_cart")):
        page.locator("button.put").first.click()
    assert [event["client_id"] for event in told] == [old]
    assert page.evaluate("localStorage.getItem('client')") == "new"


def test_tabs_take_one_new_name_and_leave_it_at_that(page: Any, url: str) -> None:
    search(page, "dotted umbrella")
    other = another_tab(page, url)
    tabs = (page, other)
    asked: list[str] = []
    erased: list[str] = []

    def hear(request: Any) -> None:
        if request.method == "DELETE":
            erased.append(request.url)
        elif "track=true" in request.url:
            asked.append(request.url)

    for tab in tabs:
        tab.on("request", hear)
        tab.evaluate("""() => {
            window.names = [];
            addEventListener("storage", ({ key, newValue }) => {
                if (key !== "cart") names.push(key === null ? "cleared" : newValue);
            });
        }""")
    old = page.evaluate("localStorage.getItem('client')")
    with page.expect_response("**/v1/search*track=true*"):
        other.click("#forget")
    expect(other.locator("#forgotten")).not_to_be_empty()
    new = page.evaluate("localStorage.getItem('client')")
    assert new not in (old, None)
    assert [tab.evaluate("names") for tab in tabs] == [[new], []], "there is no moment without a name"
    assert erased == [f"{url}/v1/users/{old}"]
    session = page.evaluate("sessionStorage.getItem('session')")
    page.evaluate("dispatchEvent(new StorageEvent('storage', { key: 'client' }))")  # what it knows by now is no news
    assert page.evaluate("sessionStorage.getItem('session')") == session
    assert len(asked) == 1
    assert f"client_id={new}" in asked[0]


def test_a_tab_whose_storage_was_cleared_takes_a_new_name(page: Any, url: str) -> None:
    search(page, "dotted umbrella")
    other = another_tab(page, url)
    old = page.evaluate("localStorage.getItem('client')")
    with other.expect_request("**/v1/trending?*") as shown, page.expect_request("**/v1/search*track=true*") as asked:
        other.evaluate("localStorage.clear()")
    new = page.evaluate("localStorage.getItem('client')")
    assert new not in (old, None)
    assert f"client_id={new}" in asked.value.url
    assert f"client_id={new}" in shown.value.url, "the tab that cleared it hears of the name of the other one"


def test_where_the_shop_asks_for_a_key_the_page_takes_a_new_name_and_says_whom_to_ask(page: Any) -> None:
    erasures: list[str] = []
    page.on("request", lambda request: erasures.append(request.url) if request.method == "DELETE" else None)
    page.evaluate("document.body.dataset.asksForKey = ''")
    expect(page.locator("#goods .tile").first).to_be_visible()
    old = page.evaluate("localStorage.getItem('client')")
    page.click("#language")
    expect(page.locator("#forget")).to_have_text("换一个新名称")
    page.click("#language")
    expect(page.locator("#forget")).to_have_text("Take a new name")
    page.click("#forget")
    expect(page.locator("#forgotten")).to_contain_text(f"ask it to erase {old}")
    page.click("#language")
    expect(page.locator("#forgotten")).to_contain_text(f"请告知商店：{old}")
    assert page.evaluate("localStorage.getItem('client')") != old
    assert erasures == []


def test_the_cart_and_the_footer_speak_both_languages(page: Any) -> None:
    expect(page.locator("#learning")).to_have_text("What the shop has learnt")
    search(page, "dotted umbrella")
    page.click("#language")
    expect(page.locator("button.put").first).to_have_text("加入购物车")
    expect(page.locator("#forget")).to_have_text("忘记我")
    page.click("#open-cart")
    expect(page.locator("#cart-empty")).to_have_text("购物车是空的。")
    expect(page.locator("#learning")).to_have_text("商店学到了什么")
    page.click("#learning")
    expect(page.locator("h1")).to_have_text("商店从 12 位模拟顾客身上学到了什么")
    page.click("text=返回商店")
    expect(page.locator("h1")).to_have_text("用文字或图片，找到好物")
    page.click("#language")
    page.click("#learning")
    expect(page.locator("h1")).to_have_text("What the shop learns of 12 shoppers")


def test_the_page_on_what_was_learnt_keeps_its_language_while_it_is_read_again(
    page: Any, url: str, server: ServerSettings
) -> None:
    write_learnt(server, 3)
    page.goto(f"{url}/learning")
    expect(page.locator(".figures")).to_contain_text("difference in session 3")
    page.click("text=中文")
    expect(page.locator(".figures")).to_contain_text("第 3 次会话的差值")
    expect(page.locator("body")).not_to_contain_text("session")

    write_learnt(server, 4)
    expect(page.locator(".figures")).to_contain_text("第 4 次会话的差值", timeout=15_000)
    page.reload()
    expect(page.locator(".figures")).to_contain_text("第 4 次会话的差值")
    page.click("text=English")
    expect(page.locator(".figures")).to_contain_text("difference in session 4")


def test_the_way_back_from_the_page_on_what_was_learnt_leads_to_the_same_shopper(page: Any, url: str) -> None:
    shopper = page.evaluate("localStorage.getItem('client')")
    page.click("#learning")
    page.click("text=Back to the shop")
    page.wait_for_url(f"{url}/")
    assert page.evaluate("localStorage.getItem('client')") == shopper
