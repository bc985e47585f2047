"""Why the keywords leg found a product: the words of the query that the product has."""

from collections.abc import Sequence

from index.text_analysis import HAN_WORD, Analyser
from ranking.fusion import Leg
from ranking.queries import SearchHit

_FIELDS = ("title", "brand", "description")  # what is looked up by words


class MatchingTerms:
    """Analyses a query once and each product as the index did."""

    def __init__(self, analyser: Analyser, text: str, language: str) -> None:
        self._analyser = analyser
        self._asked = analyser.terms(text, language)

    def of(self, hit: SearchHit) -> Sequence[str]:
        """Words of the query as written there, in its order; of Chinese words that overlap the longer ones.

        Empty where the keywords leg did not find the product.
        """
        keywords, product = hit.legs.get(Leg.KEYWORDS), hit.document
        if keywords is None or keywords.rank is None:
            return ()
        held: set[str] = set()
        for field in _FIELDS:
            held |= set(self._analyser.analyse(product.get(field, ""), product["language"]).split())
            if held >= self._asked.keys():  # mostly the title says it all, and the description is long
                break
        found = list(dict.fromkeys(written for token, written in self._asked.items() if token in held))
        return [term for term in found if not any(_is_part(term, other) for other in found)]


def _is_part(term: str, other: str) -> bool:
    return term != other and term in other and HAN_WORD.fullmatch(term) is not None
