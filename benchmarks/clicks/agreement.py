"""Whether two click loops came to the same: their lists, what rankers saw of each, and their states."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any

import numpy as np

from feedback.profiles import Deeds, Profile
from feedback.reading import Asked, StateReader
from feedback.shopper_state import ShopperState
from feedback.statistics import ProductCounts
from learning.ranked_lists import ObservedList
from ranking.rankers import RankingInput
from topics.feedback import JoinedList

_ROUNDING = 1e-9  # sums of floating point numbers depend on their order in the last places
_ROUNDING_OF_FEATURES = 1e-6  # of 32 bits
_NOTHING = 1e-12  # what rounding leaves of a difference of equal numbers


@dataclass(slots=True)
class Agreement:
    """What was compared, and the names of what differs: `lists` as they were joined, `inputs` of rankers, `states`.

    `identical_inputs` are equal to the last bit. `feature_distance`: the most by which a feature of any candidate
    differs. `count_distance`: the same of sums of counts, relative to the larger one. `cut_co_clicks`: products with
    more others beside them than are kept, of which not the same are kept; that depends on what comes in one batch.
    """

    lists: int = 0
    inputs: int = 0
    identical_inputs: int = 0
    features: int = 0
    profiles: int = 0
    counts: int = 0
    co_clicks: int = 0
    cut_co_clicks: int = 0
    differing_lists: list[str] = field(default_factory=list)
    differing_inputs: list[str] = field(default_factory=list)
    differing_states: list[str] = field(default_factory=list)
    feature_distance: float = 0.0
    count_distance: float = 0.0

    @property
    def is_full(self) -> bool:
        return not (self.differing_lists or self.differing_inputs or self.differing_states)

    def facts(self) -> Mapping[str, Any]:
        return {"equal": self.is_full, **asdict(self)}


@dataclass(frozen=True, slots=True)
class Compared:
    """Whose states are compared: of these people and products, and of the products in lists of these texts and at these
    classes of places, as of `at` (seconds since 1970). `co_clicked_items`: how many others are kept beside a product.
    """

    shoppers: Sequence[str]
    product_ids: Sequence[str]
    texts: Sequence[str]
    places: Sequence[str]
    at: float
    co_clicked_items: int


def compare_lists(agreement: Agreement, one: Mapping[str, JoinedList], other: Mapping[str, JoinedList]) -> None:
    """Everything that they say, revisions and suspicions included."""
    agreement.lists += len(one)
    agreement.differing_lists += sorted(
        list_id for list_id in one.keys() | other.keys() if one.get(list_id) != other.get(list_id)
    )


def compare_inputs(agreement: Agreement, one: Sequence[ObservedList], other: Sequence[ObservedList]) -> None:
    """What rankers saw of each list before anything was done with it, and what was then done."""
    agreement.inputs += len(one)
    by_id = {each.query_id: each for each in other}
    agreement.differing_inputs += sorted(by_id.keys() - {each.query_id for each in one})
    for each in one:
        twin = by_id.get(each.query_id)
        if twin is None or not _same_choices(each, twin) or not _same_candidates(each.input, twin.input):
            agreement.differing_inputs.append(each.query_id)
            continue
        mine, theirs = each.input.values, twin.input.values
        agreement.features += mine.size
        agreement.identical_inputs += np.array_equal(mine, theirs, equal_nan=True)
        agreement.feature_distance = max(agreement.feature_distance, _distance(mine, theirs))
        if not np.allclose(mine, theirs, rtol=_ROUNDING_OF_FEATURES, atol=_NOTHING, equal_nan=True):
            agreement.differing_inputs.append(each.query_id)


def compare_states(agreement: Agreement, of: Compared, one: StateReader, other: StateReader) -> None:
    for shopper in of.shoppers:
        agreement.profiles += 1
        if not _same_profiles(one.profile(shopper), other.profile(shopper)):
            agreement.differing_states.append(f"profile of {shopper}")
    nobody = one.profile("")
    products = of.product_ids
    in_all_lists = Asked(products, co_clicked=products)
    of_texts = [Asked(products, text) for text in of.texts]
    at_places = [Asked(products, place=place) for place in of.places]
    for asked in (in_all_lists, *of_texts, *at_places):
        left, right = (reader.read_beside(nobody, asked, of.at) for reader in (one, other))
        _compare_counts(agreement, asked, left, right)
        for product_id, mine, theirs in zip(asked.co_clicked, left.co_clicks, right.co_clicks, strict=True):
            agreement.co_clicks += len(mine.others)
            if _same_sums(mine.by_product(), theirs.by_product()):
                continue
            if len(mine.others) == len(theirs.others) == of.co_clicked_items:
                agreement.cut_co_clicks += 1
            else:
                agreement.differing_states.append(f"co-clicks of {product_id}")


def _compare_counts(agreement: Agreement, asked: Asked, one: ShopperState, other: ShopperState) -> None:
    for name, left, right in (
        (f"counts of products in lists of {asked.text!r}", one.of_class, other.of_class),
        (f"counts at place {asked.place}", one.at_place, other.at_place),
        ("counts of products", one.products, other.products),
        ("counts of the shop", one.shop, other.shop),
    ):
        pairs = [(getattr(left, each.name), getattr(right, each.name)) for each in fields(ProductCounts)]
        agreement.counts += sum(mine.size for mine, _ in pairs)
        distance = max(_relative_distance(mine, theirs) for mine, theirs in pairs)
        agreement.count_distance = max(agreement.count_distance, distance)
        if distance > _ROUNDING:
            agreement.differing_states.append(name)


def _same_choices(one: ObservedList, other: ObservedList) -> bool:
    return (
        (one.shopper, one.number) == (other.shopper, other.number)
        and np.array_equal(one.gains, other.gains)
        and np.array_equal(one.positions, other.positions)
    )


def _same_candidates(one: RankingInput, other: RankingInput) -> bool:
    return (
        (list(one.candidates), list(one.names)) == (list(other.candidates), list(other.names))
        and (set(one.bought), set(one.hidden)) == (set(other.bought), set(other.hidden))
        and all(
            np.array_equal(getattr(one, name), getattr(other, name)) for name in ("vectors", "recent", "recent_weights")
        )
        and np.array_equal(np.isnan(one.values), np.isnan(other.values))
    )


def _same_profiles(one: Profile, other: Profile) -> bool:
    most = len(one.records) + len(other.records)
    return (
        _same_deeds(one.recent(most), other.recent(most))
        and _same_deeds(one.passed_over, other.passed_over)
        and (one.bought, one.hidden) == (other.bought, other.hidden)
    )


def _same_deeds(one: Deeds, other: Deeds) -> bool:
    return all(_same_column(getattr(one, each.name), getattr(other, each.name)) for each in fields(Deeds))


def _same_column(one: Any, other: Any) -> bool:
    if isinstance(one, np.ndarray):
        return np.array_equal(one, other, equal_nan=one.dtype.kind == "f")
    return list(one) == list(other)


def _same_sums(one: Mapping[str, float], other: Mapping[str, float]) -> bool:
    return one.keys() == other.keys() and all(abs(one[id_] - other[id_]) <= _ROUNDING * abs(one[id_]) for id_ in one)


def _relative_distance(one: Any, other: Any) -> float:
    larger = np.maximum(np.abs(one), np.abs(other))
    distances = np.divide(np.abs(one - other), larger, out=np.zeros(larger.shape), where=larger > 0)
    return float(distances.max(initial=0.0))


def _distance(one: Any, other: Any) -> float:
    return float(np.nan_to_num(np.abs(one - other)).max(initial=0.0))
