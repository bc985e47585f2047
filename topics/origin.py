"""Where in the code something was decided: a short stack of names and lines, without a path of this machine."""

import sys
from collections.abc import Iterator
from itertools import islice
from types import FrameType, TracebackType

_MAX_FRAMES = 12


def call_stack() -> str:
    """Who called the caller, innermost last, one a line: `streams.indexer:141 Indexer._read`.

    While an exception is handled, the way down to where it was raised follows.
    """
    lines = [_line(frame, frame.f_lineno) for frame in islice(_callers(sys._getframe(2)), _MAX_FRAMES)]
    lines.reverse()
    error = sys.exception()
    if error is not None:
        lines += [f"raised {type(error).__name__}", *_way_down(error.__traceback__)]
    return "\n".join(lines)


def _callers(frame: FrameType | None) -> Iterator[FrameType]:
    """Innermost first; how a thread was started is no news."""
    while frame is not None and frame.f_globals.get("__name__") != "threading":
        yield frame
        frame = frame.f_back


def _way_down(raised: TracebackType | None) -> list[str]:
    lines = []
    while raised is not None:
        lines.append(_line(raised.tb_frame, raised.tb_lineno))
        raised = raised.tb_next
    return lines[-_MAX_FRAMES:]


def _line(frame: FrameType, number: int) -> str:
    return f"{frame.f_globals.get('__name__', '?')}:{number} {frame.f_code.co_qualname}"
