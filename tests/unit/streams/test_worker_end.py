"""A worker that must end does so, whatever its log can take."""

import subprocess
import sys

from streams.ending import EXIT_UNEXPECTED

_PROGRAM = """
import logging
from streams.ending import end_process
logging.basicConfig()
end_process(RuntimeError("broken"))
"""


def test_the_unexpected_ends_the_process_also_when_the_disk_of_its_log_is_full() -> None:
    with open("/dev/full", "wb") as full:
        ended = subprocess.run([sys.executable, "-c", _PROGRAM], stderr=full, check=False)

    assert ended.returncode == EXIT_UNEXPECTED


def test_it_says_why_where_it_can() -> None:
    ended = subprocess.run([sys.executable, "-c", _PROGRAM], capture_output=True, text=True, check=False)

    assert ended.returncode == EXIT_UNEXPECTED
    assert "Ending this worker" in ended.stderr
    assert "RuntimeError: broken" in ended.stderr
