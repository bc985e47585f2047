"""From a query as HTTP gave it to the answer as HTTP gets it."""

import base64
import binascii
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from time import perf_counter
from typing import Any

from fastapi import Response
from PIL.Image import Image
from uuid_utils import uuid7

from encoders.images import ImageError, ImageFailure, decode_image
from index.base import Filter
from ranking.facets import Facet
from ranking.fusion import Leg
from ranking.queries import InvalidQueryError, SearchAnswer, SearchHit, SearchRequest
from ranking.query_understanding import UnderstoodQuery
from ranking.reranking import RankedProduct
from serving.answers import json_response
from serving.filters import from_json
from serving.media_routes import MediaLinks
from serving.problems import Problem, invalid_field
from serving.query_log import Answered, QueryLog, Shown
from serving.search_models import PageParameters, SearchQuery
from serving.search_notes import search_notes
from serving.services import Services
from serving.shoppers import Askers


@dataclass(frozen=True, slots=True)
class Asked:
    """A checked query; its picture is not fetched or decoded yet, since that takes time."""

    text: str
    picture: bytes | None
    picture_link: str | None
    filters: Sequence[Filter]
    facets: Sequence[str]
    rest: PageParameters | SearchQuery


def from_parameters(parameters: PageParameters, text: str, picture: bytes | None = None) -> Asked:
    """Raises Problem for filters that cannot be read, and for two pictures at once."""
    if picture is not None and parameters.image_url is not None:
        raise invalid_field("give image or image_url, not both", parameter="image_url")
    return Asked(
        text=text,
        picture=picture,
        picture_link=parameters.image_url,
        filters=parameters.filters(),
        facets=parameters.facet,
        rest=parameters,
    )


def from_query(query: SearchQuery) -> Asked:
    """Raises Problem for filters that cannot be read, and for a picture that is not base64."""
    picture = None
    if query.image_base64 is not None:
        try:
            picture = base64.b64decode(query.image_base64, validate=True)
        except (binascii.Error, ValueError) as error:
            raise invalid_field(f"not base64: {error}", pointer="#/image_base64") from None
    return Asked(
        text=query.text,
        picture=picture,
        picture_link=query.image_url,
        filters=from_json(query.filters),
        facets=query.facets,
        rest=query,
    )


class Answerer:
    """Searches, writes the answer, and says what it was. Blocks: call it from a thread."""

    def __init__(self, services: Services, askers: Askers, queries: QueryLog) -> None:
        self._search = services.search
        self._requests = RequestReader(services)
        self._links = services.links
        self._askers = askers
        self._queries = queries
        self._clock = services.clock

    def answer(self, asked: Asked) -> Response:
        start = perf_counter()
        query_id = new_query_id()
        asker = self._askers.asker(asked.rest)
        visit = asker.visit(query_id, self._clock(), explain=asked.rest.explain, is_shown=asked.rest.track)
        answer = self._search.search(replace(self._requests.request(asked), visit=visit))
        if asked.rest.explain:
            answer = self._search.explain(answer)
        content = _content(query_id, answer, asked.rest.explain, self._links, perf_counter() - start)
        if asked.rest.track:
            self._queries.record(self._answered(query_id, asked, answer), asker)
        return json_response(content)

    def _answered(self, query_id: str, asked: Asked, answer: SearchAnswer) -> Answered:
        return Answered(
            query_id=query_id,
            text=asked.text,
            kind=answer.kind,
            shown=shown(answer.hits),
            releases=self._search.releases,
            language=answer.understood.language,
        )


class RequestReader:
    """Fetches and decodes the picture. Blocks: call it from a thread."""

    def __init__(self, services: Services) -> None:
        self._images = services.images
        self._image_limits = services.image_limits

    def request(self, asked: Asked) -> SearchRequest:
        """What search takes. Raises Problem."""
        try:
            return SearchRequest(
                text=asked.text,
                image=self._picture(asked),
                filters=asked.filters,
                facets=asked.facets,
                limit=asked.rest.limit,
                offset=asked.rest.offset,
                language=asked.rest.language,
                sort=asked.rest.sort,
                interpret=asked.rest.interpret,
                as_words=asked.rest.as_words,
            )
        except InvalidQueryError as error:
            raise Problem("invalid-fields", str(error)) from None

    def _picture(self, asked: Asked) -> Image | None:
        try:
            if asked.picture_link is not None:
                return decode_image(self._images.fetch(asked.picture_link), self._image_limits)
            return None if asked.picture is None else decode_image(asked.picture, self._image_limits)
        except ImageError as error:
            detail = str(error) if asked.picture_link is None else for_strangers(error.reason, "image_url")
            name = "too-large" if error.reason is ImageFailure.TOO_MANY_BYTES else "unusable-picture"
            raise Problem(name, detail) from None


