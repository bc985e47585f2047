"""Numbers as shoppers write them: 1,000 and 19.99, 五十 and 1.5万; and what shows that a number counts no money."""

import re

from index.text_analysis import HAN

# Bounded everywhere: no input makes a pattern look far ahead.
HAN_NUMERALS = "零〇一二两兩三四五六七八九十百千万"
NUMBER = (
    r"(?:(?:[0-9]{1,3}(?:,[0-9]{3}){1,3}(?:\.[0-9]{1,2})?|[0-9]{1,9}(?:[.,][0-9]{1,2})?)[百千万]?"
    rf"|[{HAN_NUMERALS}]{{1,12}})"
)
_GROUPED = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]{1,2})?")
_DIGITS = {character: value for value, character in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2, "兩": 2}
_UNITS = {"十": 10, "百": 100, "千": 1_000, "万": 10_000}

# A number that goes on: 50gb, 50%, 27-inch, 1.000, 16:9, 5'6.
_GOES_ON = re.compile(r"""[a-z0-9%"'°*]|[.,:/][0-9]|- ?[0-9]|[-/][a-z]""")
# fmt: off
_MEASURES = (
    "inch(?:es)?", "ft", "feet", "foot", "yards?", "mm", "cm", "m", "km", "met(?:er|re)s?", "miles?", "g", "grams?",
    "kg", "kilos?", "kilograms?", "mg", "oz", "ounces?", "lbs?", "pounds?", "tons?", "ml", "cl", "l", "lit(?:er|re)s?",
    "gal(?:lons?)?", "gb", "tb", "mb", "kb", "ghz", "mhz", "hz", "k", "kw", "w", "watts?", "v", "volts?", "amps?",
    "mah", "wh", "ah", "lm", "lumens?", "db", "mp", "megapixels?", "dpi", "fps", "rpm", "psi", "p", "c", "f",
    "degrees?", "percent", "x", "years?", "yrs?", "yo", "months?", "weeks?", "days?", "hours?", "hrs?", "h",
    "minutes?", "mins?", "seconds?", "secs?", "s", "pieces?", "pcs?", "packs?", "count", "ct", "pairs", "people",
    "persons?", "players?", "seats?", "pages?", "cores?", "ports?", "keys", "threads?", "bits?", "btu", "cc",
    "carats?", "gsm", "denier", "gauge", "ply", "sq", "square", "cubic", "stars?", "sheets", "speed",
    "英?寸", "毫?克", "公?斤", "千克", "毫?升", "[厘毫]?米", "千?瓦",
    "岁", "个", "件", "码", "小?时", "分钟", "人", "页", "片",
)
# fmt: on
_MEASURE = re.compile(rf" {{0,2}}-?(?:(?:{'|'.join(_MEASURES)})(?![a-z])|in(?= *[.,\n]| *$))")
# 100克, and 100以内加减法: sums up to 100.
_HAN_WORD = re.compile(rf"(?!的)[{HAN}]|的?(?:加|减|乘|口算|数|算)")


def read_number(text: str) -> float | None:
    """The value of what NUMBER matches; None for Chinese numerals in no order (千百)."""
    multiplier = 1
    if text[0] in "0123456789":
        if text[-1] in _UNITS:
            text, multiplier = text[:-1], _UNITS[text[-1]]
        plain = text.replace(",", "") if _GROUPED.fullmatch(text) else text.replace(",", ".")
        return float(plain) * multiplier
    return _read_han(text)


def goes_on(folded: str, end: int) -> bool:
    """Whether more than a number stands at `end`, or the number is counted in what follows: gb, inch, 寸."""
    return _GOES_ON.match(folded, end) is not None


def counts_something(folded: str, end: int) -> bool:
    """Whether the number that ends at `end` counts what follows: 50 gb, 27 inch, 100克."""
    return _MEASURE.match(folded, end) is not None or _HAN_WORD.match(folded, end) is not None


def _read_han(text: str) -> float | None:
    high, ten_thousand, low = text.rpartition("万")
    if not ten_thousand:
        return _read_below_ten_thousand(low)
    if "万" in high:
        return None
    thousands = _read_below_ten_thousand(high or "一")
    rest = _read_below_ten_thousand(low) if low else 0.0
    if thousands is None or rest is None:
        return None
    return thousands * 10_000 + (rest * 1_000 if low in _DIGITS else rest)


def _read_below_ten_thousand(text: str) -> float | None:
    """Units fall from left to right. The digit after a unit counts tenths of it: 一千五 is 1500, 一千零五 is 1005."""
    total, last_unit, after_zero = 0, 10_000, False
    digit: int | None = None
    for character in text:
        if character in _UNITS:
            unit = _UNITS[character]
            if unit >= last_unit or (digit is None and total and unit > 10):
                return None
            total += (1 if digit is None else digit) * unit
            digit, last_unit = None, unit
        elif digit is not None:
            return None
        elif _DIGITS[character] == 0:
            after_zero = True
        else:
            digit = _DIGITS[character]
    if digit is None:
        return float(total)
    return float(total + digit * (last_unit // 10 if total and not after_zero else 1))
