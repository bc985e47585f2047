"""What a list changes in the profile of its shopper."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from feedback.ledger import IMPRESSION, first_actions, seen_products
from feedback.profiles import ACTED_UPON, PASSED, RECORD, Deed, Profile, list_mark, lookup, profile_of, session_mark
from feedback.settings import ProfileSettings
from topics.feedback import JoinedList

_FURTHEST = 65_535
_DEEDS = {deed.name.lower(): deed for deed in Deed if deed not in PASSED}
_BESIDE = 5  # of a list: as many lists are remembered then as there are clicks to learn from, not a few whole pages
_IS_PASSED = lookup(PASSED)


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
    return done + _with_nearest(passed, [one.position for one in done if one.position and one.deed in ACTED_UPON])


def _with_nearest(passed: Sequence[Occurrence], acted_upon: Sequence[int]) -> list[Occurrence]:
    """The few that are nearest to a position that was acted upon, the first of equally near ones, are told apart: they
    were looked at most surely (Joachims, KDD 2002, learns from those above a click).
    """
    if not acted_upon:
        return list(passed)

    def distance(one: Occurrence) -> tuple[int, int, str]:
        return min(abs(one.position - position) for position in acted_upon), one.position, one.product_id

    nearest = {one.product_id for one in sorted(passed, key=distance)[:_BESIDE]}
    return [one._replace(deed=Deed.PASSED_BESIDE) if one.product_id in nearest else one for one in passed]


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
    passed, beside = _IS_PASSED[actions], actions == Deed.PASSED_BESIDE
    lasting = (actions == Deed.PURCHASE) | (actions == Deed.HIDE)
    room = settings.passed_over_items - min(int(beside.sum()), settings.passed_over_items)
    kept: NDArray[np.bool_] = (
        (beside & (np.cumsum(beside) <= settings.passed_over_items))
        | (passed & ~beside & (np.cumsum(passed & ~beside) <= room))
        | (~passed & (np.cumsum(~passed) <= settings.recent_items))
        | (lasting & (np.cumsum(lasting) <= settings.lasting_items))
    )
    return kept
