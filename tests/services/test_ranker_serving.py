"""From a log to a ranker behind the API in one command."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.processes import running_children, runs
from tests.unit.cli.test_ranking_commands import product, visits, written

pytestmark = pytest.mark.services

PATIENCE = 240.0


def start(folder: Path) -> "subprocess.Popen[str]":
    """In lists of three each shopper loves one brand; encoders without a model start quickly."""
    log = written(folder / "events.jsonl", [*map(product, range(30)), *visits(60)])
    alike = folder / "alike.json"
    alike.write_text("[1.0]")
    hash_encoders = {"MILLRACE__ENCODERS__TEXT__MODEL": "hash", "MILLRACE__ENCODERS__IMAGE__MODEL": "hash"}
    return subprocess.Popen(
        [
            sys.executable, "-m", "cli.main", "train", "ranker", "--log", str(log), "--to", str(folder / "ranker"),
            "--serve", "--folder", str(folder / "shop"), "--port", "0", "--json", "--propensities", str(alike),
        ],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ | hash_encoders,
    )  # fmt: skip


def told(process: "subprocess.Popen[str]") -> str:
    """What it says until the API answers."""
    stderr = process.stderr
    assert stderr is not None
    said = ""
    for line in stderr:
        said += line
        if line.startswith("Ctrl-C ends everything"):
            threading.Thread(target=stderr.read).start()  # so that it never waits for a reader
            return said
    pytest.fail(f"it ended before the API answered: {said}")


def example(said: str) -> tuple[str, dict[str, Any]]:
    """Address and body of the request that it tells people to send."""
    [command] = re.findall(r"^curl .*$", said, re.MULTILINE)
    words = shlex.split(command)
    return words[1], json.loads(words[-1])


def test_the_ranker_answers_for_the_shoppers_of_its_log_until_ctrl_c(tmp_path: Path) -> None:
    with start(tmp_path) as process:
        url, request = example(told(process))
        children = running_children(process.pid)
        everything = [{"product_id": f"p{number}"} for number in range(30)]
        asked = {"candidates": everything, "explain": True}
        answers = {
            user: httpx.post(url, json=asked | {"user_id": user}, timeout=30).raise_for_status().json()
            for user in ("u0", "u1", "u2", "stranger")
        }
        shown = httpx.post(url, json=request, timeout=30).raise_for_status().json()
        process.send_signal(signal.SIGINT)
        stdout, _ = process.communicate(timeout=PATIENCE)

    facts = json.loads(stdout)
    assert process.returncode == 0
    assert {answer["ranker"] for answer in answers.values()} == {facts["release"]}
    for loved in range(3):
        results = answers[f"u{loved}"]["results"]
        assert {int(one["product_id"][1:]) % 3 for one in results[:5]} == {loved}, "the brand that this shopper loves"
        assert "brand_affinity" in results[0]["parts"]
    first = {tuple(one["product_id"] for one in answer["results"]) for answer in answers.values()}
    assert len(first) == 4
    assert request["user_id"] == "u19"
    assert {one["product_id"] for one in shown["results"]} == {one["product_id"] for one in request["candidates"]}
    assert facts["serving"]["example"]["request"] == request
    assert facts["serving"]["products"] == 30
    assert facts["propensities"] == {"source": "file", "examination": [1.0]}
    assert not any(map(runs, children))
