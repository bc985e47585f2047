"""A query as each leg asks it: vectors and keywords."""

from encoders.base import Encoder, ImageEncoder, UnusableVector, Vectors
from index.base import IMAGE_FIELD, TEXT_FIELD, KeywordQuery, Query, Vector, VectorQuery
from index.identifiers import find_identifiers, identifier_token
from index.text_analysis import Analyser
from ranking.composition import PictureAndWords
from ranking.fusion import Leg
from ranking.queries import QueryKind, SearchRequest
from ranking.settings import CompositionSettings
from ranking.steps import StepTimer


class LegLeftOut(Exception):
    """The leg has nothing to say to this query; the message tells the user why."""


class NothingToAsk(Exception):
    """The leg is not for such queries, which nobody needs to be told."""


class QueryEncoder:
    """Safe to use from several threads, as its encoders are."""

    def __init__(
        self, text_encoder: Encoder, image_encoder: ImageEncoder, analyser: Analyser, composition: CompositionSettings
    ) -> None:
        self._text_encoder = text_encoder
        self._image_encoder = image_encoder
        self._analyser = analyser
        self._composition = PictureAndWords(image_encoder, composition)

    def encode(self, leg: Leg, request: SearchRequest, timer: StepTimer) -> Query:
        """What to ask of one leg. Raises LegLeftOut, NothingToAsk."""
        try:
            if leg is Leg.IDENTIFIERS:
                return _identifier_query(request.text)
            if leg is Leg.KEYWORDS:
                return self._keyword_query(request)
            if leg is Leg.TEXT:
                with timer.step("encode_text"):
                    return VectorQuery(TEXT_FIELD, self._text_vector(request.text))
            return self.image_query(request, timer)
        except UnusableVector as error:
            raise LegLeftOut(str(error)) from None

    def image_query(self, request: SearchRequest, timer: StepTimer) -> VectorQuery:
        """What the leg of pictures is asked. Raises LegLeftOut, UnusableVector."""
        with timer.step("encode_image"):
            return VectorQuery(IMAGE_FIELD, self._image_vector(request))

    def _keyword_query(self, request: SearchRequest) -> KeywordQuery:
        keywords = self._analyser.analyse(request.text, request.language)
        if not keywords:
            raise LegLeftOut("the query has no words to look up")
        return KeywordQuery(keywords)

    def _text_vector(self, text: str) -> Vector:
        _require_understood(self._text_encoder, text)
        return _lone(self._text_encoder.encode_texts([text]))

    def _image_vector(self, request: SearchRequest) -> Vector:
        """The picture, the text in the pictures' space, or the picture as the text changes it."""
        encoder = self._image_encoder
        if request.image is None:
            _require_understood(encoder, request.text)
            return _lone(encoder.encode_texts([request.text]))
        picture = _lone(encoder.encode_images([request.image]))
        if request.kind is QueryKind.PICTURE or not encoder.understands(request.text):
            return picture
        return self._composition.compose(picture, request.text)


def _identifier_query(text: str) -> KeywordQuery:
    """A lone word with a digit is taken for an article number, too: a shop's own may look like anything."""
    tokens = [identifier_token(found.text) for found in find_identifiers(text)]
    if not tokens and len(text.split()) == 1 and any(character.isdigit() for character in text):
        tokens = [identifier_token(text)]
    if not tokens:
        raise NothingToAsk
    return KeywordQuery(" ".join(tokens))


def _require_understood(encoder: Encoder, text: str) -> None:
    if not text.strip():
        raise LegLeftOut("the query has no text")
    if not encoder.understands(text):
        raise LegLeftOut(f"{encoder.release} was not trained on this text's script")


def _lone(vectors: Vectors) -> Vector:
    vector: Vector = vectors[0]
    return vector
