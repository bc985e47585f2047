"""Joined lists folded into profiles and statistics: states in, states out."""

from collections import Counter as Tally
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from enum import StrEnum

import numpy as np
import orjson

from feedback.chosen import changes_of_choices, choices_keys
from feedback.co_clicks import CoClick, added_co_clicks, co_clicks_between, session_partners
from feedback.count_changes import CountChanges, counts_keys
from feedback.erasure_marks import decode_mark, happened_between
from feedback.ledger import decode_entry, encode_entry, entry_of
from feedback.profile_fold import Occurrence, occurrences_of, with_list
from feedback.profiles import Profile, decode_profile, encode_profile, list_mark, session_mark
from feedback.settings import AHEAD_SECONDS, ProfileSettings
from feedback.state_keys import SHOP, co_clicks_key, counted_key, erased_key, lists_key, shopper_key
from feedback.statistics import CountStates
from feedback.store import Kept
from topics.feedback import JoinedList


class Outcome(StrEnum):
    """What became of a list."""

    COUNTED = "counted"
    UNCHANGED = "unchanged"  # all of it has been counted before
    OLDER = "older"  # one that takes its place has been counted before
    SUSPECT = "suspect"
    ERASED = "erased"  # all of it is of before its shopper was erased


class ListFold:
    """What lists change in the states of `keys_of` and `further_keys`. Take each list once, then ask for changes."""

    def __init__(
        self, held: Mapping[str, bytes], settings: ProfileSettings, now: float, examination: Sequence[float] = ()
    ) -> None:
        """`now` is seconds since 1970, by the clock of the process."""
        self.outcomes: Tally[str] = Tally()
        self.left_out: Tally[str] = Tally()
        self._held = held
        self._settings = settings
        self._now = now
        self._examination = examination
        self._entries: dict[str, bytes] = {}
        self._profiles: dict[str, Profile] = {}
        self._lists: dict[str, dict[str, float]] = {}
        self._counts = CountChanges()
        self._strongest: dict[str, list[CoClick]] = defaultdict(list)  # by key

    def take(self, one: JoinedList) -> None:
        key = counted_key(one.query_id)
        counted = decode_entry(self._held.get(key))
        if one.standing < counted.standing:
            self.outcomes[Outcome.OLDER] += 1
            return
        kept = self._countable(one)
        if kept is None:
            self.outcomes[Outcome.ERASED] += 1
            return
        if self._is_one_too_many(kept):
            kept = kept.model_copy(update={"shopper": ""})
        entry = replace(entry_of(kept, self._examination), asked=one.standing[0])
        state = encode_entry(entry)
        if state == self._held.get(key):
            self.outcomes[Outcome.UNCHANGED] += 1
            return
        self._entries[key] = state
        self._counts.change(counted, entry)
        for chosen, choice in changes_of_choices(counted, entry):
            self._strongest[chosen].append(choice)
        for shopper in {counted.shopper, one.shopper} - {entry.shopper}:
            self._change_profile(shopper, one, ())
            self._lists.get(shopper, {}).pop(one.query_id, None)
        self._change_profile(entry.shopper, one, occurrences_of(kept))
        self.outcomes[Outcome.SUSPECT if one.suspect else Outcome.COUNTED] += 1

    def changes(self) -> dict[str, Kept | None]:
        expiry = self._settings.ledger_expiry(self._now)
        changes: dict[str, Kept | None] = {key: Kept(state, expiry) for key, state in self._entries.items()}
        for shopper, profile in self._profiles.items():
            kept = Kept(encode_profile(profile), self._settings.profile_expiry(self._now))
            changes[shopper_key(shopper)] = kept if len(profile.records) else None
            lists = self._lists_of(shopper)
            changes[lists_key(shopper)] = Kept(orjson.dumps(lists), max(lists.values())) if lists else None
        expiry = self._settings.statistics_expiry(self._now)
        counts = self._counts.states(self._held, CountStates(self._settings.half_lives))
        changes |= {key: Kept(state, expiry) if state else None for key, state in counts.items()}
        return changes | self._strongest_states(expiry)

    def _countable(self, one: JoinedList) -> JoinedList | None:
        """The list without what is from the future or of before the erasure; None where only that was in it."""
        mark = decode_mark(self._held.get(erased_key(one.shopper)) if one.shopper else None).erased_at
        lately = happened_between(one, mark, np.inf)
        kept = happened_between(lately, mark, self._now + AHEAD_SECONDS)
        self.left_out["erased"] += _size(one) - _size(lately)
        self.left_out["from_the_future"] += _size(lately) - _size(kept)
        return None if _size(lately) == 0 < _size(one) else kept

    def _is_one_too_many(self, one: JoinedList) -> bool:
        """An erasure finds no more lists of a person than are remembered, so no other may name them."""
        lists = self._lists_of(one.shopper)
        return one.query_id not in lists and len(lists) >= self._settings.remembered_lists

    def _lists_of(self, shopper: str) -> dict[str, float]:
        """When each that is remembered may be forgotten."""
        if shopper not in self._lists:
            lists = orjson.loads(self._held.get(lists_key(shopper), b"{}"))
            self._lists[shopper] = {query_id: expires for query_id, expires in lists.items() if expires > self._now}
        return self._lists[shopper]

    def _change_profile(self, shopper: str, one: JoinedList, occurrences: Sequence[Occurrence]) -> None:
        if not shopper:
            return
        before = self._profiles.get(shopper)
        if before is None:
            before = decode_profile(self._held.get(shopper_key(shopper)))
        after = with_list(before, one.query_id, one.session, occurrences, self._settings)
        self._profiles[shopper] = after
        for pair in co_clicks_between(before, after, list_mark(one.query_id)):
            self._strongest[co_clicks_key(pair.product_id)].append(pair)
        self._lists_of(shopper)[one.query_id] = self._settings.ledger_expiry(self._now)

    def _strongest_states(self, expiry: float) -> dict[str, Kept | None]:
        settings = self._settings
        changes: dict[str, Kept | None] = {}
        for key, pairs in self._strongest.items():
            half_life = settings.co_click_half_life_hours * 3_600
            state = added_co_clicks(self._held.get(key), pairs, half_life, settings.co_clicked_items)
            changes[key] = Kept(state, expiry) if state else None
        return changes


