"""The page of simulated shoppers is written once in each language: files side by side.

One file that chooses by its fragment would not do: at a fragment, browsers take the refresh of the page for a jump
within it, and read nothing.
"""

import re
from pathlib import Path

_WAY_BACK = re.compile(rb'(<a id="shop" href=")[^"]*')


def learning_pages(page: Path) -> dict[str, Path]:
    """By the tag of the language: `page` itself is in English, beside it lies such as shoppers.zh-Hans.html."""
    return {"en": page, "zh-Hans": page.with_suffix(f".zh-Hans{page.suffix}")}


def as_served(page: bytes) -> bytes:
    """The way back to the shop leads to where the browser came from, not to the address that the shoppers knew."""
    return _WAY_BACK.sub(rb"\g<1>../", page)
