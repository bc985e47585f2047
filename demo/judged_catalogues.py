"""Catalogues with queries whose right answers are known: what `millrace evaluate relevance --on` measures on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from demo.grocery_photos import grocery_photos
from learning.qrels import read_csv_ratings
from learning.query_sets import AS_SERVED, QuerySet
from ranking.fusion import Leg

_ICECAT_SYSTEMS: Mapping[str, Sequence[Leg] | None] = {
    AS_SERVED: None,
    "dense": (Leg.TEXT,),
    "BM25": (Leg.KEYWORDS,),
}


@dataclass(frozen=True, slots=True)
class JudgedCatalogue:
    """`file` is imported with `mapping` (empty: its records are product events) and the pictures in `media`."""

    name: str
    file: Path
    mapping: str
    query_sets: Sequence[QuerySet]
    media: Path | None = None


def icecat(data: Path, ratings: Path | None = None) -> JudgedCatalogue:
    """19,406 electronics with ratings of people, or with other `ratings` of them. Raises RelevanceError."""
    folder = data / "icecat_chorus"
    judgments = read_csv_ratings(ratings or folder / "ratings.csv")
    queries = QuerySet("text", judgments, _ICECAT_SYSTEMS, pooled=True)
    return JudgedCatalogue("icecat", folder / "products.jsonl.gz", "icecat_chorus", (queries,))


def groceries(data: Path, photos: Path | None = None) -> JudgedCatalogue:
    """81 groceries, each with its catalogue picture; the queries are photos from shops. Raises RelevanceError."""
    folder = data / "grocery_store"
    products = folder / "products.csv"
    queries = grocery_photos(products, photos or folder / "photos.csv")
    return JudgedCatalogue("groceries", products, "grocery_store", (queries,), folder / "iconic.zip")
