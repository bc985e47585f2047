"""The evaluation's figures as the rows of a table: the command prints it, and the model's card shows it."""

from collections.abc import Iterator, Mapping
from typing import Any

_LANGUAGES = {"en": "English", "zh": "Chinese"}
_RECALLS = {
    "text_to_picture": "{} text to picture, R@1 / R@10",
    "text_to_picture_varied_captions": "{}, random templates and synonyms, R@1 / R@10",
    "text_to_picture_held_out_candidates": "{}, among the 128 held-out looks only, R@1 / R@10",
    "text_to_picture_trained_looks": "{}, looks seen in training, R@1 / R@10",
    "picture_to_text": "picture to {} text, R@1 / R@10",
}


def table_rows(galleries: Mapping[str, Any]) -> dict[str, list[str]]:
    """A label, and a cell for each gallery; `galleries` is that part of the command's JSON object."""
    rows: dict[str, list[str]] = {}
    for figures in galleries.values():
        for label, cell in _cells(figures):
            rows.setdefault(label, []).append(cell)
    return rows


def _cells(figures: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "picture to another picture of the look, R@1 / R@10", _recall(figures["picture_to_picture"])
    for code, of_language in figures["languages"].items():
        language = _LANGUAGES[code]
        for name, label in _RECALLS.items():
            yield label.format(language), _recall(of_language[name])
        for name, precision in of_language["partial_precision_at_10"].items():
            yield f"{language}, {name.replace('_', ' ')} alone, P@10", f"{precision:.3f}"
        for weight, right in of_language["picture_plus_new_colour"].items():
            yield f"picture + {weight} × {language} new colour, all three right", _share(right)
        exchanged = of_language["picture_plus_new_minus_old_colour"]
        yield f"picture + {language} new colour − old colour, all three right", _share(exchanged)
        for attribute, right in of_language["picture_and_words_as_searched"].items():
            yield f"picture + {language} new {attribute}, as search composes them, all three right", _share(right)


def _recall(figures: Mapping[str, float]) -> str:
    return f"{figures['at_1']:.3f} / {figures['at_10']:.3f}"


def _share(right: Mapping[str, float]) -> str:
    return f"{right['all_three']:.3f}"
