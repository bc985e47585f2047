"""What matches a query: from which cosine on a text and a product have something to do with each other."""

from collections.abc import Mapping, Sequence
from math import inf

from ranking.fusion import FusedProduct, Leg, LegHit, RankedLegs

# On Icecat 19 of 20 products with the best rating are above, and 3 of 4 with the worst one below.
_TEXT_TO_TEXT = {"all-MiniLM-L6-v2": 0.3}
# In the drawn shop the best picture of "dress", "red" or "雨伞" is at .58 or more, of most foreign queries below.
_TEXT_TO_IMAGE = {"drawn-clip": 0.56}


def text_floor(release: str, setting: float | None) -> float:
    """For a query text and a product's text; of a model that nobody measured there is none."""
    return _TEXT_TO_TEXT.get(_model(release), -inf) if setting is None else setting


def image_floor(release: str, setting: float | None) -> float:
    """For a query text and a product's picture."""
    return _TEXT_TO_IMAGE.get(_model(release), -inf) if setting is None else setting


def matching(products: Sequence[FusedProduct], floors: Mapping[Leg, float]) -> list[FusedProduct]:
    """Those that one leg at least vouches for; a leg without a floor does so for all that it found."""

    def vouches(leg: Leg, hit: LegHit) -> bool:
        return hit.score is not None and hit.score >= floors.get(leg, -inf)

    return [product for product in products if any(vouches(leg, hit) for leg, hit in product.legs.items())]


def is_exact(found: RankedLegs, floors: Mapping[Leg, float], depth: int) -> bool:
    """Whether no leg may hold more matches than the `depth` that it was asked for."""
    return all(len(hits) < depth or hits[-1].score < floors.get(leg, -inf) for leg, hits in found.items())


def _model(release: str) -> str:
    return release.partition("@")[0]
