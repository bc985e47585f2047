"""The page of `millrace evaluate compare`: one HTML file with everything in it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from cli.run_folder import StoredRun
from learning.run_comparison import Placed, QueryComparison, RunComparison

_TEMPLATE = "comparison_page.html"


@dataclass(frozen=True, slots=True)
class Card:
    """One product in one list. `picture` numbers the style rule that paints it, None without one."""

    place: int
    title: str
    about: str
    rating: int | None
    move: str
    moved: str
    picture: int | None


@dataclass(frozen=True, slots=True)
class Row:
    """One query with its two lists. `sign` is gain, loss, or same."""

    comparison: QueryComparison
    label: str
    picture: int | None
    sign: str
    lists: tuple[list[Card], list[Card]]


def comparison_page(comparison: RunComparison, before: StoredRun, after: StoredRun) -> str:
    """HTML that asks nobody for anything; every picture stands in it once."""
    pictures = _Pictures()
    products = {**before.products, **after.products}
    rows = [
        _row(query, before, {**before.pictures, **after.pictures}, products, pictures) for query in comparison.queries
    ]
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    greatest = max((abs(query.difference) for query in comparison.queries), default=0) or 1
    return environment.get_template(_TEMPLATE).render(
        comparison=comparison, before=before, after=after, rows=rows, pictures=pictures.links, greatest=greatest
    )


class _Pictures:
    """Numbers pictures by their data: links; anything else is no picture."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    @property
    def links(self) -> list[str]:
        return list(self._numbers)

    def number(self, link: str) -> int | None:
        if not _is_picture(link):
            return None
        return self._numbers.setdefault(link, len(self._numbers))


def _is_picture(link: str) -> bool:
    """Only what cannot end the style rule that it stands in."""
    head, _, packed = link.partition(";base64,")
    return head == "data:image/webp" and packed.isascii() and all(sign.isalnum() or sign in "+/=" for sign in packed)


def _row(
    query: QueryComparison,
    run: StoredRun,
    query_pictures: Mapping[str, str],
    products: Mapping[str, Mapping[str, Any]],
    pictures: _Pictures,
) -> Row:
    sign = "gain" if query.difference > 0 else "loss" if query.difference < 0 else "same"
    old, new = (
        [_card(placed, products.get(placed.product_id, {}), pictures, after=after) for placed in placed_list]
        for after, placed_list in ((False, query.first_before), (True, query.first_after))
    )
    picture = pictures.number(query_pictures.get(query.query_id, ""))
    return Row(query, run.judgments.texts[query.query_id], picture, sign, (old, new))


def _card(placed: Placed, product: Mapping[str, Any], pictures: _Pictures, *, after: bool) -> Card:
    price = f"{product['price']:,.2f} {product.get('currency', '')}" if "price" in product else ""
    about = " · ".join(part for part in (product.get("brand", ""), price) if part)
    move, moved = _move(placed, after=after)
    title = product.get("title", placed.product_id)
    return Card(placed.place, title, about, placed.rating, move, moved, pictures.number(product.get("picture", "")))


def _move(placed: Placed, *, after: bool) -> tuple[str, str]:
    """What to print, and its kind: up, down, or nothing. Moves are told in time: from the first run to the second."""
    if placed.other_place is None:
        return ("new", "up") if after else ("gone", "down")
    gained = placed.other_place - placed.place if after else placed.place - placed.other_place
    if gained == 0:
        return "", ""
    return (f"▲ {gained}", "up") if gained > 0 else (f"▼ {-gained}", "down")
