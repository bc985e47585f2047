"""What every VectorIndex does, asked of the one in memory and of Milvus."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from uuid import uuid4

import numpy as np
import pytest

from index.base import (
    IMAGE_FIELD,
    TEXT_FIELD,
    Change,
    ContentHashes,
    Filter,
    IndexedState,
    IndexRefused,
    KeywordQuery,
    LogPosition,
    Outcome,
    PartialUpdate,
    ProductRow,
    Query,
    Tombstone,
    Vector,
    VectorIndex,
    VectorQuery,
    VectorSpace,
)
from index.embedded_milvus import EmbeddedMilvus
from index.factory import create_index
from index.settings import IndexSettings
from index.text_analysis import Analyser

TEXT_DIMENSION, IMAGE_DIMENSION = 8, 4
TEXT, IMAGE = VectorSpace("text@1", TEXT_DIMENSION), VectorSpace("image@1", IMAGE_DIMENSION)
HASHES = ContentHashes("text-1", "link-1", "image-1")
WORDS_ONLY = ContentHashes("text-1")


@pytest.fixture(scope="module")
def milvus_uri(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with EmbeddedMilvus(tmp_path_factory.mktemp("milvus")) as milvus:
        yield milvus.uri


KINDS = ["memory", pytest.param("milvus", marks=pytest.mark.services)]


@pytest.fixture(params=KINDS)
def index(request: pytest.FixtureRequest) -> Iterator[VectorIndex]:
    index = create(request)
    yield index
    index.close()


@pytest.fixture(scope="module", params=KINDS)
def assortment(request: pytest.FixtureRequest) -> Iterator[VectorIndex]:
    """An index that holds FILTERED and is only read."""
    index = create(request)
    index.apply(FILTERED)
    yield index
    index.close()


def create(request: pytest.FixtureRequest) -> VectorIndex:
    settings = IndexSettings(kind=request.param, alias=f"products_{uuid4().hex}")
    if request.param == "milvus":
        settings = settings.model_copy(update={"uri": request.getfixturevalue("milvus_uri")})
    return create_index(settings, TEXT, IMAGE, create=True)


def axis(place: int, dimension: int = TEXT_DIMENSION) -> Vector:
    vector = np.zeros(dimension, np.float32)
    vector[place] = 1
    return vector


def product(
    product_id: str,
    version: int = 1,
    keywords: str = "red shoe",
    text: Vector | None = None,
    image: Vector | None = None,
    **fields: object,
) -> ProductRow:
    vectors = {TEXT_FIELD: axis(0) if text is None else text} | ({} if image is None else {IMAGE_FIELD: image})
    hashes = HASHES if image is not None else WORDS_ONLY
    return ProductRow(product_id, version, {"id": product_id, "title": "Shoe"} | fields, keywords, hashes, vectors)


def update(product_id: str, version: int, expects: ContentHashes = WORDS_ONLY, **fields: object) -> Change:
    return PartialUpdate(product_id, version, {"id": product_id} | fields, "blue boot", expects, expects)


def outcomes(index: VectorIndex, *changes: Change) -> list[Outcome]:
    return [applied.outcome for applied in index.apply(changes)]


def found(index: VectorIndex, query: Query, *filters: Filter, limit: int = 10) -> list[str]:
    return [hit.product_id for hit in index.search(query, limit, filters)]


NEAR_FIRST_AXIS = VectorQuery(TEXT_FIELD, axis(0))


def test_the_vectors_of_a_product_are_those_that_it_has(index: VectorIndex) -> None:
    index.apply([product("both", text=axis(3), image=axis(1, IMAGE_DIMENSION)), product("words"), product("gone")])
    index.apply([Tombstone("gone", 2)])

    vectors = index.vectors(["words", "both", "gone", "never was"])
    both, words = vectors["both"], vectors["words"]

    assert {name: vector.tolist() for name, vector in both.items()} == {
        TEXT_FIELD: axis(3).tolist(),
        IMAGE_FIELD: axis(1, IMAGE_DIMENSION).tolist(),
    }
    assert {vector.dtype for vector in both.values()} == {np.dtype(np.float32)}
    assert words.keys() == {TEXT_FIELD}
    assert vectors.keys() == {"both", "words"}


def test_nothing_is_found_in_an_empty_index(index: VectorIndex) -> None:
    assert index.count() == 0
    assert index.states(["a"]) == {}
    assert index.documents(["a"]) == {}
    assert index.states([]) == {}
    assert index.apply([]) == []
    assert found(index, NEAR_FIRST_AXIS) == []
    assert found(index, KeywordQuery("shoe")) == []


def test_what_was_written_is_there_at_once(index: VectorIndex) -> None:
    row = product("a", image=axis(1, IMAGE_DIMENSION), price=3.5, categories=["shoes"], attributes={"size": 42})
    assert outcomes(index, row) == [Outcome.WRITTEN]
    assert index.states(["a", "b"]) == {"a": IndexedState(1, False, HASHES)}
    assert index.documents(["a", "b"]) == {"a": dict(row.document)}
    assert index.count() == 1
    assert found(index, NEAR_FIRST_AXIS) == ["a"]
    assert found(index, KeywordQuery("shoe")) == ["a"]
    assert found(index, VectorQuery(IMAGE_FIELD, axis(1, IMAGE_DIMENSION))) == ["a"]


def test_a_newer_version_replaces_all_of_an_older_one(index: VectorIndex) -> None:
    index.apply([product("a", image=axis(1, IMAGE_DIMENSION), brand="Old")])
    assert outcomes(index, product("a", 2, "green hat", axis(3), colour="green")) == [Outcome.WRITTEN]
    assert index.documents(["a"]) == {"a": {"id": "a", "title": "Shoe", "colour": "green"}}
    assert index.count() == 1
    assert found(index, KeywordQuery("shoe")) == []
    assert found(index, KeywordQuery("hat")) == ["a"]
    assert found(index, VectorQuery(IMAGE_FIELD, axis(1, IMAGE_DIMENSION))) == []
    assert found(index, NEAR_FIRST_AXIS, Filter("brand", ("Old",))) == []
    assert index.search(VectorQuery(TEXT_FIELD, axis(3)), 1)[0].score == pytest.approx(1, abs=1e-6)


def test_a_repeat_and_an_older_version_change_nothing(index: VectorIndex) -> None:
    index.apply([product("a", 5, brand="New")])
    assert outcomes(index, product("a", 5, brand="Same")) == [Outcome.STALE]
    assert outcomes(index, product("a", 4, brand="Old"), Tombstone("b", 1)) == [Outcome.STALE, Outcome.WRITTEN]
    assert outcomes(index, Tombstone("a", 5), Tombstone("b", 1)) == [Outcome.STALE, Outcome.STALE]
    assert index.documents(["a"])["a"]["brand"] == "New"


def test_a_deleted_product_is_not_found_and_only_a_newer_version_brings_it_back(index: VectorIndex) -> None:
    index.apply([product("a", 1, image=axis(1, IMAGE_DIMENSION)), product("b")])
    assert outcomes(index, Tombstone("a", 3)) == [Outcome.WRITTEN]
    assert index.states(["a"]) == {"a": IndexedState(3, True, ContentHashes())}
    assert index.documents(["a", "b"]).keys() == {"b"}
    assert index.count() == 1
    assert found(index, NEAR_FIRST_AXIS) == ["b"]
    assert found(index, KeywordQuery("shoe")) == ["b"]
    assert found(index, VectorQuery(IMAGE_FIELD, axis(1, IMAGE_DIMENSION))) == []
    assert outcomes(index, product("a", 2)) == [Outcome.STALE]
    assert outcomes(index, product("a", 4)) == [Outcome.WRITTEN]
    assert index.count() == 2


def test_a_deletion_of_an_unknown_product_is_remembered(index: VectorIndex) -> None:
    assert outcomes(index, Tombstone("a", 3)) == [Outcome.WRITTEN]
    assert outcomes(index, product("a", 2)) == [Outcome.STALE]
    assert index.count() == 0


def test_a_tombstone_without_a_date_ends_only_what_an_earlier_record_wrote(index: VectorIndex) -> None:
    index.apply([replace(product("a", 1), position=LogPosition(50, 7)), Tombstone("gone", 1)])

    for position in (LogPosition(50, 7), LogPosition(50, 6), LogPosition(40, 7)):
        assert outcomes(index, Tombstone("a", 9, dated=False, position=position)) == [Outcome.STALE]
    undated = [Tombstone(id_, 9, dated=False, position=LogPosition(50, 8)) for id_ in ("a", "gone", "unknown")]
    assert outcomes(index, *undated) == [Outcome.WRITTEN, Outcome.STALE, Outcome.STALE]

    assert index.states(["a", "gone", "unknown"]) == {
        "a": IndexedState(9, True, ContentHashes(), LogPosition(50, 8)),
        "gone": IndexedState(1, True, ContentHashes()),
    }


def test_a_partial_update_keeps_the_vectors_and_replaces_document_and_keywords(index: VectorIndex) -> None:
    index.apply([product("a", text=axis(2), image=axis(1, IMAGE_DIMENSION), price=1.0)])
    index.flush()
    assert outcomes(index, update("a", 2, HASHES, price=2.0)) == [Outcome.WRITTEN]
    assert index.states(["a"]) == {"a": IndexedState(2, False, HASHES)}
    assert index.documents(["a"]) == {"a": {"id": "a", "price": 2.0}}
    assert found(index, KeywordQuery("shoe")) == []
    assert found(index, KeywordQuery("boot")) == ["a"]
    assert found(index, NEAR_FIRST_AXIS, Filter("price", at_least=1.5)) == ["a"]
    for query in (VectorQuery(TEXT_FIELD, axis(2)), VectorQuery(IMAGE_FIELD, axis(1, IMAGE_DIMENSION))):
        assert index.search(query, 1)[0].score == pytest.approx(1, abs=1e-6)


def test_a_partial_update_replaces_the_vectors_that_it_names(index: VectorIndex) -> None:
    index.apply([product("a", text=axis(2), image=axis(1, IMAGE_DIMENSION))])
    after = ContentHashes("text-2", "link-1", "image-1")
    change = PartialUpdate("a", 2, {"id": "a"}, "boot", HASHES, after, {TEXT_FIELD: axis(5)})
    assert outcomes(index, change) == [Outcome.WRITTEN]
    assert index.states(["a"])["a"].hashes == after
    assert index.search(VectorQuery(TEXT_FIELD, axis(5)), 1)[0].score == pytest.approx(1, abs=1e-6)
    assert index.search(VectorQuery(IMAGE_FIELD, axis(1, IMAGE_DIMENSION)), 1)[0].score == pytest.approx(1, abs=1e-6)


def test_a_partial_update_takes_the_picture_away_and_brings_one(index: VectorIndex) -> None:
    picture = VectorQuery(IMAGE_FIELD, axis(1, IMAGE_DIMENSION))
    index.apply([product("a", image=axis(1, IMAGE_DIMENSION))])
    removal = PartialUpdate("a", 2, {}, "boot", HASHES, WORDS_ONLY, {IMAGE_FIELD: None})
    assert outcomes(index, removal) == [Outcome.WRITTEN]
    assert found(index, picture) == []
    assert found(index, NEAR_FIRST_AXIS) == ["a"]
    back = PartialUpdate("a", 3, {}, "boot", WORDS_ONLY, HASHES, {IMAGE_FIELD: axis(1, IMAGE_DIMENSION)})
    assert outcomes(index, back) == [Outcome.WRITTEN]
    assert found(index, picture) == ["a"]


def test_a_partial_update_conflicts_with_other_content_a_missing_and_a_deleted_product(index: VectorIndex) -> None:
    index.apply([product("a"), Tombstone("gone", 1)])
    changes = [update("a", 2, ContentHashes("other")), update("gone", 2, ContentHashes()), update("new", 2)]
    assert outcomes(index, *changes) == [Outcome.CONFLICT] * 3
    assert outcomes(index, update("a", 1, ContentHashes("other"))) == [Outcome.STALE]
    assert index.states(["a", "gone", "new"]).keys() == {"a", "gone"}
    assert index.states(["a"])["a"].version == 1


def test_mixed_changes_of_one_call_are_answered_in_their_order(index: VectorIndex) -> None:
    index.apply([product("a", 5), product("b", 5), product("c", 5, image=axis(0, IMAGE_DIMENSION))])
    changes = [
        product("new", 1),
        Tombstone("a", 9),
        product("b", 4),
        update("c", 6, HASHES),
        update("nowhere", 1),
        product("pictured", 1, image=axis(2, IMAGE_DIMENSION)),
    ]
    written, stale, conflict = Outcome.WRITTEN, Outcome.STALE, Outcome.CONFLICT
    assert outcomes(index, *changes) == [written, written, stale, written, conflict, written]
    assert index.count() == 4


def test_two_changes_of_one_product_in_a_call_are_refused(index: VectorIndex) -> None:
    with pytest.raises(IndexRefused, match="two changes"):
        index.apply([product("a", 1), product("a", 2)])


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (product("bad", text=np.full(TEXT_DIMENSION, np.nan, np.float32)), "NaN"),
        (product("bad", text=axis(0, TEXT_DIMENSION + 1)), "reindex"),
        (product("bad", image=axis(0, IMAGE_DIMENSION + 1)), "reindex"),
        (product("bad", description="x" * 70_000), "shorten"),
        (product("bad", brand="x" * 1_001), "brand"),
        (product("x" * 801), "product id"),
        (product("bad", attributes={"all": [str(number) for number in range(4_000)]}, description=""), "send fewer"),
        (product("bad", title={1, 2}), "JSON"),
        (ProductRow("bad", 1, {}, "", ContentHashes()), TEXT_FIELD),
        (update("bad", -1), "version"),
    ],
)
def test_a_row_that_cannot_be_held_is_refused_alone(index: VectorIndex, row: Change, reason: str) -> None:
    applied = index.apply([product("before"), row, product("after")])
    assert [one.outcome for one in applied] == [Outcome.WRITTEN, Outcome.REFUSED, Outcome.WRITTEN]
    assert reason in applied[1].detail
    assert index.states([row.product_id]) == {}
    assert index.count() == 2


def test_keywords_that_are_too_many_are_cut_between_tokens(index: VectorIndex) -> None:
    keywords = "first " + " ".join(f"机器{number}" for number in range(8_000)) + " last"
    assert outcomes(index, product("a", keywords=keywords)) == [Outcome.WRITTEN]
    assert found(index, KeywordQuery("first")) == ["a"]
    assert found(index, KeywordQuery("机器0")) == ["a"]
    assert found(index, KeywordQuery("last")) == []


def test_hits_come_best_first_and_no_more_than_asked_for(index: VectorIndex) -> None:
    rng = np.random.default_rng(1)
    texts = rng.standard_normal((40, TEXT_DIMENSION)).astype(np.float32)
    texts /= np.linalg.norm(texts, axis=1, keepdims=True)
    index.apply([product(f"p{place}", text=vector) for place, vector in enumerate(texts)])
    hits = index.search(VectorQuery(TEXT_FIELD, texts[7]), 15)
    expected = np.argsort(-(texts @ texts[7]))[:15]
    assert [hit.product_id for hit in hits] == [f"p{place}" for place in expected]
    assert [hit.score for hit in hits] == pytest.approx((texts @ texts[7])[expected].tolist(), abs=1e-5)
    assert index.search(VectorQuery(TEXT_FIELD, texts[7]), 0) == []
    assert len(index.search(VectorQuery(TEXT_FIELD, texts[7]), 20_000)) == 40


def test_rarer_and_repeated_words_in_shorter_texts_weigh_more(index: VectorIndex) -> None:
    index.apply(
        [
            product("rare", keywords="red umbrella"),
            product("common", keywords="red shoe"),
            product("twice", keywords="red red shoe shoe"),
            product("long", keywords="red shoe for the street and for the park"),
        ]
    )
    assert found(index, KeywordQuery("red umbrella"))[0] == "rare"
    assert found(index, KeywordQuery("shoe")) == ["twice", "common", "long"]
    assert found(index, KeywordQuery("sandal")) == []
    assert found(index, KeywordQuery("")) == []
    assert all(hit.score > 0 for hit in index.search(KeywordQuery("shoe"), 10))


def test_chinese_words_and_model_numbers_are_found_through_the_analyser(index: VectorIndex) -> None:
    analyser = Analyser()
    texts = {
        "case": ("苹果手机壳 防摔", "zh-CN"),
        "phones": ("无线蓝牙耳机", "zh"),
        "laptop": ('HP dv7-1211ea 17" Laptops', "en"),
        "toner": ("Xerox 006R90321 Toner", "en"),
    }
    index.apply([product(name, keywords=analyser.analyse(*text)) for name, text in texts.items()])
    queries = {"手机": "case", "蓝牙耳机": "phones", "dv7-1211EA": "laptop", "laptop": "laptop", "006r90321": "toner"}
    assert {query: found(index, KeywordQuery(analyser.analyse(query))) for query in queries} == {
        query: [name] for query, name in queries.items()
    }


def test_a_picture_query_never_finds_a_product_without_a_picture(index: VectorIndex) -> None:
    opposite = -axis(0, IMAGE_DIMENSION)
    index.apply([product("pictured", image=opposite), *(product(f"plain{number}") for number in range(20))])
    assert found(index, VectorQuery(IMAGE_FIELD, axis(0, IMAGE_DIMENSION))) == ["pictured"]


FILTERED = [
    product("a", brand="Acme", categories=["shoes", "sale"], price=10.0, currency="EUR", availability="in_stock"),
    product("b", brand='O"Neil\\', categories=["shoes"], price=20.0, rating=4.5, language="en"),
    product("c", categories=["shoes%", "100% wool_"], attributes={"colour": ["red", "blue"], "width": 30, "new": True}),
    product("d", attributes={"colour": "red", "width": 3.5, "new": False, "one": "1", 'say "hi"\\': "你好"}),
    product("e", price=0.0, language="zh-CN", attributes={"one": 1, "colour": "reddish"}),
]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (Filter("brand", ("Acme",)), "a"),
        (Filter("brand", ("Acme", 'O"Neil\\')), "ab"),
        (Filter("brand", ("acme",)), ""),
        (Filter("id", ("a", "e", "nowhere")), "ae"),
        (Filter("categories", ("sale",)), "a"),
        (Filter("categories", ("sale", "100% wool_")), "ac"),
        (Filter("categories", ("shoe",)), ""),
        (Filter("categories", ("shoe%", "shoes_", "%")), ""),
        (Filter("price", at_least=10), "ab"),
        (Filter("price", at_most=10), "ae"),
        (Filter("price", at_least=5, at_most=15), "a"),
        (Filter("price", (10, 20.0)), "ab"),
        (Filter("price", at_least=-5, at_most=0), "e"),
        (Filter("rating", at_least=4), "b"),
        (Filter("currency", ("EUR",)), "a"),
        (Filter("availability", ("in_stock",)), "a"),
        (Filter("language", ("zh-CN",)), "e"),
        (Filter("attributes.colour", ("red",)), "cd"),
        (Filter("attributes.colour", ("blue", "reddish")), "ce"),
        (Filter("attributes.new", (True,)), "c"),
        (Filter("attributes.new", (False,)), "d"),
        (Filter("attributes.one", ("1",)), "d"),
        (Filter("attributes.one", (1,)), "e"),
        (Filter("attributes.one", (1.0, "1")), "de"),
        (Filter("attributes.one", (True,)), ""),
        (Filter("attributes.width", at_least=3.5), "cd"),
        (Filter("attributes.width", at_least=3.6, at_most=30), "c"),
        (Filter("attributes.width", (30, 3.5), at_most=10), "d"),
        (Filter("attributes.colour", at_least=0), ""),
        (Filter('attributes.say "hi"\\', ("你好",)), "d"),
        (Filter("attributes.missing", ("x",)), ""),
        (Filter("brand", ('" or id != "" or "" == "',)), ""),
        (Filter("brand", ('Acme"] or deleted == false or brand in ["',)), ""),
        (Filter("brand", ("\\", "\n", "' or true or '", "{x}", "%", "🙂", "\\u0041cme")), ""),
        (Filter('attributes.x"] or true or numbers["', at_least=0), ""),
    ],
    ids=str,
)
def test_a_filter_lets_through_what_satisfies_it(assortment: VectorIndex, condition: Filter, expected: str) -> None:
    for query in (NEAR_FIRST_AXIS, KeywordQuery("shoe")):
        assert "".join(sorted(found(assortment, query, condition))) == expected


def test_a_hit_tells_the_availability(assortment: VectorIndex) -> None:
    query = VectorQuery(TEXT_FIELD, np.eye(TEXT_DIMENSION, dtype=np.float32)[0])
    found = {hit.product_id: hit.availability for hit in assortment.search(query, 10)}
    documents = assortment.documents(list(found))
    assert found == {product_id: held.get("availability", "") for product_id, held in documents.items()}
    assert "in_stock" in found.values()


def test_several_filters_must_all_hold_and_none_brings_a_deleted_product_back(index: VectorIndex) -> None:
    index.apply(FILTERED)
    both = (Filter("categories", ("shoes",)), Filter("price", at_least=15))
    assert found(index, NEAR_FIRST_AXIS, *both) == ["b"]
    index.apply([Tombstone("b", 2)])
    assert found(index, NEAR_FIRST_AXIS, *both) == []
    assert found(index, NEAR_FIRST_AXIS, Filter("id", ("b",))) == []


def test_few_matches_among_many_products_are_all_found(index: VectorIndex) -> None:
    rng = np.random.default_rng(2)
    rows = []
    for number in range(600):
        vector = rng.standard_normal(TEXT_DIMENSION).astype(np.float32)
        rows.append(product(f"p{number}", text=vector / np.linalg.norm(vector), brand=f"brand{number % 60}"))
    index.apply(rows)
    index.flush()
    assert len(found(index, NEAR_FIRST_AXIS, Filter("brand", ("brand7",)), limit=50)) == 10


@pytest.mark.parametrize(
    ("condition", "reason"),
    [
        (Filter("colour", ("red",)), "there are id, brand"),
        (Filter("deleted", (True,)), "no field"),
        (Filter("attributes.", ("x",)), "no field"),
        (Filter("brand"), "no condition"),
        (Filter("brand", at_least=1), "use any_of"),
        (Filter("brand", (1,)), "texts"),
        (Filter("brand", ("",)), "not empty"),
        (Filter("price", ("cheap",)), "numbers"),
        (Filter("price", at_least=float("nan")), "finite"),
        (Filter("price", at_most=float("inf")), "finite"),
    ],
    ids=str,
)
def test_a_filter_without_meaning_is_refused_with_the_cure(
    assortment: VectorIndex, condition: Filter, reason: str
) -> None:
    with pytest.raises(IndexRefused, match=reason):
        assortment.search(NEAR_FIRST_AXIS, 10, [condition])


@pytest.mark.parametrize("query", [VectorQuery(TEXT_FIELD, axis(0, 9)), VectorQuery("video", axis(0))], ids=str)  # type: ignore[arg-type]
def test_a_query_of_another_shape_or_field_is_refused(assortment: VectorIndex, query: Query) -> None:
    with pytest.raises(IndexRefused):
        assortment.search(query, 10)


def test_any_unicode_comes_back_as_it_went_in(index: VectorIndex) -> None:
    ids = ["😀-1", "عربي/٣", "商品 1", "a'b\"c\\d", "e\u0301", "é", "%_[]{}", "שלום\u200f", "x" * 200]
    index.apply([product(id_, title=f"{id_} – ‮ ﷺ 🧦", brand=id_) for id_ in ids])
    assert index.states(ids).keys() == set(ids)
    assert {id_: row["title"] for id_, row in index.documents(ids).items()} == {id_: f"{id_} – ‮ ﷺ 🧦" for id_ in ids}
    for id_ in ids:
        assert found(index, NEAR_FIRST_AXIS, Filter("brand", (id_,))) == [id_]
    assert outcomes(index, *(Tombstone(id_, 2) for id_ in ids)) == [Outcome.WRITTEN] * len(ids)
    assert index.count() == 0


def test_many_ids_are_looked_up_in_one_call(index: VectorIndex) -> None:
    ids = [f"p{number}" for number in range(1_500)]
    index.apply([product(id_) for id_ in ids])
    assert index.states([*ids, "unknown"]).keys() == set(ids)
    assert index.documents(ids).keys() == set(ids)


def test_everything_is_found_after_a_flush_as_before(index: VectorIndex) -> None:
    index.apply([product("a"), product("b", keywords="green hat"), Tombstone("d", 2)])
    index.apply([Tombstone("b", 2)])
    index.flush()
    index.apply([product("c", keywords="blue hat")])
    assert sorted(found(index, NEAR_FIRST_AXIS)) == ["a", "c"]
    assert found(index, KeywordQuery("hat")) == ["c"]
    assert index.states(["a", "b", "c"]).keys() == {"a", "b", "c"}
    assert index.count() == 2


def test_threads_that_write_one_product_leave_the_newest_version(index: VectorIndex) -> None:
    together = threading.Barrier(4)

    def write(version: int) -> None:
        for number in range(15):
            together.wait(30)
            index.apply([product(f"p{number}", version, brand=f"v{version}")])

    threads = [threading.Thread(target=write, args=[version]) for version in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ids = [f"p{number}" for number in range(15)]
    assert {state.version for state in index.states(ids).values()} == {4}
    assert {document["brand"] for document in index.documents(ids).values()} == {"v4"}
    assert index.count() == 15


def test_the_caller_may_change_its_rows_after_they_are_written(index: VectorIndex) -> None:
    document = {"id": "a", "categories": ["shoes"]}
    vector = axis(0)
    index.apply([ProductRow("a", 1, document, "shoe", HASHES, {TEXT_FIELD: vector})])
    document["categories"] = ["hats"]
    vector[0] = -1
    index.documents(["a"])["a"]["id"] = "changed"
    assert index.documents(["a"]) == {"a": {"id": "a", "categories": ["shoes"]}}
    assert index.search(NEAR_FIRST_AXIS, 1)[0].score == pytest.approx(1)


def test_a_text_only_index_takes_no_pictures() -> None:
    index = create_index(IndexSettings(kind="memory"), TEXT, None)
    assert outcomes(index, product("a"), product("b", image=axis(0))) == [Outcome.WRITTEN, Outcome.REFUSED]
    with pytest.raises(IndexRefused, match=IMAGE_FIELD):
        index.search(VectorQuery(IMAGE_FIELD, axis(0)), 1)


def test_a_scan_gives_each_product_that_is_there_once(index: VectorIndex) -> None:
    assert list(index.scan()) == []
    rows = [product(f"p-{number}", title=f"Shoe {number}") for number in range(1_100)]
    for start in range(0, len(rows), 500):
        index.apply(rows[start : start + 500])
    index.apply([Tombstone("p-7", 2), product("p-8", 2, title="Boot")])

    titles = {document["id"]: document["title"] for document in index.scan()}

    expected = {f"p-{number}": f"Shoe {number}" for number in range(1_100) if number != 7} | {"p-8": "Boot"}
    assert titles == expected
    assert sum(1 for _ in index.scan()) == len(expected)
