"""Dead letters as a person sees them in a terminal."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table

from topics.catalogue import TOPICS, dead_letter_topic
from topics.dead_letter_forms import iso_time
from topics.dead_letter_log import FiledLetter
from topics.events import DeadLetterResolved

_SHOWN_CHARACTERS = 2_000
_DETAIL_CHARACTERS = 100
_KEY_CHARACTERS = 40


def letter_table(letters: Sequence[FiledLetter], with_state: bool) -> Table:
    """One line a letter; the topic has a column where there are several."""
    topics = sorted({filed.letter.source.topic for filed in letters})
    table = Table(title=f"dead letters of {', '.join(topics)}", title_justify="left")
    columns = ["place", "refused (UTC)", "reason", "key", "detail"]
    for column in [*["topic"][: len(topics) > 1], *columns, *["state"][:with_state]]:
        table.add_column(column, overflow="fold", no_wrap=column in ("place", "refused (UTC)"))
    for filed in letters:
        letter = filed.letter
        cells = [
            letter.source.place,
            _short_time(filed.refused_at_ms),
            letter.reason,
            _start(printable(letter.key), _KEY_CHARACTERS),
            _start(printable(letter.detail), _DETAIL_CHARACTERS),
        ]
        if len(topics) > 1:
            cells.insert(0, letter.source.topic)
        if with_state:
            cells.append("open" if filed.resolution is None else filed.resolution.action)
        table.add_row(*map(escape, cells))
    return table


def counts(letters: Sequence[FiledLetter]) -> str:
    """`3 (2 not_json, 1 invalid_fields)`"""
    reasons = Counter(filed.letter.reason for filed in letters)
    listed = ", ".join(f"{number} {reason}" for reason, number in reasons.most_common())
    return f"{len(letters)} ({listed})" if letters else "0"


def letter_page(filed: FiledLetter, refused_now: str, full: bool) -> RenderableType:
    """Everything about one letter, and what can be done with it."""
    letter, source = filed.letter, filed.letter.source
    facts = Table.grid(padding=(0, 2))
    facts.add_column(style="bold", no_wrap=True)
    facts.add_column(overflow="fold")
    again = f", and {filed.repeats} times more when a worker read it again" if filed.repeats else ""
    rows = {
        "id": filed.id,
        "arrived": iso_time(source.timestamp_ms),
        "refused": f"{iso_time(filed.refused_at_ms)}{again}; kept for {_kept_days(source.topic)} days",
        "reason": letter.reason,
        "detail": printable(letter.detail),
        "came from": f"a replay of {printable(letter.replayed_from)}" if letter.replayed_from else "",
        "state": resolution_text(filed.resolution),
        "now": f"would be refused again: {printable(refused_now)}" if refused_now else "would be read",
        "kept": letter.cut,
        "where": letter.stack or "not known: written by an older version",
        "key": printable(letter.key),
        "headers": "\n".join(f"{printable(name)}: {printable(content)}" for name, content in letter.headers),
        "value": _value(letter.value, full),
    }
    for name, text in rows.items():
        if text:
            facts.add_row(name, escape(text))
    title = f"[bold]{escape(source.topic)} {source.place}[/]"
    return Group(title, facts, "", *map(escape, next_steps(filed, refused_now)), "")


def next_steps(filed: FiledLetter, refused_now: str) -> list[str]:
    place = filed.letter.source.place
    again = "" if filed.resolution is None else " --again"
    fix = [
        f"fix it:        millrace dead-letters show {place} --json > fixed.json",
        "               (change `value`, `key` or `headers` in the file)",
        f"               millrace dead-letters replay --from-file fixed.json{again}",
    ]
    if not refused_now:
        fix = [f"send it again: millrace dead-letters replay {place}{again}"]
    aside = [] if filed.resolution is not None else [f"put it aside:  millrace dead-letters discard {place}"]
    return [*fix, *aside]


def resolution_text(resolution: DeadLetterResolved | None) -> str:
    """`replayed 2026-11-20 08:00:00 UTC by anna`, or `open`."""
    if resolution is None:
        return "open"
    fixed = ", fixed" if resolution.fixed else ""
    place = f", now at {resolution.partition}:{resolution.offset}" if resolution.offset is not None else ""
    note = f" ({printable(resolution.note)})" if resolution.note else ""
    moment = _short_time(int(resolution.at * 1000))
    return f"{resolution.action} {moment} UTC by {printable(resolution.by)}{fixed}{place}{note}"


def printable(content: bytes | str | None) -> str:
    """Without anything that a terminal would obey; `(none)` for null."""
    if content is None:
        return "(none)"
    text = content.decode("utf-8", "backslashreplace") if isinstance(content, bytes) else content
    return "".join(letter if letter.isprintable() or letter == "\n" else repr(letter)[1:-1] for letter in text)


def _value(value: bytes | None, full: bool) -> str:
    if value is None:
        return "(none: a tombstone)"
    text = printable(value)
    if full or len(text) <= _SHOWN_CHARACTERS:
        return text or "(empty)"
    return f"{text[:_SHOWN_CHARACTERS]}\n... {len(value)} bytes in all: --full shows them"


def _start(text: str, characters: int) -> str:
    line = text.replace("\n", " ")
    return line if len(line) <= characters else line[: characters - 1] + "…"


def _short_time(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _kept_days(topic: str) -> int:
    return next(spec.retention_days for spec in TOPICS if spec.name == dead_letter_topic(topic))
