"""From `millrace demo` in an installed environment to its first answer."""

import json
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.recording import record

LIMIT = "first answer at most 60 s after the start, models and 640 drawn products included"
_WORK = Path(".bench/first-answer")


def run() -> None:
    command = [sys.executable, "-m", "cli.main", "demo", "--headless", "--seconds", "60", "--json", "--port", "0"]
    began = time.monotonic()
    output = subprocess.run(
        [*command, "--folder", str(_WORK)], stdout=subprocess.PIPE, text=True, check=True, timeout=600
    ).stdout
    report = json.loads(output.splitlines()[-1])
    report["whole_run_seconds"] = round(time.monotonic() - began, 1)
    names = (
        "first_answer_seconds",
        "whole_run_seconds",
        "products",
        "products_per_second",
        "freshness_seconds",
        "live_changes",
        "searches",
    )
    record("first_answer", LIMIT, {name: report[name] for name in names})
