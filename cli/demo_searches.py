"""The searches that the demo asks once its shop is open, each with an answer that is known to be right."""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from cli.server_answers import answer_of
from demo.drawn_shop.looks import Look
from demo.drawn_shop.pictures import draw_picture

_UNKNOWN_PICTURE_SEED = 77_000_001
_RESULTS = 3
_TIMEOUT_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class ExampleSearch:
    """`wanted`: the look of a product that must be found; every product was drawn from its look."""

    kind: str
    query: str
    wanted: Look
    picture: bytes = b""


@dataclass(frozen=True, slots=True)
class Answer:
    search: ExampleSearch
    products: Sequence[dict[str, Any]]
    took_ms: float

    @property
    def ok(self) -> bool:
        return any(_looks_like(product, self.search.wanted) for product in self.products)

    @property
    def titles(self) -> list[str]:
        return [product["title"] for product in self.products]

    def facts(self) -> dict[str, Any]:
        """As `--json` says it."""
        search = self.search
        took = round(self.took_ms, 1)
        return {"query": search.query, "kind": search.kind, "titles": self.titles, "took_ms": took, "ok": self.ok}

    def told(self) -> Iterator[str]:
        """Lines for people; what was asked for has a mark."""
        yield f"\n{self.search.kind}: {self.search.query}   ({self.took_ms:.0f} ms)"
        for position, product in enumerate(self.products, start=1):
            mark = "✓" if _looks_like(product, self.search.wanted) else " "
            yield f"{mark} {position}. {product['title']}, {product['price']} {product['currency']}"


def answers(url: str) -> Iterator[Answer]:
    """One after the other. Raises RequestRefused, httpx.HTTPError."""
    for search in _example_searches():
        answer = _ask(url, search)
        yield Answer(search, [result["product"] for result in answer["results"]], answer["took_ms"])


def _example_searches() -> list[ExampleSearch]:
    photographed = Look("backpack", "green", "checked")
    picture = io.BytesIO()
    draw_picture(photographed, _UNKNOWN_PICTURE_SEED, 256, clean=True).save(picture, "JPEG")
    return [
        ExampleSearch("English", "red striped dress", Look("dress", "red", "striped")),
        ExampleSearch("Chinese", "蓝色波点雨伞", Look("umbrella", "blue", "dotted")),
        ExampleSearch("picture", "a new picture of a green checked backpack", photographed, picture.getvalue()),
    ]


def _ask(url: str, search: ExampleSearch) -> dict[str, Any]:
    address, limit = f"{url}/v1/search", str(_RESULTS)
    if search.picture:
        files = {"image": ("query.jpg", search.picture, "image/jpeg")}
        response = httpx.post(address, files=files, data={"limit": limit}, timeout=_TIMEOUT_SECONDS)
    else:
        response = httpx.get(address, params={"q": search.query, "limit": limit}, timeout=_TIMEOUT_SECONDS)
    return answer_of(response)


def _looks_like(product: dict[str, Any], look: Look) -> bool:
    attributes = product.get("attributes", {})
    return (attributes.get("kind"), attributes.get("colour"), attributes.get("pattern")) == (
        look.kind,
        look.colour,
        look.pattern,
    )