def for_strangers(reason: ImageFailure, link: str) -> str:
    """Nothing of what a link answered, nor which names there are in the network inside."""
    shown = ImageFailure.UNREACHABLE if reason is ImageFailure.PRIVATE_ADDRESS else reason
    return f"{shown}: no picture could be fetched from {link}"


def new_query_id() -> str:
    """UUID version 7 (RFC 9562), by its time first: lists of one moment lie side by side in a store."""
    return str(uuid7())


def shown(hits: Iterable[SearchHit]) -> list[Shown]:
    """A place that was not drawn by lot has the chance 1."""
    return [
        Shown(hit.product_id, hit.position, hit.ranked.propensity, hit.ranked.candidate)
        if hit.ranked is not None
        else Shown(hit.product_id, hit.position, 1.0)
        for hit in hits
    ]


def _content(query_id: str, answer: SearchAnswer, explain: bool, links: MediaLinks, seconds: float) -> dict[str, Any]:
    notes = search_notes(answer)
    content: dict[str, Any] = {
        "query_id": query_id,
        "kind": answer.kind,
        "results": [result_content(hit, explain, links) for hit in answer.hits],
        "total": {"matches": answer.total.matches, "exact": answer.total.exact},
        "nearest": answer.nearest,
        "facets": [_facet(facet) for facet in answer.facets],
        "understood": _understood(answer.understood),
        "notes": [note.text for note in notes],
        "note_codes": [note.code for note in notes],
        "took_ms": milliseconds(seconds),
    }
    if explain:
        content["steps_ms"] = {step: milliseconds(spent) for step, spent in answer.seconds.items()}
    return content


def _facet(facet: Facet) -> dict[str, Any]:
    return {
        "field": facet.field,
        "values": [{"value": one.value, "count": one.count} for one in facet.values],
        "exact": facet.exact,
        "lowest": facet.lowest,
        "highest": facet.highest,
    }


def _understood(understood: UnderstoodQuery) -> dict[str, Any]:
    phrases = [
        {"text": phrase.text, "filters": [asdict(condition) for condition in phrase.filters]}
        for phrase in understood.phrases
    ]
    return {
        "text": understood.text,
        "language": understood.language,
        "phrases": phrases,
        "corrections": [{"text": written, "replacement": word} for written, word in understood.corrections],
        "brands": list(understood.brands),
    }


def result_content(hit: SearchHit, explain: bool, links: MediaLinks) -> dict[str, Any]:
    """One result as the API tells it."""
    product = shown_product(hit.document, links)
    result: dict[str, Any] = {"position": hit.position, "score": hit.score, "product": product}
    if explain:
        result["explanation"] = {
            leg.value: {"rank": found.rank, "score": found.score, "contribution": found.contribution}
            for leg, found in hit.legs.items()
        }
        if hit.terms:
            result["explanation"][Leg.KEYWORDS.value]["terms"] = hit.terms
        if hit.ranked is not None:
            result["reranking"] = reranking_content(hit.ranked)
        if hit.behind:
            result["behind"] = hit.behind
    return result


def reranking_content(ranked: RankedProduct) -> dict[str, Any]:
    return {"score": ranked.score, "from_position": ranked.candidate.position, "parts": ranked.parts}


def shown_product(document: Mapping[str, Any], links: MediaLinks) -> Mapping[str, Any]:
    """With pictures that a browser can open; where the server's other files lie concerns no shopper."""
    if "image_links" not in document:
        return document
    addresses = (links.address(link) for link in document["image_links"])
    return {**document, "image_links": [address for address in addresses if address is not None]}


def milliseconds(seconds: float) -> float:
    """To the microsecond."""
    return round(seconds * 1000, 3)
