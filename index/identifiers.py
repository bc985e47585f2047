"""Article numbers in a text: GTINs with a right check digit, and model numbers that mix letters and digits."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

_GTIN_LENGTHS = (14, 13, 12, 8)
_DIGIT_GROUPS = re.compile(r"(?<![0-9a-zA-Z.,])[0-9]{1,14}(?:[ -][0-9]{1,14}){0,40}+(?![0-9a-zA-Z]|[.,][0-9])")
_DIGITS = re.compile("[0-9]+")
_TOKEN = re.compile(r"[0-9a-z]+(?:[-_.,/][0-9a-z]+)*+")
_PART = re.compile("[0-9a-z]+")
_SHORTEST_MODEL, _LONGEST_MODEL = 4, 40

# fmt: off
_UNITS = frozenset({
    "in", "inch", "inches", "ft", "feet", "yd", "mm", "cm", "m", "km", "g", "gr", "kg", "mg", "lb", "lbs", "oz", "ml",
    "cl", "dl", "l", "ltr", "liter", "litre", "gal", "qt", "b", "kb", "mb", "gb", "tb", "gbit", "mbps", "gbps", "hz",
    "khz", "mhz", "ghz", "w", "kw", "watt", "watts", "kwh", "wh", "v", "kv", "volt", "volts", "vdc", "vac", "va", "a",
    "amp", "amps", "ma", "mah", "ah", "lm", "lux", "db", "k", "mp", "dpi", "ppi", "fps", "rpm", "psi", "btu", "cc",
    "hp", "nm", "um", "kva", "p", "i", "x", "d", "c", "f", "s", "h", "hr", "hrs", "min", "yr", "yrs", "mo", "st", "nd",
    "rd", "th", "pc", "pcs", "pk", "pack", "ct", "count", "pair", "set", "piece", "pieces", "ply", "way", "port", "pin",
    "core", "bit", "ch", "kt", "gsm", "tpi", "den", "star", "stars", "seater", "person", "tier",
})
_STANDARDS = (
    "usb", "mp", "hdmi", "dp", "ddr", "gddr", "lpddr", "wifi", "pcie", "pci", "sata", "cat", "ps", "gen", "ver", "v",
    "type", "qi", "rev", "qc", "pd", "bt", "ip", "ipx", "rj", "h", "x", "mpeg", "web", "a", "b", "c", "aa", "aaa",
    "cr", "lr", "spf", "upf", "uk", "eu", "us", "size", "win", "windows", "android", "ios", "pack", "set", "top",
)
# fmt: on
_UNIT = "|".join(sorted(_UNITS, key=len, reverse=True))
_NUMBER = "[0-9]+(?:[.,][0-9]+)?"
_MEASURE = re.compile(rf"{_NUMBER}(?:x{_NUMBER})*(?:{_UNIT})?")
_STANDARD = re.compile(
    rf"(?:{'|'.join(sorted(_STANDARDS, key=len, reverse=True))})-?[0-9]{{1,2}}(?:[.][0-9]+)?[a-z]?|[hx]-?26[3-6]"
)
_COMPOUND = re.compile(r"[0-9]+[a-z]*(?:[-/][a-z]+|[-/][0-9]+)+")  # 2-in-1, 1tb-ssd, 4-port-hub


@dataclass(frozen=True, slots=True)
class Identifier:
    """`text` as written; `normalised` without separators, in lower case: what equal identifiers share."""

    kind: Literal["gtin", "model"]
    text: str
    normalised: str


@lru_cache(maxsize=8_192)  # titles come again with each change of a price
def find_identifiers(text: str) -> tuple[Identifier, ...]:
    """GTINs first, then model numbers, each in the order of the text."""
    folded = unicodedata.normalize("NFKC", text)
    if _DIGITS.search(folded) is None:
        return ()
    gtins = tuple(_gtins(folded))
    return gtins + tuple(_models(folded))


def is_gtin(digits: str) -> bool:
    """Whether the check digit is right: EAN-8, UPC-A, EAN-13 or GTIN-14 (GS1 General Specifications, section 7.9)."""
    if len(digits) not in _GTIN_LENGTHS or not digits.strip("0"):
        return False
    weighted = (int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(reversed(digits)))
    return sum(weighted) % 10 == 0


def normalise_identifier(text: str) -> str:
    return "".join(_PART.findall(unicodedata.normalize("NFKC", text).lower()))


def identifier_token(text: str) -> str:
    """How an article number stands among keywords: equal for equal ones, and no word of a text."""
    return f"number0{normalise_identifier(text).lstrip('0')}"


def _gtins(folded: str) -> Iterator[Identifier]:
    """Runs of digit groups may hold other numbers before and after: the longest GTIN that begins first."""
    for run in _DIGIT_GROUPS.finditer(folded):
        groups = [(group.start() + run.start(), group.end() + run.start()) for group in _DIGITS.finditer(run[0])]
        first = 0
        while first < len(groups):
            last = _gtin_from(folded, groups, first)
            if last is not None:
                written = folded[groups[first][0] : groups[last][1]]
                yield Identifier("gtin", written, normalise_identifier(written))
                first = last
            first += 1


def _gtin_from(folded: str, groups: list[tuple[int, int]], first: int) -> int | None:
    """The last group of the longest GTIN that begins with group `first`. Eight digits are one group or two of four."""
    digits = ""
    found = None
    for last in range(first, min(first + 14, len(groups))):
        digits += folded[slice(*groups[last])]
        four_and_four = last == first + 1 and len(digits) == 8 and groups[first][1] - groups[first][0] == 4
        if (last == first or len(digits) > 8 or four_and_four) and is_gtin(digits):
            found = last
        if len(digits) > 14:
            break
    return found


def _models(folded: str) -> Iterator[Identifier]:
    for token in _TOKEN.finditer(folded.lower()):
        normalised = token[0].translate(_NO_SEPARATORS)
        if _SHORTEST_MODEL <= len(normalised) <= _LONGEST_MODEL and _mixes(normalised) and not _is_measure(token[0]):
            yield Identifier("model", folded[slice(*token.span())], normalised)


_NO_SEPARATORS = str.maketrans("", "", "-_.,/")


def _mixes(word: str) -> bool:
    return not word.isalpha() and not word.isdigit()


def _is_measure(token: str) -> bool:
    """500gb, 1920x1080, 8gb/256gb, 27-inch, 2-in-1, and names of standards: usb3, ddr5, cat6."""
    if _STANDARD.fullmatch(token) or _COMPOUND.fullmatch(token):
        return True
    return token[0].isdigit() and all(_MEASURE.fullmatch(part) or part in _UNITS for part in re.split("[-/]", token))
