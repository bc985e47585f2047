"""The page of the simulated shoppers: HTML that shows how well their lists fit their hidden tastes."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from demo.shoppers.learning_curve import Round
from learning.relevance import Interval
from serving.learning_pages import learning_pages

_REFRESH_SECONDS = 5
_TEMPLATE = "learning_page.html"
_LEFT, _RIGHT, _TOP, _BOTTOM = 46.0, 748.0, 14.0, 226.0
_MOST_LABELS = 12


@dataclass(frozen=True, slots=True)
class Point:
    """One session in one line, in units of the drawing; `low` and `high` are the ends of the interval."""

    session: int
    x: float
    y: float
    low: float
    high: float
    interval: Interval


@dataclass(frozen=True, slots=True)
class Mark:
    """A label of an axis and where it stands."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Chart:
    """Of one or more lines, by name; `zero` is where 0 stands, which need not be within the drawing."""

    lines: dict[str, list[Point]]
    sessions: list[Mark]
    values: list[Mark]
    zero: float


def write_learning_pages(page: Path, rounds: Sequence[Round], shoppers: int, shop: str, ended: bool) -> None:
    """In each language, `page` itself last. Whoever reads one meanwhile gets the old or the new one, whole."""
    pages = learning_pages(page)
    for language, file in reversed(pages.items()):
        (elsewhere,) = (other for other in pages.values() if other != file)
        unfinished = file.with_name(f"{file.name}.part")
        unfinished.write_text(learning_page(rounds, shoppers, shop, ended, language, elsewhere.name), "utf-8")
        unfinished.replace(file)


def learning_page(rounds: Sequence[Round], shoppers: int, shop: str, ended: bool, language: str, elsewhere: str) -> str:
    """HTML that asks nobody for anything; a browser reads it again every few seconds, until the visits have `ended`.

    It links to the `shop`, and to the page in the other language, which lies beside it under the name `elsewhere`.
    """
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    comparisons = [(one.session, one.comparison) for one in rounds]
    return environment.get_template(_TEMPLATE).render(
        rounds=rounds,
        shoppers=shoppers,
        shop=shop,
        language=language,
        elsewhere=quote(elsewhere),
        refresh=None if ended else _REFRESH_SECONDS,
        lists=_chart(
            {
                "plain": [(session, compared.plain) for session, compared in comparisons],
                "personalized": [(session, compared.personalized) for session, compared in comparisons],
            }
        ),
        difference=_chart({"difference": [(session, compared.difference) for session, compared in comparisons]}),
    )


def _chart(lines: Mapping[str, Sequence[tuple[int, Interval]]]) -> Chart | None:
    """None where there is nothing to draw yet."""
    intervals = [interval for line in lines.values() for _, interval in line]
    if not intervals:
        return None
    sessions = [session for session, _ in next(iter(lines.values()))]
    bottom = math.floor(min(0.0 if len(lines) == 1 else 1.0, *(one.low for one in intervals)) * 10) / 10
    top = max(bottom + 0.1, math.ceil(max(0.0, *(one.high for one in intervals)) * 10) / 10)

    def x(session: int) -> float:
        return _LEFT + (_RIGHT - _LEFT) * (session - sessions[0] + 0.5) / (sessions[-1] - sessions[0] + 1)

    def y(value: float) -> float:
        return _BOTTOM - (_BOTTOM - _TOP) * (value - bottom) / (top - bottom)

    drawn = {
        name: [Point(session, x(session), y(one.mean), y(one.low), y(one.high), one) for session, one in line]
        for name, line in lines.items()
    }
    every = math.ceil(len(sessions) / _MOST_LABELS)
    steps = range(round((top - bottom) * 10) + 1)
    return Chart(
        drawn,
        [Mark(x(session), str(session)) for session in sessions[::every]],
        [Mark(y(bottom + step / 10), f"{bottom + step / 10:.1f}") for step in steps],
        y(0.0),
    )
