"""Which phrases of a query become filters, which stay words, and what is left to search by."""

from time import thread_time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from index.base import Filter
from index.filters import check
from ranking.query_understanding import QueryUnderstanding, UnderstoodQuery
from ranking.settings import UnderstandingSettings

UNDERSTANDING = QueryUnderstanding(UnderstandingSettings(), "en")


def understand(text: str) -> UnderstoodQuery:
    return UNDERSTANDING.understand(text)


def filters(text: str) -> list[Filter]:
    return [condition for phrase in understand(text).phrases for condition in phrase.filters]


def price(at_least: float | None = None, at_most: float | None = None, currency: str = "") -> list[Filter]:
    bounds = Filter("price", at_least=at_least, at_most=at_most)
    return [bounds, Filter("currency", any_of=(currency,))] if currency else [bounds]


@pytest.mark.parametrize(
    ("text", "left", "expected"),
    [
        ("red dress under 50", "red dress", price(at_most=50)),
        ("laptop below $500", "laptop", price(at_most=500, currency="USD")),
        ("lamp less than 50 euros", "lamp", price(at_most=50, currency="EUR")),
        ("cheaper than 20 socks", "socks", price(at_most=20)),
        ("shirt up to £30", "shirt", price(at_most=30, currency="GBP")),
        ("watch over 100", "watch", price(at_least=100)),
        ("watch at least 100", "watch", price(at_least=100)),
        ("chair between 20 and 50", "chair", price(20, 50)),
        ("chair between 50 and 20", "chair", price(20, 50)),
        ("chair between €20 and €50", "chair", price(20, 50, "EUR")),
        ("chair 20-50 eur", "chair", price(20, 50, "EUR")),
        ("chair $20 - $50 wood", "chair wood", price(20, 50, "USD")),
        ("$20–50 chair", "chair", price(20, 50, "USD")),
        ("chair from 20 to 50 euros", "chair", price(20, 50, "EUR")),
        ("chair price 20-50", "chair", price(20, 50)),
        ("shoes for under $50 in red", "shoes in red", price(at_most=50, currency="USD")),
        ("laptop under 500 in stock", "laptop", [*price(at_most=500), Filter("availability", any_of=("in_stock",))]),
        ("sofa under 1,299.99", "sofa", price(at_most=1299.99)),
        ("lampe under 19,90 €", "lampe", price(at_most=19.9, currency="EUR")),
        ("headphones $50 or less", "headphones", price(at_most=50, currency="USD")),
        ("headphones €200+", "headphones", price(at_least=200, currency="EUR")),
        ("parka under $50 CAD", "parka", price(at_most=50, currency="CAD")),
        ("dress,UNDER 50", "dress,", price(at_most=50)),
        ("gifts for men under 50", "gifts for men", price(at_most=50)),
        ("under 20 over 50 lamp", "lamp", [*price(at_most=20), *price(at_least=50)]),
        ("耳机50元以下", "耳机", price(at_most=50, currency="CNY")),
        ("低于50元的耳机", "耳机", price(at_most=50, currency="CNY")),
        ("连衣裙 不超过100", "连衣裙", price(at_most=100)),
        ("手表100元以上", "手表", price(at_least=100, currency="CNY")),
        ("100到200元的连衣裙", "连衣裙", price(100, 200, "CNY")),
        ("连衣裙 100-200元", "连衣裙", price(100, 200, "CNY")),
        ("连衣裙一百到两百元之间", "连衣裙", price(100, 200, "CNY")),
        ("五十元以下的耳机", "耳机", price(at_most=50, currency="CNY")),
        ("一千五百元以内 手机", "手机", price(at_most=1500, currency="CNY")),
        ("一千五以下 手机", "手机", price(at_most=1500)),
        ("千元以内手机", "手机", price(at_most=1000, currency="CNY")),
        ("1.5万元以下 电脑", "电脑", price(at_most=15000, currency="CNY")),
        ("手机2000以内", "手机", price(at_most=2000)),
        ("耳机 价格在100到200", "耳机", price(100, 200)),
        ("茶 50美元以下", "茶", price(at_most=50, currency="USD")),
        ("lamp 5000円以下", "lamp", price(at_most=5000, currency="JPY")),
    ],
)
def test_a_price_becomes_a_filter(text: str, left: str, expected: list[Filter]) -> None:
    assert (understand(text).text, filters(text)) == (left, expected)


@pytest.mark.parametrize(
    ("text", "left", "at_least"),
    [
        ("kettle 4 stars and up", "kettle", 4),
        ("kettle 4.5 stars & up", "kettle", 4.5),
        ("at least 4 stars kettle", "kettle", 4),
        ("kettle rated above 4", "kettle", 4),
        ("kettle rated at least four stars", "kettle", 4),
        ("kettle 4+ stars", "kettle", 4),
        ("kettle rating 4+", "kettle", 4),
        ("四星以上的水壶", "水壶", 4),
        ("水壶 4.5星以上", "水壶", 4.5),
        ("水壶4星及以上", "水壶", 4),
        ("水壶 评分4.5以上", "水壶", 4.5),
        ("水壶 评分高于4", "水壶", 4),
    ],
)
def test_a_rating_becomes_a_filter(text: str, left: str, at_least: float) -> None:
    assert (understand(text).text, filters(text)) == (left, [Filter("rating", at_least=at_least)])


