"""The keys of the states that profiles and statistics are made of; what stands before the first colon is the kind."""

from collections.abc import Sequence

SHOP = "shop:all"


def shopper_key(shopper: str) -> str:
    """Of a profile."""
    return f"shopper:{shopper}"


def lists_key(shopper: str) -> str:
    """Of the ids of all lists of a shopper of which something has been counted."""
    return f"lists:{shopper}"


def erased_key(shopper: str) -> str:
    """Of the mark that this shopper has been erased."""
    return f"erased:{shopper}"


def counted_key(query_id: str) -> str:
    """Of what of a list has been counted."""
    return f"counted:{query_id}"


def product_key(product_id: str) -> str:
    """Of the counts of a product."""
    return f"product:{product_id}"


def product_keys(product_ids: Sequence[str]) -> list[str]:
    """Those of many products, in their order: a call for each would take most of the time of a ranking's keys."""
    return ["product:" + product_id for product_id in product_ids]


def class_key(query_class: str, product_id: str) -> str:
    """Of the counts of a product in lists of one class of queries."""
    return f"class:{query_class}:{product_id}"


def class_keys(query_class: str, product_ids: Sequence[str]) -> list[str]:
    """Those of many products, in their order."""
    start = f"class:{query_class}:"
    return [start + product_id for product_id in product_ids]


def place_key(place: str, product_id: str) -> str:
    """Of the counts of a product in lists at one class of places."""
    return f"place:{place}:{product_id}"


def place_keys(place: str, product_ids: Sequence[str]) -> list[str]:
    """Those of many products, in their order."""
    start = f"place:{place}:"
    return [start + product_id for product_id in product_ids]


def shop_at_place_key(place: str) -> str:
    """Of the counts of all products together in lists at one class of places."""
    return f"shop:{place}"


def co_clicks_key(product_id: str) -> str:
    """Of the products that were acted upon beside this one."""
    return f"co_clicks:{product_id}"


def chosen_at_time_key(daypart: int) -> str:
    """Of the products that are acted upon most in a quarter of the day."""
    return f"chosen:daypart:{daypart}"


def chosen_at_place_key(place: str) -> str:
    """Of the products that are acted upon most at one class of places."""
    return f"chosen:place:{place}"


def list_key(query_id: str) -> str:
    """Of what is known of an open list."""
    return f"list:{query_id}"


def list_id_of(key: str) -> str:
    """The id of the list whose key it is."""
    return key.removeprefix("list:")


def traffic_key(shopper: str) -> str:
    """Of what a shopper did lately."""
    return f"traffic:{shopper}"
