"""What a ranker may know of a shopper and of products, in one look at the store."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from feedback.chosen import chosen_keys
from feedback.co_clicks import CoClicks, co_clicks
from feedback.decay import Floats
from feedback.profiles import EMPTY_PROFILE, Deeds, Profile, decode_profile
from feedback.query_classes import query_class
from feedback.settings import ProfileSettings
from feedback.shopper_state import ShopperState
from feedback.state_keys import (
    SHOP,
    class_keys,
    co_clicks_key,
    place_keys,
    product_keys,
    shop_at_place_key,
    shopper_key,
)
from feedback.statistics import CountStates
from feedback.store import ProfileStore


@dataclass(frozen=True, slots=True)
class Asked:
    """Products whose counts are wanted, in all lists, in those of the text's class where there is a text, and in those
    at the class of places `place` where it is not empty; `others` whose counts in all lists are wanted; and
    `co_clicked`, of which it is asked what is acted upon beside them.
    """

    product_ids: Sequence[str]
    text: str = ""
    others: Sequence[str] = ()
    co_clicked: Sequence[str] = ()
    place: str = ""

    def keys(self) -> list[str]:
        of_class = query_class(self.text)
        return [
            SHOP,
            *product_keys(self.product_ids),
            *product_keys(self.others),
            *(class_keys(of_class, self.product_ids) if of_class else ()),
            *map(co_clicks_key, self.co_clicked),
            *([shop_at_place_key(self.place), *place_keys(self.place, self.product_ids)] if self.place else ()),
        ]


class StateReader:
    """Safe to call from several threads. Every method raises StoreUnavailable."""

    def __init__(self, store: ProfileStore, settings: ProfileSettings) -> None:
        self._store = store
        self._settings = settings
        self._counts = CountStates(settings.half_lives)

    @property
    def half_lives_hours(self) -> Sequence[float]:
        """Those of the fading counts."""
        return self._settings.half_lives_hours

    @property
    def history_items(self) -> int:
        """How many of the newest products that a shopper saw tell of taste."""
        return self._settings.history_items

    def profile(self, shopper: str) -> Profile:
        """Reads once, and nothing where `shopper` is empty."""
        return decode_profile(self._store.read([shopper_key(shopper)])[0]) if shopper else EMPTY_PROFILE

    def read(self, shopper: str, product_ids: Sequence[str], text: str, at: float) -> ShopperState:
        """Reads once. `shopper` and `text` may be empty; `at` is seconds since 1970."""
        asked = Asked(product_ids, text)
        profile_state, *states = self._store.read([shopper_key(shopper), *asked.keys()])
        return self._state(decode_profile(profile_state) if shopper else EMPTY_PROFILE, asked, states, at)

    def read_beside(self, profile: Profile, asked: Asked, at: float) -> ShopperState:
        """All that is asked for beside a profile that was read before. Reads once."""
        return self._state(profile, asked, self._store.read(asked.keys()), at)

    def co_clicked(self, product_ids: Sequence[str], at: float) -> list[dict[str, float]]:
        """For each product the others that were acted upon in the same sessions, the strongest first. Reads once."""
        states = self._store.read([co_clicks_key(product_id) for product_id in product_ids])
        return [beside.by_product() for beside in self._co_clicks(states, at)]

    def chosen(self, context: Mapping[str, str], at: float) -> list[dict[str, float]]:
        """What is acted upon most at the time of day, and at the place, that the context names; the strongest first."""
        keys = chosen_keys(context)
        return [most.by_product() for most in self._co_clicks(self._store.read(keys) if keys else [], at)]

    def _state(self, profile: Profile, asked: Asked, states: list[bytes | None], at: float) -> ShopperState:
        number, others = len(asked.product_ids), len(asked.others)
        there = len(states) - (1 + number if asked.place else 0)
        counted = there - len(asked.co_clicked)
        of_class = states[1 + number + others : counted] or [None] * number
        counts = self._counts.counts([*states[: 1 + number + others], *of_class, *states[there:]], at)
        return ShopperState(
            profile,
            counts.rows(slice(1, 1 + number)),
            counts.rows(slice(1 + number + others, 1 + 2 * number + others)),
            counts.rows(slice(0, 1)),
            counts.rows(slice(1 + number, 1 + number + others)),
            counts.rows(slice(1 + 2 * number + others, None)),
            self._co_clicks(states[counted:there], at),
            self._settings.prior_impressions,
            self._settings.recent_items,
        )

    def _co_clicks(self, states: Sequence[bytes | None], at: float) -> list[CoClicks]:
        half_life = self._settings.co_click_half_life_hours * 3_600
        return [co_clicks(state, at, half_life) for state in states]

    def session_weights(self, deeds: Deeds, session: str, at: float) -> Floats:
        """How much each counts for what the shopper is after now: 0 outside the session."""
        half_life = self._settings.session_half_life_minutes * 60
        return np.where(deeds.in_session(session), deeds.weights(at, half_life), 0.0)

    def long_term_weights(self, deeds: Deeds, at: float) -> Floats:
        """How much each counts for the shopper's lasting taste."""
        return deeds.weights(at, self._settings.long_term_half_life_days * 86_400)
