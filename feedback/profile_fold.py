"""What a list changes in the profile of its shopper."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from feedback.ledger import IMPRESSION, first_actions, seen_products
from feedback.profiles import RECORD, Deed, Profile, list_mark, profile_of, session_mark
from feedback.settings import ProfileSettings
from topics.feedback import JoinedList

_FURTHEST = 65_535
_DEEDS = {deed.name.lower(): deed for deed in Deed if deed is not Deed.PASSED_OVER}


class Occurrence(NamedTuple):
    """One line of a profile as a list gives it; `position` is 0 and `dwell_seconds` NaN where they are not known."""

    product_id: str
    deed: int
    at: float
    position: int = 0
    dwell_seconds: float = float("nan")


def occurrences_of(one: JoinedList) -> list[Occurrence]:
    """What a list says of its shopper; nothing where it is suspect. What others did there is neither theirs nor passed
    over.
    """
    if one.suspect:
        return []
    places = {product.product_id: product.position for product in reversed(one.shown)}
    dwell: dict[str, float] = {}
    own = [action for action in one.actions if not action.by_other]
    for action in own:
        if action.dwell_seconds is not None:
            dwell[action.product_id] = max(action.dwell_seconds, dwell.get(action.product_id, 0.0))
    done = [
        Occurrence(
            action.product_id,
            _DEEDS[action.action],
            action.at,
            places.get(action.product_id, 0),
            dwell.get(action.product_id, float("nan")),
        )
        for action in first_actions(own)
        if action.action in _DEEDS
    ]
    touched = {action.product_id for action in one.actions if action.action != IMPRESSION}
    passed = [
        Occurrence(product_id, Deed.PASSED_OVER, at, position)
        for product_id, (at, position) in seen_products(one).items()
        if product_id not in touched
    ]
    return done + passed


def with_list(
    profile: Profile, query_id: str, session: str, occurrences: Sequence[Occurrence], settings: ProfileSettings
) -> Profile:
    """The profile with this of a list, in place of all that the list said before; the newest are kept."""
    mark, in_session = list_mark(query_id), session_mark(session)
    places = {product_id: place for place, product_id in enumerate(profile.product_ids)}
    new = [
        (
            one.at,
            mark,
            in_session,
            one.dwell_seconds,
            min(one.position, _FURTHEST),
            places.setdefault(one.product_id, len(places)),
            one.deed,
        )
        for one in sorted(occurrences, key=lambda one: (one.product_id, one.deed))  # one order for those of one moment
    ]
    records = np.concatenate([profile.records[profile.records["list"] != mark], np.array(new, RECORD)])
    records = records[np.lexsort((records["position"], records["list"], -records["at"]))]
    return profile_of(list(places), records[_kept(records["action"], settings)])


def _kept(actions: NDArray[np.uint8], settings: ProfileSettings) -> NDArray[np.bool_]:
    passed = actions == Deed.PASSED_OVER
    lasting = (actions == Deed.PURCHASE) | (actions == Deed.HIDE)
    kept: NDArray[np.bool_] = (
        (passed & (np.cumsum(passed) <= settings.passed_over_items))
        | (~passed & (np.cumsum(~passed) <= settings.recent_items))
        | (lasting & (np.cumsum(lasting) <= settings.lasting_items))
    )
    return kept
