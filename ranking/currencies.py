"""How a query names a currency, as pieces of patterns over folded text, and which ISO 4217 codes each name means."""

import re
from collections.abc import Mapping, Sequence

from ranking.phrase_text import begins_a_word

# "try" and "ron" are words, and "pounds" are more often a weight.
# fmt: off
_ISO_CODES = (
    "usd", "eur", "gbp", "chf", "jpy", "cny", "cad", "aud", "nzd", "hkd", "twd", "sgd", "sek", "nok", "dkk", "pln",
    "czk", "huf", "krw", "inr", "brl", "mxn", "thb", "zar", "aed", "ils", "php", "idr", "myr",
)
# fmt: on
_NAMES = {
    **{code: code.upper() for code in _ISO_CODES},
    **{"us$": "USD", "us $": "USD", "hk$": "HKD", "nt$": "TWD", "s$": "SGD", "c$": "CAD", "a$": "AUD", "r$": "BRL"},
    **{"€": "EUR", "£": "GBP", "₩": "KRW", "₹": "INR", "₽": "RUB", "₫": "VND", "₺": "TRY", "฿": "THB", "₪": "ILS"},
    **{"euro": "EUR", "euros": "EUR", "quid": "GBP", "yuan": "CNY", "rmb": "CNY", "yen": "JPY"},
    **{"francs": "CHF", "rupees": "INR", "won": "KRW", "美元": "USD", "美金": "USD", "欧元": "EUR", "歐元": "EUR"},
    **{"英镑": "GBP", "英鎊": "GBP", "日元": "JPY", "円": "JPY", "韩元": "KRW", "加元": "CAD", "澳元": "AUD"},
    **{"港元": "HKD", "港币": "HKD", "港幣": "HKD", "台币": "TWD", "台幣": "TWD", "卢布": "RUB"},
    **{"元": "CNY", "块": "CNY", "塊": "CNY", "块钱": "CNY", "塊錢": "CNY", "人民币": "CNY", "人民幣": "CNY"},
}
_SIGNS = {"$": "$", "dollar": "$", "dollars": "$", "bucks": "$", "¥": "¥"}
_SHARED_BY = {"$": {"USD", "CAD", "AUD", "NZD", "HKD", "TWD", "SGD", "MXN", "BRL"}, "¥": {"CNY", "JPY"}}


_ALL = {*_NAMES, *_SIGNS}
_BEFORE = {name for name in _ALL if not name[-1].isalpha() or name in _ISO_CODES or name == "rmb"}
_BEFORE_ENDINGS = {name[-1] for name in _BEFORE}
_BEFORE_LENGTHS = sorted({len(name) for name in _BEFORE}, reverse=True)
# The longest first. No other letter follows where a name ends in one of the Latin alphabet.
AFTER = "|".join(
    re.escape(name) + (r"(?![a-z0-9])" if re.search("[a-z]$", name) else "")
    for name in sorted(_ALL, key=len, reverse=True)
    if name == "$" or not name.endswith("$")
)


def currency_before(folded: str, end: int) -> tuple[int, str]:
    """Where the name of a currency begins that ends at `end`, and the name; `end` and nothing where there is none.

    A space may stand between.
    """
    last = end - folded.endswith(" ", 0, end)
    if folded[last - 1 : last] in _BEFORE_ENDINGS:
        for length in _BEFORE_LENGTHS:
            name = folded[last - length : last] if length <= last else ""
            if name in _BEFORE and begins_a_word(folded, last - length):
                return last - length, name
    return end, ""


def currencies_named(names: Sequence[str], shared_signs: Mapping[str, Sequence[str]]) -> tuple[str, ...] | None:
    """The codes that the names of one price mean, none where nothing is named; None where they contradict each other.

    A name of one currency decides what the sign beside it means: "$50 CAD". `shared_signs` has the keys $ and ¥.
    """
    codes = {_NAMES[name] for name in names if name in _NAMES}
    signs = {_SIGNS[name] for name in names if name in _SIGNS}
    if len(codes) > 1 or len(signs) > 1 or any(not codes <= _SHARED_BY[sign] for sign in signs):
        return None
    if codes:
        return tuple(codes)
    return tuple(shared_signs[signs.pop()]) if signs else ()
