"""The page of simulated shoppers is written once in each language: files side by side.

One file that chooses by its fragment would not do: at a fragment, browsers take the refresh of the page for a jump
within it, and read nothing.
"""

from pathlib import Path


def learning_pages(page: Path) -> dict[str, Path]:
    """By the tag of the language: `page` itself is in English, beside it lies such as shoppers.zh-Hans.html."""
    return {"en": page, "zh-Hans": page.with_suffix(f".zh-Hans{page.suffix}")}
