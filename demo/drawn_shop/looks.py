"""What a drawn product looks like: its kind, colour and pattern, and which looks a model never sees in training."""

import random
from dataclasses import dataclass
from itertools import product
from typing import Literal, TypeAlias, get_args

Kind: TypeAlias = Literal[
    "dress",
    "t-shirt",
    "trousers",
    "skirt",
    "sneaker",
    "boot",
    "handbag",
    "backpack",
    "watch",
    "mug",
    "lamp",
    "chair",
    "phone case",
    "hat",
    "umbrella",
    "bottle",
]
Colour: TypeAlias = Literal["red", "orange", "yellow", "green", "blue", "purple", "pink", "brown", "black", "white"]
Pattern: TypeAlias = Literal["plain", "striped", "dotted", "checked"]

KINDS: tuple[Kind, ...] = get_args(Kind)
COLOURS: tuple[Colour, ...] = get_args(Colour)
PATTERNS: tuple[Pattern, ...] = get_args(Pattern)

_HELD_OUT_PER_KIND = 8
_HELD_OUT_PER_KIND_AND_COLOUR = 2
_SPLIT_SEED = 7


@dataclass(frozen=True, slots=True)
class Look:
    """One of the 640 combinations."""

    kind: Kind
    colour: Colour
    pattern: Pattern


@dataclass(frozen=True, slots=True)
class Split:
    """Looks to train on and looks to measure with; no look is in both."""

    trained: tuple[Look, ...]
    held_out: tuple[Look, ...]


def all_looks() -> tuple[Look, ...]:
    """Ordered by kind, then colour, then pattern."""
    return tuple(Look(*attributes) for attributes in product(KINDS, COLOURS, PATTERNS))


def split_looks() -> Split:
    """Holds out 8 looks of each kind, 128 in all; every pair of attributes stays in the trained ones."""
    rng = random.Random(_SPLIT_SEED)
    trained: list[Look] = []
    held_out: list[Look] = []
    for kind in KINDS:
        finishes = list(product(COLOURS, PATTERNS))
        rng.shuffle(finishes)
        chosen = _hold_out(finishes)
        held_out += [Look(kind, *finish) for finish in chosen]
        trained += [Look(kind, *finish) for finish in finishes if finish not in chosen]
    return Split(tuple(trained), tuple(held_out))


def _hold_out(finishes: list[tuple[Colour, Pattern]]) -> list[tuple[Colour, Pattern]]:
    chosen: list[tuple[Colour, Pattern]] = []
    for colour, pattern in finishes:
        of_this_colour = sum(1 for other, _ in chosen if other == colour)
        if len(chosen) < _HELD_OUT_PER_KIND and of_this_colour < _HELD_OUT_PER_KIND_AND_COLOUR:
            chosen.append((colour, pattern))
    return chosen
