"""Which products are acted upon most at each time of day and place: the strongest of each, nearly exact as co-clicks
are.
"""

from collections.abc import Iterator, Mapping

from feedback.co_clicks import CoClick
from feedback.contexts import daypart_of, place_class
from feedback.ledger import NO_DAYPART, Entry
from feedback.state_keys import chosen_at_place_key, chosen_at_time_key
from feedback.statistics import Counter

_CHOICES = (Counter.CLICKS, Counter.ADD_TO_CARTS, Counter.PURCHASES)
_Choice = tuple[str, str, int, float]  # key of the state, product, counter, time


def changes_of_choices(old: Entry, new: Entry) -> Iterator[tuple[str, CoClick]]:
    """By the key of the state what the new entry adds to it and the old one no longer does."""
    before, now = _choices(old), _choices(new)
    for choices, amount in ((now - before, 1.0), (before - now, -1.0)):
        for key, product_id, _, at in sorted(choices):
            yield key, CoClick("", product_id, at, amount)


def choices_keys(entry: Entry) -> set[str]:
    """The keys of all states that an entry is part of."""
    return {key for key, *_ in _choices(entry)}


def chosen_keys(context: Mapping[str, str]) -> list[str]:
    """The keys of what is chosen at the time of day and at the place, as far as the context names them."""
    daypart, place = daypart_of(context), place_class(context)
    at_time = [] if daypart is None else [chosen_at_time_key(daypart)]
    return at_time + ([chosen_at_place_key(place)] if place else [])


def _choices(entry: Entry) -> set[_Choice]:
    choices: set[_Choice] = set()
    for one in entry.contributions:
        if one.counter in _CHOICES:
            choice = one.product_id, one.counter, one.at
            if one.daypart != NO_DAYPART:
                choices.add((chosen_at_time_key(one.daypart), *choice))
            if entry.place:
                choices.add((chosen_at_place_key(entry.place), *choice))
    return choices
