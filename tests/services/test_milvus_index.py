"""MilvusIndex beyond the contract: opening, versions in two processes, and the same ranks as in memory."""

import itertools
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from unittest.mock import Mock
from uuid import uuid4

import numpy as np
import pytest
from pymilvus import MilvusClient

from index.base import (
    IMAGE_FIELD,
    TEXT_FIELD,
    ContentHashes,
    IndexRefused,
    IndexUnavailable,
    KeywordQuery,
    Outcome,
    ProductRow,
    Query,
    Tombstone,
    VectorIndex,
    VectorQuery,
    VectorSpace,
)
from index.embedded_milvus import EmbeddedMilvus
from index.memory import MemoryIndex
from index.milvus import MilvusIndex
from index.settings import IndexSettings

pytestmark = pytest.mark.services

TEXT_DIMENSION, IMAGE_DIMENSION = 24, 12
TEXT, IMAGE = VectorSpace("text@1", TEXT_DIMENSION), VectorSpace("image@1", IMAGE_DIMENSION)


FIRST_SEARCHES = """
import sys
import numpy as np
from index.base import IMAGE_FIELD, TEXT_FIELD, KeywordQuery, VectorQuery, VectorSpace
from index.milvus import MilvusIndex
from index.settings import IndexSettings

uri, alias = sys.argv[1:]
index = MilvusIndex(IndexSettings(uri=uri, alias=alias), VectorSpace("text@1", 24), VectorSpace("image@1", 12))
known = set(sys.modules)
index.search(KeywordQuery("red shoe"), 10)
index.search(VectorQuery(TEXT_FIELD, np.eye(24, dtype=np.float32)[0]), 10)
index.search(VectorQuery(IMAGE_FIELD, np.eye(12, dtype=np.float32)[0]), 10)
index.documents(["a"])
index.vectors(["a"])
print(*sorted(set(sys.modules) - known))
index.close()
"""


@pytest.fixture(scope="module")
def milvus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedMilvus]:
    with EmbeddedMilvus(tmp_path_factory.mktemp("milvus")) as milvus:
        yield milvus


@pytest.fixture
def settings(milvus: EmbeddedMilvus) -> IndexSettings:
    return IndexSettings(uri=milvus.uri, alias=f"products_{uuid4().hex}")


def open_index(settings: IndexSettings) -> MilvusIndex:
    return MilvusIndex(settings, TEXT, IMAGE, create=True)


def unit(rng: np.random.Generator, dimension: int) -> np.ndarray:
    vector = rng.standard_normal(dimension).astype(np.float32)
    return vector / np.linalg.norm(vector)


def row(rng: np.random.Generator, name: str, version: int = 1) -> ProductRow:
    words = rng.zipf(1.5, rng.integers(3, 40)).clip(max=300)
    vectors = {TEXT_FIELD: unit(rng, TEXT_DIMENSION)}
    if rng.random() < 0.7:
        vectors[IMAGE_FIELD] = unit(rng, IMAGE_DIMENSION)
    return ProductRow(name, version, {"id": name}, " ".join(f"w{word}" for word in words), ContentHashes("t"), vectors)


def assert_same_ranks(left: VectorIndex, right: VectorIndex, query: Query, tolerance: float) -> None:
    """Equal scores place by place, and equal products wherever a score stands alone."""
    ours, theirs = left.search(query, 50), right.search(query, 50)
    scores = np.array([hit.score for hit in ours])
    assert scores == pytest.approx([hit.score for hit in theirs], rel=tolerance, abs=1e-5)
    gaps = np.abs(np.diff(scores)) > 2 * tolerance * np.abs(scores[1:]) + 2e-5
    for place in range(1, len(ours) - 1):
        if gaps[place - 1] and gaps[place]:
            assert ours[place].product_id == theirs[place].product_id


def queries(rng: np.random.Generator) -> Iterator[Query]:
    for _ in range(10):
        yield VectorQuery(TEXT_FIELD, unit(rng, TEXT_DIMENSION))
        yield VectorQuery(IMAGE_FIELD, unit(rng, IMAGE_DIMENSION))
        yield KeywordQuery(" ".join(f"w{word}" for word in rng.zipf(1.5, 3).clip(max=300)))
    yield KeywordQuery("w1 w1 w7")


def test_the_first_searches_import_nothing(settings: IndexSettings) -> None:
    """Threads that import the same package at once may be given half of it."""
    index, rng = open_index(settings), np.random.default_rng(1)
    index.apply([row(rng, name) for name in "abc"])
    index.close()

    asked = [sys.executable, "-c", FIRST_SEARCHES, settings.uri, settings.alias]
    imported = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.split()

    assert imported == []


