"""What a query asks for: its language, the words to search by, the phrases that are filters, the article numbers."""

from collections.abc import Collection
from dataclasses import dataclass

from index.identifiers import Identifier, find_identifiers
from ranking.catalogue_words import CatalogueWords
from ranking.filter_phrases import FilterPhrase, take_phrases
from ranking.query_languages import query_language
from ranking.settings import UnderstandingSettings


@dataclass(frozen=True, slots=True)
class UnderstoodQuery:
    """`text` is what is left to search by: empty where the query is nothing but filters. `language` is a BCP 47 tag.

    `corrections`: words that no product has, as written, each with the one in its place in `text`. `brands`: those that
    `text` names, as products spell them.
    """

    text: str
    language: str
    phrases: tuple[FilterPhrase, ...]
    identifiers: tuple[Identifier, ...]
    corrections: tuple[tuple[str, str], ...] = ()
    brands: tuple[str, ...] = ()


class QueryUnderstanding:
    """Safe to use from several threads."""

    def __init__(
        self, settings: UnderstandingSettings, default_language: str, catalogue: CatalogueWords | None = None
    ) -> None:
        """Without a `catalogue` nothing is corrected, and no brand known."""
        self._catalogue = catalogue
        self._languages = settings.languages
        self._default_language = default_language
        self._shared_signs = {"$": settings.dollar_sign, "¥": settings.yen_sign}

    def understand(self, text: str, language: str = "", as_words: Collection[str] = ()) -> UnderstoodQuery:
        """`language` is the one that the request names, if any. `as_words`: texts of phrases that the shopper took off,
        and words not to correct.

        What is left holds no further phrase.
        """
        phrases, rest = take_phrases(text, self._shared_signs, as_words)
        language = language or query_language(rest if rest.strip() else text, self._languages, self._default_language)
        corrections: tuple[tuple[str, str], ...] = ()
        if self._catalogue is not None:
            rest, corrections = self._catalogue.correct(rest, language, as_words)
        return UnderstoodQuery(
            text=rest,
            language=language,
            phrases=phrases,
            identifiers=find_identifiers(rest),
            corrections=corrections,
            brands=self._catalogue.brands(rest) if self._catalogue is not None else (),
        )