@pytest.mark.parametrize(
    "text", ["kettle in stock", "in-stock kettle", "kettle IN STOCK", "有货 kettle", "kettle 现货"]
)
def test_availability_becomes_a_filter(text: str) -> None:
    assert (understand(text).text, filters(text)) == ("kettle", [Filter("availability", any_of=("in_stock",))])


@pytest.mark.parametrize(
    "text",
    [
        *("usb 3.0 under desk mount", "over ear headphones", "size 50", "iphone 12", "27-30 inch monitor"),
        *("4 star bolt", "5 star notebook", "between", "wd 500 gb", "under armour shoes", "100 ml bottle", "top 10"),
        *("2-3 years toy", "1000-1100 watt", "monitor under 27 inch", "monitor under 27in", "under 30-inch tv"),
        *("ssd over 500 gb", "bottle less than 100 ml", "suitcase below 10 kg", "tent over 6 people", "tv over 50 in"),
        *("vitamins for women over 50", "toys for kids under 5", "toys ages 5 and over", "air max 90", "pro max 256"),
        *("fits up to 12", "case under 50%", "shoes eur 38-40", "puzzle over 1000 pieces", "backpack under 50 pounds"),
        *("not in stock", "in stock pot", "in stockings", "out of stock", "thunder 50", "screen 16:9 over 5:4"),
        *(
            "显示器不超过27寸",
            "低于500克 咖啡",
            "硬盘 不超过 2 千克",
            "100以内加减法",
            "100以内的口算题",
            "3岁以下玩具",
        ),
        *("安卓10以下", "没有现货", "有货架", "没有货", "三星手机", "五星红旗", "12个月以上奶粉", "5000毫安以上"),
        *("under 0", "6 stars and up", "十四星以上", "百千元以下", "under 1.000", "v2.4 stars and up", "$20 - 50€"),
        "i <3 cats",
    ],
)
def test_product_words_stay_words(text: str) -> None:
    query = understand(text)
    assert (query.text, query.phrases) == (text, ())


def test_a_phrase_keeps_the_text_as_written() -> None:
    text = "Red dress, Under　$５０ please"
    (phrase,) = understand(text).phrases
    assert phrase.text == text[phrase.start : phrase.end] == "Under　$５０"


def test_a_phrase_that_was_taken_off_is_words() -> None:
    query = UNDERSTANDING.understand("novel under 50 in stock", as_words=["Under 50"])
    assert query.text == "novel under 50"
    assert [phrase.text for phrase in query.phrases] == ["in stock"]


def test_signs_of_several_currencies_mean_what_the_shop_says() -> None:
    understanding = QueryUnderstanding(UnderstandingSettings(dollar_sign=("CAD", "USD")), "en")
    (phrase,) = understanding.understand("parka under $50").phrases
    assert phrase.filters[1] == Filter("currency", any_of=("CAD", "USD"))
    assert filters("¥50以下 茶")[1] == Filter("currency", any_of=("CNY", "JPY"))


# fmt: off
PIECES = st.sampled_from([
    "under", "over", "between", "and", "to", "at", "least", "up", "20", "50", "4", "1,000", "$", "€", "eur", "元",
    "以下", "以上", "不超过", "一百", "星", "stars", "+", "-", "in", "stock", "现货", "的", "cm", "dress", "耳机",
    "for", "price", "men", "min", ",", ".", "价格", "rated", "\x00", "\n", "inch",
])
# fmt: on
QUERIES = st.text() | st.lists(PIECES, max_size=12).map(" ".join) | st.lists(PIECES, max_size=12).map("".join)


@example("0,000,0")  # neither grouped by thousands nor a decimal
@given(QUERIES)
def test_any_text_is_understood(text: str) -> None:
    query = understand(text)
    places = [place for phrase in query.phrases for place in (phrase.start, phrase.end)]
    assert places == sorted(places)
    left = "".join(text[start:end] for start, end in zip([0, *places[1::2]], [*places[::2], len(text)], strict=True))
    ignored = str.maketrans("", "", ",")
    assert "".join(query.text.translate(ignored).split()) == "".join(left.translate(ignored).split())
    for phrase in query.phrases:
        assert phrase.text == text[phrase.start : phrase.end]
        for condition in phrase.filters:
            check(condition)


@example("under 50 min 20 eur")  # "min" is no unit once it belongs to a phrase
@example("under under 50 50")  # nor do two pieces become a phrase
@given(QUERIES)
def test_what_is_left_holds_no_phrase(text: str) -> None:
    left = understand(text).text
    assert understand(left).phrases == ()


@given(QUERIES)
def test_a_query_whose_phrases_are_all_taken_off_is_left_as_it_is(text: str) -> None:
    as_words: list[str] = []
    while phrases := UNDERSTANDING.understand(text, as_words=as_words).phrases:
        as_words += [phrase.text for phrase in phrases]
    assert UNDERSTANDING.understand(text, as_words=as_words).text == text


@pytest.mark.parametrize(
    "piece",
    [
        *("9", "1-", "1,", "1 ", "under ", "under 5 ", "under " + " " * 50, "一", "万", "between 1 and ", "１", "\x00"),
        *("$", "$1 - ", "4 stars ", "over 4 in  ", "a1-", "a1", "12345670 ", "价格 ", "for ", "for 5 to ", "İ"),
        "under 5 min 5 eur ",
    ],
)
def test_hostile_queries_take_no_longer_than_their_length(piece: str) -> None:
    text = (piece * 10_000)[:10_000]
    start = thread_time()
    understand(text)
    assert thread_time() - start < 1  # quadratic patterns take ten seconds and more