@pytest.mark.parametrize("flushed_at", [(), (800,), (300, 500, 800)], ids=str)
def test_it_ranks_as_the_index_in_memory(settings: IndexSettings, flushed_at: tuple[int, ...]) -> None:
    rng = np.random.default_rng(3)
    milvus, memory = open_index(settings), MemoryIndex(TEXT_DIMENSION, IMAGE_DIMENSION)
    rows = [row(rng, f"p{number}") for number in range(800)]
    for start in range(0, 800, 100):
        for index in (milvus, memory):
            assert {one.outcome for one in index.apply(rows[start : start + 100])} == {"written"}
        if start + 100 in flushed_at:
            milvus.flush()
    for query in queries(rng):
        assert_same_ranks(memory, milvus, query, tolerance=1e-4)
    milvus.close()


@pytest.mark.parametrize("metric", ["IP", "COSINE", "L2"])
@pytest.mark.parametrize("vector_index", ["FLAT", "HNSW", "IVF_FLAT"])
def test_every_kind_and_metric_gives_cosines(milvus: EmbeddedMilvus, vector_index: str, metric: str) -> None:
    rng = np.random.default_rng(5)
    settings = IndexSettings(
        uri=milvus.uri, alias=f"products_{uuid4().hex}", vector_index=vector_index, metric=metric, ivf_nlist=4
    )
    index, memory = open_index(settings), MemoryIndex(TEXT_DIMENSION, IMAGE_DIMENSION)
    rows = [row(rng, f"p{number}") for number in range(200)]
    for one in (index, memory):
        one.apply(rows)
    index.flush()
    for _ in range(3):
        assert_same_ranks(memory, index, VectorQuery(TEXT_FIELD, unit(rng, TEXT_DIMENSION)), tolerance=1e-4)
    index.close()


def test_a_collection_keeps_the_metric_that_it_was_made_with(settings: IndexSettings) -> None:
    rng = np.random.default_rng(6)
    first = open_index(settings.model_copy(update={"metric": "L2", "vector_index": "IVF_FLAT"}))
    product = row(rng, "p1")
    first.apply([product])
    first.close()
    later = open_index(settings)
    (hit,) = later.search(VectorQuery(TEXT_FIELD, product.vectors[TEXT_FIELD]), 1)
    assert hit.score == pytest.approx(1, abs=1e-4)
    later.close()


def test_a_product_that_has_just_changed_is_scored_as_the_others(settings: IndexSettings) -> None:
    rng = np.random.default_rng(4)
    index = open_index(settings)
    index.apply([row(rng, f"p{number}") for number in range(500)])
    twins = [
        ProductRow(f"twin-{n}", 1, {}, "unicorn w1", ContentHashes("t"), {TEXT_FIELD: unit(rng, 24)}) for n in (1, 2)
    ]
    index.apply(twins[:1])
    index.flush()
    index.apply(twins[1:])
    scores = {hit.product_id: hit.score for hit in index.search(KeywordQuery("unicorn"), 10)}
    assert scores.keys() == {"twin-1", "twin-2"}
    assert scores["twin-2"] == pytest.approx(scores["twin-1"], rel=0.15)
    index.close()


def test_processes_that_open_an_empty_milvus_at_once_share_one_collection(settings: IndexSettings) -> None:
    with ThreadPoolExecutor(6) as threads:
        indexes = list(threads.map(lambda _: open_index(settings), range(6)))
    rng = np.random.default_rng(5)
    for number, index in enumerate(indexes):
        index.apply([row(rng, f"p{number}")])
    assert {index.count() for index in indexes} == {6}
    for index in indexes:
        index.close()


def test_what_one_process_wrote_another_does_not_set_back(settings: IndexSettings) -> None:
    rng = np.random.default_rng(6)
    one, other = (open_index(settings) for _ in range(2))
    one.apply([row(rng, "a", 2), Tombstone("b", 2)])
    assert [applied.outcome for applied in other.apply([row(rng, "a", 1), row(rng, "b", 1)])] == ["stale", "stale"]
    one.close()
    other.close()


