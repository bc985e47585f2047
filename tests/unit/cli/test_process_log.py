"""Why a process has ended, as its log tells it."""

from pathlib import Path

import pytest

from cli.process_log import reason_in

LEAK_REPORT = """\
nanobind: leaked 4 instances!
 - leaked instance 0x7ff2d76648c8 of type "triton._C.libtriton.ir.attribute"
 - ... skipped remainder
nanobind: this is likely caused by a reference counting issue in the binding code.
See https://nanobind.readthedocs.io/en/latest/refleaks.html
"""
ERROR = "2026-11-21 23:36:57,061 ERROR uvicorn.error: address in use\n"
TRACE = 'Traceback (most recent call last):\n  File "main.py", line 1, in <module>\n    start()\n'


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("2026-11-21 23:36:57,061 ERROR uvicorn.error: address in use\n2026-11-21 23:36:57,062 INFO x: bye\n", "use"),
        ("error: metrics cannot be served\n", "error: metrics cannot be served"),
        ("Traceback (most recent call last):\nValueError: no such thing\n\n", "ValueError: no such thing"),
        (f"{ERROR}{TRACE}ValueError: no such thing\nfield\n  more of it\n", "ValueError: no such thing"),
        (f"{TRACE}KeyError: 1\n\nDuring handling of it, another occurred:\n\n{TRACE}OSError: no\n", "OSError: no"),
        (f"{TRACE}KeyError: 1\n{ERROR}2026-11-21 23:36:58,100 INFO x: bye\n", "address in use"),
        (f"{TRACE}2026-11-21 23:36:58,100 INFO x: tick\nOSError: no room\n", "OSError: no room"),
        (f"{TRACE}KeyError: 1\nFatal Python error: Segmentation fault\n\nThread 1:\n", "Segmentation fault"),
        ("2026-11-21 23:36:57,061 CRITICAL index: ending\nbye\n", "index: ending"),
        ("", "it said nothing"),
    ],
)
def test_why_a_process_has_ended_is_its_last_error_or_last_exception(tmp_path: Path, said: str, reason: str) -> None:
    (tmp_path / "serve.log").write_text(said + LEAK_REPORT)

    assert reason_in(tmp_path / "serve.log").endswith(reason)
