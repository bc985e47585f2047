"""What a shopper or a merchant would say of a look, in English and in Chinese."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from demo.drawn_shop.looks import Colour, Kind, Look, Pattern

Language: TypeAlias = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = ("en", "zh")

ENGLISH_KINDS: dict[Kind, tuple[str, ...]] = {
    "dress": ("dress",),
    "t-shirt": ("t-shirt", "tee", "tshirt"),
    "trousers": ("trousers", "pants"),
    "skirt": ("skirt",),
    "sneaker": ("sneaker", "sneakers", "running shoe"),
    "boot": ("boot", "boots"),
    "handbag": ("handbag", "purse"),
    "backpack": ("backpack", "rucksack"),
    "watch": ("watch", "wristwatch"),
    "mug": ("mug", "coffee mug"),
    "lamp": ("lamp", "table lamp"),
    "chair": ("chair", "dining chair"),
    "phone case": ("phone case", "phone cover"),
    "hat": ("hat",),
    "umbrella": ("umbrella",),
    "bottle": ("bottle", "water bottle"),
}
ENGLISH_PATTERNS: dict[Pattern, tuple[str, ...]] = {
    "plain": ("plain", "solid"),
    "striped": ("striped", "stripe"),
    "dotted": ("dotted", "polka dot"),
    "checked": ("checked", "plaid", "checkered"),
}
CHINESE_KINDS: dict[Kind, tuple[str, ...]] = {
    "dress": ("连衣裙", "长裙"),
    "t-shirt": ("T恤", "短袖"),
    "trousers": ("裤子", "长裤"),
    "skirt": ("半身裙", "短裙"),
    "sneaker": ("运动鞋", "跑鞋"),
    "boot": ("靴子", "短靴"),
    "handbag": ("手提包", "女包"),
    "backpack": ("双肩包", "背包"),
    "watch": ("手表", "腕表"),
    "mug": ("马克杯", "咖啡杯"),
    "lamp": ("台灯", "灯具"),
    "chair": ("椅子", "餐椅"),
    "phone case": ("手机壳", "手机套"),
    "hat": ("帽子",),
    "umbrella": ("雨伞", "伞"),
    "bottle": ("水瓶", "水壶"),
}
CHINESE_COLOURS: dict[Colour, tuple[str, ...]] = {
    "red": ("红色", "红"),
    "orange": ("橙色", "橘色"),
    "yellow": ("黄色", "黄"),
    "green": ("绿色", "绿"),
    "blue": ("蓝色", "蓝"),
    "purple": ("紫色", "紫"),
    "pink": ("粉色", "粉红色"),
    "brown": ("棕色", "咖啡色"),
    "black": ("黑色", "黑"),
    "white": ("白色", "白"),
}
CHINESE_PATTERNS: dict[Pattern, tuple[str, ...]] = {
    "plain": ("纯色", "素色"),
    "striped": ("条纹", "横条纹"),
    "dotted": ("波点", "圆点"),
    "checked": ("格子", "格纹"),
}
_PATTERN_NOUNS: dict[Pattern, str] = {"striped": "stripes", "dotted": "dots", "checked": "checks"}
_MEASURE_WORDS: dict[Kind, str] = {
    "dress": "一件",
    "t-shirt": "一件",
    "trousers": "一条",
    "skirt": "一条",
    "sneaker": "一双",
    "boot": "一双",
    "umbrella": "一把",
    "chair": "一把",
}
_USUAL_MEASURE_WORD = "一个"
_ENGLISH_FILLERS = (
    "new",
    "women's",
    "men's",
    "classic",
    "cheap",
    "casual",
    "modern",
    "best",
    "new season",
    "on sale",
    "high quality",
    "stylish",
    "premium",
    "everyday",
    "lightweight",
    "for her",
    "for him",
    "gift",
    "2026",
    "free shipping",
)
_CHINESE_FILLERS = (
    "新款",
    "女士",
    "男士",
    "经典",
    "时尚",
    "百搭",
    "高品质",
    "休闲",
    "包邮",
    "特价",
    "轻便",
    "韩版",
    "夏季",
    "冬季",
    "2026",
)
_KIND_UNSAID_SHARE = 0.3  # people leave out the colour far sooner than the thing itself
_PLAIN_UNSAID = 0.35  # and seldom say "plain"


@dataclass(frozen=True, slots=True)
class _Words:
    """The words chosen for a look; an attribute that goes unsaid is an empty string."""

    kind: str
    colour: str
    pattern: str
    look: Look


def canonical_caption(look: Look, language: Language) -> str:
    """Says all three attributes, in the most usual words."""
    if language == "en":
        return _with_article(f"{look.colour} {look.pattern} {look.kind}")
    return CHINESE_COLOURS[look.colour][0] + CHINESE_PATTERNS[look.pattern][0] + CHINESE_KINDS[look.kind][0]


def varied_caption(look: Look, language: Language, rng: random.Random, unsaid: float = 0.0) -> str:
    """Synonyms, word orders and filler words by chance; `unsaid` is the chance that an attribute is left out."""
    words = _choose_words(look, language, rng, unsaid)
    forms = _english_forms(words, rng) if language == "en" else _chinese_forms(words, rng)
    return rng.choice(forms)()


def one_word_caption(look: Look, language: Language, rng: random.Random) -> str:
    """Only the kind, only the colour or only the pattern, as a shopper adds one word to a picture."""
    if language == "en":
        return rng.choice(
            (rng.choice(ENGLISH_KINDS[look.kind]), look.colour, rng.choice(ENGLISH_PATTERNS[look.pattern]))
        )
    choices = (CHINESE_KINDS[look.kind], CHINESE_COLOURS[look.colour], CHINESE_PATTERNS[look.pattern])
    return rng.choice(rng.choice(choices))


def _choose_words(look: Look, language: Language, rng: random.Random, unsaid: float) -> _Words:
    says_colour = rng.random() >= unsaid
    says_pattern = rng.random() >= unsaid
    says_kind = rng.random() >= unsaid * _KIND_UNSAID_SHARE
    if not (says_colour or says_pattern or says_kind):
        says_kind = True
    if look.pattern == "plain" and says_colour and says_kind and rng.random() < _PLAIN_UNSAID:
        says_pattern = False
    kinds, patterns = (ENGLISH_KINDS, ENGLISH_PATTERNS) if language == "en" else (CHINESE_KINDS, CHINESE_PATTERNS)
    kind = rng.choice(kinds[look.kind]) if says_kind else ""
    colour = _colour_word(look.colour, language, rng) if says_colour else ""
    pattern = rng.choice(patterns[look.pattern]) if says_pattern else ""
    return _Words(kind, colour, pattern, look)


def _colour_word(colour: Colour, language: Language, rng: random.Random) -> str:
    return colour if language == "en" else rng.choice(CHINESE_COLOURS[colour])


def _english_forms(words: _Words, rng: random.Random) -> list[Callable[[], str]]:
    kind, colour, pattern = words.kind, words.colour, words.pattern
    usual = _spaced(colour, pattern, kind)
    forms: list[Callable[[], str]] = [
        lambda: usual,
        lambda: _with_article(usual),
        lambda: _spaced(pattern, colour, kind),
        lambda: f"a photo of {_with_article(usual)}",
        lambda: f"{rng.choice(_ENGLISH_FILLERS)} {usual}",
        lambda: f"{usual}, {rng.choice(_ENGLISH_FILLERS)}",
    ]
    if kind and colour:
        forms.append(lambda: f"{kind} in {colour}" + (f", {pattern}" if pattern else ""))
    if kind and pattern and words.look.pattern != "plain":
        forms.append(lambda: f"{_spaced(colour, kind)} with {_PATTERN_NOUNS[words.look.pattern]}")
    return forms


def _chinese_forms(words: _Words, rng: random.Random) -> list[Callable[[], str]]:
    kind, colour, pattern = words.kind, words.colour, words.pattern
    measure = _MEASURE_WORDS.get(words.look.kind, _USUAL_MEASURE_WORD)
    forms: list[Callable[[], str]] = [
        lambda: colour + pattern + kind,
        lambda: pattern + colour + kind,
        lambda: rng.choice(_CHINESE_FILLERS) + colour + pattern + kind,
        lambda: f"{colour}{pattern}{kind} {rng.choice(_CHINESE_FILLERS)}",
    ]
    if kind:
        forms.append(lambda: measure + (f"{colour}的{pattern}{kind}" if colour else pattern + kind))
        forms.append(lambda: _spaced(colour, pattern, kind))
    return forms


def _spaced(*words: str) -> str:
    return " ".join(word for word in words if word)


def _with_article(words: str) -> str:
    return f"{'an' if words[0] in 'aeiou' else 'a'} {words}"
