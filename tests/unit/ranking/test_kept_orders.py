"""In which order a list was begun, kept for a while."""

from PIL import Image

from index.base import Filter
from ranking.kept_orders import KeptOrder, KeptOrders, list_of
from ranking.queries import SearchRequest, Sort


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def order(*product_ids: str) -> KeptOrder:
    return KeptOrder(list(product_ids), frozenset())


def test_the_newest_order_is_known_for_a_while() -> None:
    clock = Clock()
    orders = KeptOrders(seconds=60, monotonic=clock)
    orders.keep(b"q", order("a", "b"))
    orders.keep(b"q", KeptOrder(["b", "a"], {"c"}))
    clock.now = 60
    assert orders.get(b"q") == KeptOrder(["b", "a"], frozenset("c"))
    clock.now = 61
    assert orders.get(b"q") is None
    assert orders.get(b"other") is None


def test_the_oldest_go_where_there_are_too_many() -> None:
    orders = KeptOrders(most_bytes=3 * len(b'[["a"],[]]'))
    for name in (b"1", b"2", b"3"):
        orders.keep(name, order("a"))
    orders.keep(b"1", order("b"))
    orders.keep(b"4", order("a"))
    assert [name for name in (b"1", b"2", b"3", b"4") if orders.get(name)] == [b"1", b"3", b"4"]


def test_a_list_is_of_one_shopper_and_one_question_and_has_pages() -> None:
    red, blue = (Image.new("RGB", (50, 40), colour) for colour in ("red", "blue"))
    asked = [
        (SearchRequest("dress"), "ada", "s"),
        (SearchRequest("dress"), "bob", "s"),
        (SearchRequest("dress"), "ada", "t"),
        (SearchRequest("lamp"), "ada", "s"),
        (SearchRequest("dress", filters=[Filter("brand", ("Ada",))]), "ada", "s"),
        (SearchRequest("dress", sort=Sort.RATING), "ada", "s"),
        (SearchRequest("dress", language="de"), "ada", "s"),
        (SearchRequest("dress", interpret=False), "ada", "s"),
        (SearchRequest("dress", as_words=["red"]), "ada", "s"),
        (SearchRequest("dress", image=red), "ada", "s"),
        (SearchRequest("dress", image=blue), "ada", "s"),
    ]
    assert len({list_of(*one) for one in asked}) == len(asked)
    page = SearchRequest("dress", offset=20, limit=5, facets=["brand"], image=red.copy())
    assert list_of(page, "ada", "s") == list_of(*asked[9])
