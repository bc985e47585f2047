"""The search that serves shoppers, measured: on a shelf whose right answers are known, and on Icecat's ratings."""

import gzip
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from encoders.hash import HashEncoder
from encoders.product_text import text_to_encode
from index.base import TEXT_FIELD, Applied, ContentHashes, Outcome, ProductRow
from index.documents import keywords
from index.memory import MemoryIndex
from index.text_analysis import Analyser
from learning.qrels import Judgments, read_csv_ratings
from learning.relevance import RelevanceOptions, evaluate
from learning.relevance_runs import LegSearcher, full_run, judged_run
from monitoring.metrics import create_metrics
from ranking.fusion import Leg
from ranking.search import Search
from ranking.settings import RankingSettings
from topics.events import Product
from topics.mapping import load_mapping

MAPPINGS = Path(__file__).parents[3] / "demo" / "mappings"
UPDATED = datetime(2026, 11, 1, tzinfo=UTC)


@contextmanager
def search_over(products: Iterable[Product], with_vectors: bool) -> Iterator[Search]:
    encoder, analyser = HashEncoder(), Analyser()
    index = MemoryIndex(encoder.dimension, encoder.dimension)
    same_for_all = encoder.encode_texts(["product"])[0]
    for product in products:
        vector = encoder.encode_texts([text_to_encode(product)])[0] if with_vectors else same_for_all
        words = keywords(product, analyser)
        row = ProductRow(product.id, 1, {"id": product.id}, words, ContentHashes(), {TEXT_FIELD: vector})
        assert index.apply([row]) == [Applied(Outcome.WRITTEN)]
    search = Search(index, encoder, encoder, analyser, RankingSettings(), create_metrics(CollectorRegistry()))
    try:
        yield search
    finally:
        search.close()


def shelf() -> list[Product]:
    titles = {"m1": "wireless mouse", "m2": "mouse with cable", "k": "keyboard", "s": "screen for the desk"}
    return [Product(id=product_id, title=title, updated_at=UPDATED) for product_id, title in titles.items()]


@pytest.mark.parametrize("legs", [None, [Leg.KEYWORDS], [Leg.TEXT]])
def test_a_search_that_finds_the_right_things_is_measured_as_such(legs: list[Leg] | None) -> None:
    judgments = Judgments(
        {"1": {"m1": 3, "m2": 2, "k": 0}, "2": {"s": 3, "k": 0}}, {"1": "wireless mouse", "2": "screen"}
    )
    options = RelevanceOptions(resamples=10)
    with search_over(shelf(), with_vectors=True) as search:
        searcher = LegSearcher(search, legs)
        judged, full = judged_run(searcher, judgments), full_run(searcher, judgments, 100)

    assert {product for product, _ in judged["2"]} <= {"s", "k"}
    assert evaluate(judged, judgments, options).intervals["NDCG@10"].mean == pytest.approx(1)
    assert evaluate(full, judgments, options).intervals["RR"].mean == 1


def test_judged_only_ranks_nothing_else() -> None:
    with search_over(shelf(), with_vectors=True) as search:
        ranked = LegSearcher(search).rank("mouse", 10, only=["m2", "s"])

    assert ranked[0][0] == "m2"
    assert {product for product, _ in ranked} <= {"m2", "s"}


@pytest.mark.data
def test_bm25_reaches_its_measured_baseline_on_icecat(shared_data: Path) -> None:
    folder = shared_data / "icecat_chorus"
    mapping = load_mapping(MAPPINGS / "icecat_chorus.toml")
    judgments = read_csv_ratings(folder / "ratings.csv")
    options = RelevanceOptions()
    with gzip.open(folder / "products.jsonl.gz") as lines:
        products = (
            Product.model_validate({"updated_at": UPDATED, **mapping.apply(json.loads(line))}) for line in lines
        )
        with search_over(products, with_vectors=False) as search:
            searcher = LegSearcher(search, [Leg.KEYWORDS])
            judged = evaluate(judged_run(searcher, judgments), judgments, options)
            full = evaluate(full_run(searcher, judgments, 100), judgments, options)

    assert judged.intervals["NDCG@10"].mean == pytest.approx(0.835, abs=0.006)
    assert full.intervals["NDCG@10"].mean == pytest.approx(0.735, abs=0.01)
    assert full.intervals["R@100"].mean == pytest.approx(0.86, abs=0.02)
