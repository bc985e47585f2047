"""Pictures through the whole path: photos of groceries; the drawn shop by words, by picture, and by both."""

import json
import subprocess
import sys
from typing import Any

from benchmarks.recording import data_folder, record

LIMIT = (
    "drawn shop, looks that no training saw, both languages: text to picture R@1 at least .96; a picture and another "
    "colour's name, all three attributes right: at least .75 noisy, .86 clean; photos: none"
)


def run() -> None:
    record("picture_relevance", LIMIT, {name: _evaluate(name) for name in ("groceries", "drawn-shop")})


def _evaluate(name: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "cli.main", "evaluate", "relevance", "--on", name, "--json"]
    command += ["--data", str(data_folder())]
    output = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=3_600).stdout
    facts: dict[str, Any] = json.loads(output.splitlines()[-1])
    return facts
