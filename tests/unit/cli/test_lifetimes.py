"""A parent that starts its child again, with real processes."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
CHILD = """
import os, signal, sys
from cli.lifetimes import run_in_children
run_in_children("millrace test", (70,), with_stdin={with_stdin})
signal.signal(signal.SIGTERM, lambda *_: sys.exit({code}))
print(os.getpid(), flush=True)
{then}
signal.pause()
"""

Parent = subprocess.Popen[str]


@contextmanager
def parent(code: int = 0, then: str = "", with_stdin: bool = False) -> Iterator[Parent]:
    script = CHILD.format(code=code, then=then, with_stdin=with_stdin)
    with subprocess.Popen(
        [sys.executable, "-c", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def next_child(process: Parent) -> int:
    assert process.stdout is not None
    return int(process.stdout.readline())


def said(process: Parent) -> str:
    assert process.stderr is not None
    return process.stderr.read()


def test_a_child_that_is_killed_is_followed_by_another_until_the_parent_is_told_to_stop() -> None:
    with parent(code=3) as process:
        first = next_child(process)
        os.kill(first, signal.SIGKILL)
        second = next_child(process)
        assert len({process.pid, first, second}) == 3
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 3  # the child's own answer to SIGTERM
        assert "millrace test ended with code -9: starting it again" in said(process)


def test_ctrl_c_reaches_the_child_as_a_request_to_stop() -> None:
    with parent() as process:
        next_child(process)
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0


@pytest.mark.parametrize("code", [0, 1, 2])
def test_a_child_that_ends_for_a_reason_ends_the_parent_with_its_code(code: int) -> None:
    with parent(then=f"sys.exit({code})") as process:
        assert process.wait(10) == code
        assert said(process) == ""


def test_a_child_that_ends_itself_as_unexpected_is_started_again() -> None:
    with parent(then="sys.exit(70)") as process:
        assert next_child(process) != next_child(process)


def test_a_parent_can_be_stopped_while_it_pauses_between_two_children() -> None:
    with parent(then="sys.exit(70)") as process:
        next_child(process)
        assert process.stderr is not None
        process.stderr.readline()
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0


def test_a_child_ends_with_its_parent_however_that_ended() -> None:
    with parent() as process:
        next_child(process)
        process.kill()
        assert process.stdout is not None
        assert process.stdout.read() == ""  # the child has closed it, too


def test_the_parent_ends_with_its_standard_input_where_it_is_to() -> None:
    with parent(code=4, with_stdin=True) as process:
        next_child(process)
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(10) == 4
