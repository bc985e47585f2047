"""What the log of a process tells of its end."""

import re
from pathlib import Path

_LEAK_REPORT = re.compile(r"nanobind: | - leaked | - \.\.\. skipped remainder|See https://nanobind\.")
_RECORD = re.compile(r"\S+ \S+ (DEBUG|INFO|WARNING|ERROR|CRITICAL) ")
_ERROR = re.compile(r"error: |\S+ \S+ (ERROR|CRITICAL) |Fatal Python error: ")


def reason_in(log: Path) -> str:
    """Why a process has ended, as far as one line of its log tells: its last error or exception, or else its last line.

    Of an exception it is the line that follows the trace.
    """
    lines = log.read_text(errors="replace").splitlines()
    said = [line for line in lines if line.strip() and not _LEAK_REPORT.match(line)]
    reason, in_trace = "", False
    for line in said:
        if line.startswith("Traceback ("):
            in_trace = True
        elif _ERROR.match(line) or (in_trace and not line[0].isspace() and not _RECORD.match(line)):
            reason, in_trace = line, False
    return reason or (said[-1] if said else "it said nothing")
