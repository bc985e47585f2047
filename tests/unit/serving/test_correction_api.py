"""A misspelt query over HTTP: what was corrected, and the way back."""

from collections.abc import Callable
from contextlib import closing

from fastapi.testclient import TestClient

from encoders.hash import HashEncoder
from index.memory import MemoryIndex
from index.text_analysis import Analyser
from monitoring.exposition import create_registry
from monitoring.metrics import create_metrics
from ranking.catalogue_words import CatalogueWords
from ranking.search import Search
from ranking.settings import RankingSettings


def test_a_correction_is_told_and_can_be_taken_off(
    make_client: Callable[..., TestClient], index: MemoryIndex, analyser: Analyser
) -> None:
    words, encoder = CatalogueWords(analyser), HashEncoder()
    words.learn(index.scan())
    words.complete()
    metrics = create_metrics(create_registry())
    with closing(Search(index, encoder, encoder, analyser, RankingSettings(), metrics, words)) as search:
        client = make_client(search=search)
        corrected = client.get("/v1/search", params={"q": "loom linnen dress"}).json()
        taken_off = client.get("/v1/search", params={"q": "loom linnen dress", "as_words": "linnen"}).json()
        as_words = client.post("/v1/search", json={"text": "loom linnen dress", "interpret": False}).json()

    assert corrected["understood"]["text"] == "loom linen dress"
    assert corrected["understood"]["corrections"] == [{"text": "linnen", "replacement": "linen"}]
    assert corrected["understood"]["brands"] == ["Loom"]
    assert corrected["results"][0]["product"]["id"] == "dress"
    assert (taken_off["understood"]["text"], taken_off["understood"]["corrections"]) == ("loom linnen dress", [])
    assert (as_words["understood"]["corrections"], as_words["understood"]["brands"]) == ([], [])
