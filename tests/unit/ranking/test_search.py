"""Search from query to page, over the exact index and the encoder without a model."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing

import numpy as np
import pytest
from PIL import Image
from prometheus_client import CollectorRegistry

from encoders.base import UnusableVector, Vectors
from encoders.hash import HashEncoder
from index.base import Filter, IndexUnavailable, Query, ScoredProduct, Tombstone
from index.memory import MemoryIndex
from index.text_analysis import Analyser
from monitoring.metrics import Metrics
from ranking.fusion import Leg
from ranking.queries import InvalidQueryError, QueryKind, SearchRequest
from ranking.search import Search
from ranking.settings import CompositionSettings, LegWeights, RankingSettings

RED, BLUE = (210, 30, 40), (40, 80, 200)
MakeSearch = Callable[..., Search]


class LatinOnly(HashEncoder):
    """A model that was trained on Latin script alone."""

    def understands(self, text: str) -> bool:
        return text.isascii()


class Unusable(HashEncoder):
    def encode_images(self, images: Sequence[Image.Image]) -> Vectors:
        raise UnusableVector([0], self.release)


class UnusableTexts(HashEncoder):
    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        raise UnusableVector([0], self.release)


class OppositeTexts(HashEncoder):
    """Its texts point away from a blue picture, but for rounding."""

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        blue, red = self.encode_images([Image.new("RGB", (32, 32), colour) for colour in (BLUE, RED)])
        return np.stack([np.float32(1e-4) * red - blue] * len(texts))


class Down(MemoryIndex):
    def search(self, query: Query, limit: int, filters: Sequence[Filter] = ()) -> list[ScoredProduct]:
        raise IndexUnavailable("http://127.0.0.1:19530 does not answer")


@pytest.fixture
def make_search(index: MemoryIndex, encoder: HashEncoder, analyser: Analyser, metrics: Metrics) -> Iterator[MakeSearch]:
    opened = ExitStack()

    def make(
        settings: RankingSettings | None = None,
        text_encoder: HashEncoder = encoder,
        image_encoder: HashEncoder = encoder,
        over: MemoryIndex = index,
    ) -> Search:
        search = Search(over, text_encoder, image_encoder, analyser, settings or RankingSettings(), metrics)
        return opened.enter_context(closing(search))

    with opened:
        yield make


def ids(hits: Sequence[object]) -> list[str]:
    return [hit.product_id for hit in hits]  # type: ignore[attr-defined]


def test_a_text_query_asks_all_three_legs_and_explains_each_place(make_search: MakeSearch) -> None:
    answer = make_search().search(SearchRequest(text="red dress"))
    best = answer.hits[0]
    assert (best.product_id, best.position, answer.kind) == ("dress", 1, QueryKind.TEXT)
    assert set(best.legs) == {Leg.TEXT, Leg.KEYWORDS, Leg.IMAGE}
    assert best.score == pytest.approx(sum(hit.contribution for hit in best.legs.values()))
    assert best.document["title"] == "Linen dress for summer days"
    assert answer.left_out == {}


def test_the_picture_leg_finds_a_colour_that_no_title_names(make_search: MakeSearch) -> None:
    assert make_search().rank(SearchRequest(text="blue"), legs={Leg.IMAGE}).products[0].product_id == "shirt"


def test_keywords_are_reduced_to_stems_as_the_index_has_them(make_search: MakeSearch) -> None:
    found = make_search().rank(SearchRequest(text="dresses"), legs={Leg.KEYWORDS}).products
    assert sorted(ids(found)) == ["dress", "lamp"]


def test_a_picture_finds_pictures_only(make_search: MakeSearch) -> None:
    answer = make_search().search(SearchRequest(image=Image.new("RGB", (50, 80), BLUE)))
    assert answer.kind is QueryKind.PICTURE
    assert ids(answer.hits) == ["shirt", "dress"]
    assert set(answer.hits[0].legs) == {Leg.IMAGE}


def test_picture_and_text_pull_together(make_search: MakeSearch, encoder: HashEncoder) -> None:
    picture = Image.new("RGB", (32, 32), BLUE)
    request = SearchRequest(text="red", image=picture)
    assert request.kind is QueryKind.TEXT_AND_PICTURE
    red, blue = encoder.encode_texts(["red", "blue"])
    both = encoder.encode_images([picture])[0] + RankingSettings().composition.exchange_weight * (red - blue)
    scores = {hit.product_id: hit.score for hit in make_search().search(request).hits}
    ranking = make_search().rank(request, legs={Leg.IMAGE})
    stored = encoder.encode_images([Image.new("RGB", (32, 32), RED)])[0]
    dress = next(product for product in ranking.products if product.product_id == "dress")
    assert dress.legs[Leg.IMAGE].score == pytest.approx(float(stored @ both / np.linalg.norm(both)), abs=1e-5)
    assert {"dress", "shirt"} <= set(scores)
    assert ranking.products[0].product_id == "dress"


@pytest.mark.parametrize("text", ["this, but red", "the same in red please", "this under 100, but red", "同款 red 的"])
def test_what_only_points_at_the_picture_changes_nothing(make_search: MakeSearch, text: str) -> None:
    search, picture = make_search(), Image.new("RGB", (32, 32), BLUE)
    ranking = search.rank(SearchRequest(text=text, image=picture))
    assert ranking.request.text == "red"
    assert ranking.products[0].product_id == "dress"


def test_words_that_do_nothing_but_point_at_the_picture_leave_a_search_by_picture(make_search: MakeSearch) -> None:
    picture = Image.new("RGB", (32, 32), BLUE)
    answer = make_search().search(SearchRequest(text="like this one", image=picture))
    assert (answer.kind, answer.hits[0].product_id) == (QueryKind.PICTURE, "shirt")


def test_without_a_picture_no_word_is_dropped(make_search: MakeSearch) -> None:
    assert make_search().rank(SearchRequest(text="like this one")).request.text == "like this one"


def test_a_text_that_the_picture_model_does_not_know_leaves_the_picture_alone(make_search: MakeSearch) -> None:
    picture = Image.new("RGB", (32, 32), BLUE)
    search = make_search(image_encoder=LatinOnly())
    alone = search.rank(SearchRequest(image=picture)).products
    with_text = search.rank(SearchRequest(text="红色", image=picture), legs={Leg.IMAGE}).products
    assert [product.legs[Leg.IMAGE].score for product in with_text] == [
        product.legs[Leg.IMAGE].score for product in alone
    ]


@pytest.mark.parametrize("encoder_of_texts", [UnusableTexts(), OppositeTexts()])
def test_a_text_that_gives_the_picture_no_direction_leaves_the_picture_alone(
    make_search: MakeSearch, encoder_of_texts: HashEncoder
) -> None:
    picture = Image.new("RGB", (32, 32), BLUE)
    alone = make_search().rank(SearchRequest(image=picture))
    as_much = RankingSettings(composition=CompositionSettings(words_weight=1))
    search = make_search(settings=as_much, image_encoder=encoder_of_texts)
    with_text = search.rank(SearchRequest(text="washable", image=picture), legs={Leg.IMAGE})
    assert with_text.left_out == {}
    assert [product.legs[Leg.IMAGE].score for product in with_text.products] == [
        product.legs[Leg.IMAGE].score for product in alone.products
    ]


def test_an_encoder_that_does_not_know_the_script_is_left_out_with_the_reason(make_search: MakeSearch) -> None:
    answer = make_search(text_encoder=LatinOnly(), image_encoder=LatinOnly()).search(SearchRequest(text="连衣裙"))
    assert ids(answer.hits) == ["连衣裙"]
    assert set(answer.left_out) == {Leg.TEXT, Leg.IMAGE}
    assert "hash@" in answer.left_out[Leg.TEXT]


def test_a_query_without_words_goes_by_vector_alone(make_search: MakeSearch) -> None:
    answer = make_search().search(SearchRequest(text="🎉!?"))
    assert answer.left_out == {Leg.KEYWORDS: "the query has no words to look up"}
    assert len(answer.hits) == 4


def test_a_picture_without_a_usable_vector_leaves_the_text_legs(make_search: MakeSearch) -> None:
    request = SearchRequest(text="dress", image=Image.new("RGB", (8, 8)))
    answer = make_search(image_encoder=Unusable()).search(request)
    assert answer.hits[0].product_id == "dress"
    assert "no finite" in answer.left_out[Leg.IMAGE]


def test_without_pictures_words_and_meaning_keep_their_ratio(make_search: MakeSearch, index: MemoryIndex) -> None:
    index.apply([Tombstone("dress", 2**60), Tombstone("shirt", 2**60)])
    settings = RankingSettings()
    without = LegWeights(text=settings.text_query.text, keywords=settings.text_query.keywords)
    request = SearchRequest(text="lamp for the office")
    found = make_search().rank(request).products
    assert found == make_search(RankingSettings(text_query=without)).rank(request).products


def test_filters_reach_every_leg(make_search: MakeSearch) -> None:
    cheap = Filter("price", at_most=40.0)
    assert sorted(ids(make_search().search(SearchRequest(text="dress", filters=[cheap])).hits)) == ["lamp", "shirt"]


def test_ranking_can_be_confined_to_judged_products_and_to_one_leg(make_search: MakeSearch) -> None:
    judged = Filter("id", any_of=("lamp", "shirt"))
    ranking = make_search().rank(SearchRequest(text="dress", filters=[judged], limit=1000), legs={Leg.TEXT})
    assert sorted(ids(ranking.products)) == ["lamp", "shirt"]
    assert all(set(product.legs) == {Leg.TEXT} for product in ranking.products)


def test_pages_continue_one_list(make_search: MakeSearch) -> None:
    search = make_search()
    whole = search.search(SearchRequest(text="dress", limit=4)).hits
    pages = [search.search(SearchRequest(text="dress", limit=1, offset=offset)).hits for offset in range(4)]
    assert [hit for page in pages for hit in page] == list(whole)
    assert [hit.position for hit in whole] == [1, 2, 3, 4]
    assert search.search(SearchRequest(text="dress", limit=10, offset=4)).hits == []


def test_each_leg_brings_no_more_than_its_candidates(make_search: MakeSearch) -> None:
    settings = RankingSettings(candidates=1, text_query=LegWeights(text=1.0))
    assert len(make_search(settings).rank(SearchRequest(text="dress", limit=1)).products) == 1
    assert len(make_search(settings).rank(SearchRequest(text="dress", limit=3)).products) == 3


def test_a_leg_of_weight_0_is_not_asked(make_search: MakeSearch, registry: CollectorRegistry) -> None:
    answer = make_search(RankingSettings(text_query=LegWeights(keywords=1.0))).search(SearchRequest(text="dress"))
    assert all(set(hit.legs) == {Leg.KEYWORDS} for hit in answer.hits)
    assert set(answer.seconds) == {"retrieve", "fuse", "documents"}


def test_reciprocal_rank_fusion_is_a_setting(make_search: MakeSearch) -> None:
    equal = LegWeights(text=1, keywords=1, image=1)
    settings = RankingSettings(fusion="rrf", rrf_k=10, text_query=equal)
    answer = make_search(settings).search(SearchRequest(text="dress"))
    assert answer.hits[0].product_id == "dress"
    assert all(hit.contribution == pytest.approx(1 / 3 / (10 + hit.rank)) for hit in answer.hits[0].legs.values())


def test_a_product_deleted_between_search_and_fetch_is_not_shown(
    make_search: MakeSearch, index: MemoryIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    found_documents = index.documents

    def documents_after_a_deletion(product_ids: Sequence[str]) -> dict[str, dict[str, object]]:
        index.apply([Tombstone("dress", 2**60)])
        return found_documents(product_ids)

    monkeypatch.setattr(index, "documents", documents_after_a_deletion)
    assert "dress" not in ids(make_search().search(SearchRequest(text="dress")).hits)


def test_steps_and_outcomes_are_counted(make_search: MakeSearch, registry: CollectorRegistry) -> None:
    make_search().search(SearchRequest(text="dress"))
    for step in ("encode_text", "encode_image", "retrieve", "fuse", "documents"):
        assert registry.get_sample_value("millrace_search_seconds_count", {"step": step}) == 1
    assert registry.get_sample_value("millrace_searches_total", {"kind": "text", "outcome": "answered"}) == 1


def test_an_index_that_is_down_is_counted_and_told(make_search: MakeSearch, registry: CollectorRegistry) -> None:
    with pytest.raises(IndexUnavailable, match="19530"):
        make_search(over=Down(256, 256)).search(SearchRequest(text="dress"))
    assert registry.get_sample_value("millrace_searches_total", {"kind": "text", "outcome": "unavailable"}) == 1


@pytest.mark.parametrize(
    "wrong", [{}, {"text": "  "}, {"text": "a", "limit": 0}, {"text": "a", "offset": -1}, {"text": "a", "offset": 995}]
)
def test_a_query_for_nothing_or_too_much_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(InvalidQueryError):
        SearchRequest(**wrong)  # type: ignore[arg-type]


def test_weights_that_ask_nobody_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one leg"):
        LegWeights()
