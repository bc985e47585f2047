"""Which values of which attributes a text names: "in dark red, striped" names a colour and a pattern."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from encoders.scripts import mostly_in
from index.text_analysis import HAN
from ranking.phrase_text import fold, without
from ranking.standard_attributes import Attributes


@dataclass(frozen=True, slots=True)
class NamedValues:
    """Positions of values by attribute, in the text's order, and what of the text names none."""

    values: Mapping[str, Sequence[int]]
    rest: str


class AttributeWords:
    """Raises ValueError for a name that stands for two values. Safe to use from several threads."""

    def __init__(self, attributes: Attributes) -> None:
        self._attributes = attributes
        self._values: dict[str, tuple[str, int]] = {}
        for attribute, values in attributes.items():
            for position, names in enumerate(values):
                for name in names:
                    self._add(fold(name), attribute, position)
        longest_first = sorted(self._values, key=lambda name: (-len(name), name))
        self._pattern = re.compile("|".join(map(_bounded, longest_first))) if longest_first else None

    def find(self, text: str) -> NamedValues:
        matches = [] if self._pattern is None else list(self._pattern.finditer(fold(text)))
        found: dict[str, list[int]] = {}
        for match in matches:
            attribute, position = self._values[match.group()]
            of_attribute = found.setdefault(attribute, [])
            if position not in of_attribute:
                of_attribute.append(position)
        return NamedValues(found, without(text, [(*match.span(), None) for match in matches], " "))

    def names(self, attribute: str, like: str) -> list[str]:
        """Each value's first name in the script of the text `like`, or its first name where it has none there."""
        han = mostly_in(like, ("han",))
        return [
            next((name for name in names if mostly_in(name, ("han",)) == han), names[0])
            for names in self._attributes[attribute]
        ]

    def _add(self, name: str, attribute: str, position: int) -> None:
        if self._values.setdefault(name, (attribute, position)) != (attribute, position):
            raise ValueError(f"{name!r} is a name of two values: give it to one of them")


def _bounded(name: str) -> str:
    """Not inside a longer word. Chinese has no such borders: only a lone character is looked at with its neighbours."""
    escaped = re.escape(name)
    if name.isascii():
        return rf"(?<![a-z0-9]){escaped}(?![a-z0-9])"
    return rf"(?<![{HAN}]){escaped}(?=的|$|[^{HAN}])" if len(name) == 1 else escaped
