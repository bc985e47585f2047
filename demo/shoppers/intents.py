"""What shoppers search for: broad words, so that among many matches taste decides."""

import random
from collections.abc import Mapping
from dataclasses import dataclass

from demo.drawn_shop.captions import CHINESE_KINDS, ENGLISH_KINDS, Language
from demo.drawn_shop.looks import KINDS, Kind
from demo.drawn_shop.merchandise import MERCHANDISE

_DEPARTMENTS: Mapping[Language, Mapping[str, tuple[str, ...]]] = {
    "en": {"Clothing": ("clothes", "something to wear"), "Shoes": ("shoes",), "Bags": ("bag", "bags")},
    "zh": {"Clothing": ("衣服",), "Shoes": ("鞋",), "Bags": ("包",)},
}  # words that the shop finds; it has none for the other departments
_GIFTS: Mapping[Language, str] = {"en": "gift", "zh": "礼物"}
_GIFT_SHARE = 0.1
_DEPARTMENT_SHARE = 0.25


@dataclass(frozen=True, slots=True)
class Intent:
    """A query, and the kinds of product that answer it."""

    text: str
    language: Language
    kinds: frozenset[Kind]


def new_intent(wanted: Kind, language: Language, rng: random.Random) -> Intent:
    """For somebody who has `wanted` in mind: mostly its name, at times a department's, or a gift."""
    chance = rng.random()
    if chance < _GIFT_SHARE:
        return Intent(_GIFTS[language], language, frozenset(KINDS))
    department = MERCHANDISE[wanted].department
    if chance < _GIFT_SHARE + _DEPARTMENT_SHARE and department in _DEPARTMENTS[language]:
        return Intent(rng.choice(_DEPARTMENTS[language][department]), language, _kinds_of(department))
    names = ENGLISH_KINDS if language == "en" else CHINESE_KINDS
    return Intent(rng.choice(names[wanted]), language, frozenset({wanted}))


def _kinds_of(department: str) -> frozenset[Kind]:
    return frozenset(kind for kind, sold in MERCHANDISE.items() if sold.department == department)