def keys_of(lists: Iterable[JoinedList]) -> set[str]:
    """The keys that the lists by themselves may change or ask for."""
    keys = {SHOP}
    for one in lists:
        keys.add(counted_key(one.query_id))
        entry = entry_of(one)
        keys.update(counts_keys(entry), choices_keys(entry))
        if one.shopper:
            keys.update(_shopper_keys(one.shopper))
            keys.update(co_clicks_key(action.product_id) for action in one.actions)
    return keys


def further_keys(lists: Iterable[JoinedList], held: Mapping[str, bytes]) -> set[str]:
    """Those that states of kinds `counted` and `shopper` add to them."""
    keys: set[str] = set()
    for one in lists:
        counted = decode_entry(held.get(counted_key(one.query_id)))
        if counted.contributions:
            keys.update(counts_keys(counted), choices_keys(counted))
        for shopper in {counted.shopper, one.shopper} - {""}:
            keys.update(_shopper_keys(shopper))
            profile = decode_profile(held.get(shopper_key(shopper)))
            partners = session_partners(profile, list_mark(one.query_id), session_mark(one.session))
            keys.update(co_clicks_key(product_id) for product_id in partners)
    return keys


def _shopper_keys(shopper: str) -> tuple[str, ...]:
    return shopper_key(shopper), lists_key(shopper), erased_key(shopper)


def _size(one: JoinedList) -> int:
    """How many things are known of it."""
    return len(one.actions) + (one.at is not None)
