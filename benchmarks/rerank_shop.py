"""A shop of chance for the latency of re-ranking: its catalogue, its profiles, and who asks for what."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from feedback.contexts import DAYPART
from feedback.settings import ProfileSettings
from feedback.store import ProfileStore
from feedback.updating import ProfileUpdater
from ranking.product_table import ProductTable, declared_table
from ranking.rankers import Candidate, Situation
from ranking.shop_features import SHOP_FEATURES
from topics.feedback import JoinedList, ListAction, ShownProduct

PRODUCTS = 20_000
SHOPPERS = 100
SHOWN = 50  # products of a list of all the other shoppers
_DIMENSIONS = 384
_NOW = 1_795_000_000.0
_TEXT = "lamp"
_CONTEXT = {DAYPART: "evening"}
_LISTS_OF_SESSION = 4
_LISTS = 20  # of each shopper, of 20 products of which 10 were clicked
_LISTS_AT_ONCE = 50


def situation(shopper: int) -> Situation:
    """One of the shoppers asks, in the session of the newest lists."""
    return Situation(_NOW + 1, f"shopper-{shopper}", _session(shopper, _LISTS - 1), _TEXT, context=_CONTEXT)


def candidates(rng: np.random.Generator, number: int) -> list[Candidate]:
    products = rng.choice(PRODUCTS, number, replace=False).tolist()
    return [Candidate(f"p{product}", place, 1 / place) for place, product in enumerate(products, start=1)]


def catalogue() -> ProductTable:
    rng = np.random.default_rng(1)
    table = declared_table(SHOP_FEATURES)
    table.learn(
        {
            "id": f"p{number}",
            "brand": f"brand {rng.integers(500)}",
            "categories": [f"category {one}" for one in rng.integers(200, size=3)],
            "price": float(rng.lognormal(3)),
            "rating": float(rng.uniform(1, 5)),
            "attributes": {"colour": f"colour {rng.integers(20)}"},
        }
        for number in range(PRODUCTS)
    )
    vectors: NDArray[np.float32] = rng.normal(size=(PRODUCTS, _DIMENSIONS)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    table.learn_vectors({f"p{number}": vector for number, vector in enumerate(vectors)})
    return table


def fill(store: ProfileStore, settings: ProfileSettings) -> None:
    """Every product has been shown in a list of the query, and each shopper has acted upon 200 products and passed
    over 200.
    """
    updater = ProfileUpdater(store, settings, lambda: _NOW)
    order = np.random.default_rng(2).permutation(PRODUCTS).tolist()
    lists = [
        _list(f"other-{number}", "", "", number, order[number * SHOWN : (number + 1) * SHOWN], 5)
        for number in range(PRODUCTS // SHOWN)
    ]
    for shopper in range(SHOPPERS):
        order = np.random.default_rng(3 + shopper).permutation(PRODUCTS).tolist()
        lists += [
            _list(f"{shopper}-{number}", f"shopper-{shopper}", _session(shopper, number), number, products, 10)
            for number in range(_LISTS)
            for products in [order[number * 20 : (number + 1) * 20]]
        ]
    for start in range(0, len(lists), _LISTS_AT_ONCE):
        updater.apply(lists[start : start + _LISTS_AT_ONCE])


def _session(shopper: int, number: int) -> str:
    return f"session-{shopper}-{number // _LISTS_OF_SESSION}"


def _list(query_id: str, shopper: str, session: str, number: int, products: Sequence[int], clicked: int) -> JoinedList:
    at = _NOW - 3_600 + number
    return JoinedList(
        query_id=query_id,
        revision=1,
        shopper=shopper,
        session=session,
        at=at,
        text=_TEXT,
        context=_CONTEXT,
        shown=tuple(ShownProduct(product_id=f"p{one}", position=place) for place, one in enumerate(products, start=1)),
        actions=tuple(
            ListAction(event_id=f"{query_id}-{one}", action="click", product_id=f"p{one}", at=at + place)
            for place, one in enumerate(products[:clicked], start=1)
        ),
    )
