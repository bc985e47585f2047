"""Words that only point at the picture of a query: "the same, but in red" says no more than "red"."""

import re

from index.text_analysis import HAN
from ranking.phrase_text import fold

_ENGLISH = (
    "this", "that", "these", "those", "it", "one", "ones", "same", "similar", "like", "exactly", "but", "just", "only",
    "instead", "please", "make", "want", "i", "in", "with", "as", "to", "a", "an", "the", "and", "of", "colour",
    "color", "version", "style", "something", "picture", "photo",
)  # fmt: skip
_CHINESE = (
    "同款", "同样", "相同", "一样", "类似", "相似", "这个", "这款", "这件", "这条", "这双", "这种", "这把", "这只",
    "那个", "那款", "那件", "但是", "不过", "只是", "换成", "改成", "变成", "我想要", "我要", "想要", "图片", "照片",
    "颜色", "款式", "一款", "一个", "一件", "要", "但", "款", "换", "和", "的",
)  # fmt: skip
_PHRASES = "|".join(sorted((word for word in _CHINESE if len(word) > 1), key=len, reverse=True))
_SINGLE = "".join(word for word in _CHINESE if len(word) == 1)
_REFERRING = (
    re.compile(rf"(?<![a-z0-9'-])(?:{'|'.join(_ENGLISH)})(?![a-z0-9'-])|{_PHRASES}"),
    # A lone character may be a part of a word: it goes only from the edge of what is left.
    re.compile(rf"(?<![{HAN}])[{_SINGLE}]+|[{_SINGLE}]+(?![{HAN}])"),
)


def without_referring_words(text: str) -> str:
    """What the text says beside pointing at the picture; empty where it says nothing else."""
    for pattern in _REFERRING:
        kept, end = [], 0
        for match in pattern.finditer(fold(text)):
            kept.append(text[end : match.start()])
            end = match.end()
        text = " ".join([*kept, text[end:]])
    words = [word.strip(",.;:!?，。；：！？、") for word in text.split()]
    return " ".join(word for word in words if word)