@pytest.mark.parametrize(
    ("text", "image", "reason"),
    [
        (VectorSpace("text@1", 25), IMAGE, r"text_vector of text@1 \(24 dimensions\), the settings say text@1 \(25\)"),
        (TEXT, VectorSpace("image@1", 13), "choose another index.alias"),
        (VectorSpace("text@2", TEXT_DIMENSION), IMAGE, "text_vector of text@1 .* the settings say text@2"),
        (TEXT, VectorSpace("image@2", IMAGE_DIMENSION), "image_vector of image@1 .* the settings say image@2"),
    ],
)
def test_vectors_of_another_encoder_are_refused(
    settings: IndexSettings, text: VectorSpace, image: VectorSpace, reason: str
) -> None:
    open_index(settings).close()
    with pytest.raises(IndexRefused, match=reason):
        MilvusIndex(settings, text, image, create=True)
    open_index(settings).close()


def test_a_collection_remembers_its_encoder_when_milvus_is_started_again(tmp_path: Path) -> None:
    with EmbeddedMilvus(tmp_path) as milvus:
        MilvusIndex(IndexSettings(uri=milvus.uri), TEXT, create=True).close()
    with EmbeddedMilvus(tmp_path) as milvus:
        MilvusIndex(IndexSettings(uri=milvus.uri), TEXT).close()
        with pytest.raises(IndexRefused, match="text@1"):
            MilvusIndex(IndexSettings(uri=milvus.uri), VectorSpace("text@2", TEXT_DIMENSION))


def test_an_index_made_without_pictures_is_refused_to_an_image_encoder(settings: IndexSettings) -> None:
    MilvusIndex(settings, TEXT, create=True).close()
    with pytest.raises(IndexRefused, match="has no has_image_vector, image_vector"):
        MilvusIndex(settings, TEXT, IMAGE)


def test_a_collection_is_made_only_by_who_asks_for_it(settings: IndexSettings) -> None:
    client = MilvusClient(uri=settings.uri)
    before = client.list_collections()
    with pytest.raises(IndexRefused, match=f"no collection '{settings.alias}'.*millrace worker"):
        MilvusIndex(settings, TEXT, IMAGE)
    assert client.list_collections() == before
    open_index(settings).close()
    MilvusIndex(settings, TEXT, IMAGE).close()
    client.close()


def test_only_a_write_waits_for_what_other_processes_wrote(settings: IndexSettings) -> None:
    index = open_index(settings)
    asked = Mock(wraps=index._client.query)
    index._client.query = asked
    index.states(["a"])
    index.apply([Tombstone("a", 1)])
    assert [call.kwargs["consistency_level"] for call in asked.call_args_list] == ["Session", "Strong"]
    index.close()


def test_nobody_at_the_address_is_unavailable_and_named() -> None:
    with pytest.raises(IndexUnavailable, match=r"127\.0\.0\.1:9"):
        open_index(IndexSettings(uri="http://127.0.0.1:9", timeout_seconds=1))


def test_a_row_that_only_the_server_refuses_does_not_hurt_its_batch(
    settings: IndexSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The checks before the server are taken away, so that it is the server that refuses."""
    monkeypatch.setattr("index.milvus.check_change", lambda change, dimensions: None)
    rng = np.random.default_rng(7)
    index = open_index(settings)
    rows = [row(rng, f"p{number}") for number in range(9)]
    rows[4] = ProductRow("wide", 1, {}, "", ContentHashes("t"), {TEXT_FIELD: unit(rng, TEXT_DIMENSION + 1)})
    rows[7] = ProductRow("branded", 1, {"brand": "x" * 2_000}, "", ContentHashes("t"), {TEXT_FIELD: unit(rng, 24)})
    refused = {rows[place].product_id: one.detail for place, one in enumerate(index.apply(rows)) if one.detail}
    assert refused.keys() == {"wide", "branded"}
    assert index.count() == 7
    index.close()


def test_a_batch_of_which_the_server_refuses_every_row_comes_to_an_end(
    settings: IndexSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Finding out about each row takes longer than a comparison may be old."""
    monkeypatch.setattr("index.milvus.check_change", lambda change, dimensions: None)
    rng = np.random.default_rng(8)
    a_third_of_that_age = itertools.count(step=settings.timeout_seconds / 6)
    index = MilvusIndex(settings, TEXT, IMAGE, create=True, clock=lambda: next(a_third_of_that_age))
    rows = [
        ProductRow(f"p{number}", 1, {"brand": "x" * 2_000}, "", ContentHashes("t"), {TEXT_FIELD: unit(rng, 24)})
        for number in range(256)
    ]
    assert {one.outcome for one in index.apply(rows)} == {Outcome.REFUSED}
    index.close()
