"""`millrace demo` as a stranger runs it: one command, its answer, and nothing left behind however it ends."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from cli.main import app
from cli.settings import load_settings
from demo.drawn_shop.looks import all_looks
from deploy.kafka.jars import KafkaUnavailable, fetch_jars, java
from tests.processes import running_children, runs

pytestmark = pytest.mark.services

PRODUCTS = len(all_looks())  # one of each look, so that every example search has its answer
FEW = 60  # where the way it ends is looked at, and not what it finds
PATIENCE = 240.0
KEYS = {
    "products", "indexed", "products_per_second", "freshness_seconds", "live_changes", "first_answer_seconds",
    "searches", "shoppers", "url", "failures",
}  # fmt: skip


@dataclass
class Demo:
    """A demo in the background, and what it says."""

    folder: Path
    process: "subprocess.Popen[str]"

    def open(self) -> dict[int, str]:
        """Wait until the shop is open; which processes run for it."""
        stderr = self.process.stderr
        assert stderr is not None
        said = []
        for line in stderr:
            said.append(line)
            if "Open http" in line:
                self._rest = threading.Thread(target=stderr.read)  # so that it never waits for a reader
                self._rest.start()
                return running_children(self.process.pid)
        pytest.fail(f"it ended before the shop was open: {''.join(said)}")

    def result(self) -> dict[str, Any]:
        """The one object on stdout, once it has ended."""
        stdout = self.process.stdout
        assert stdout is not None
        lines = stdout.read().splitlines()
        assert len(lines) == 1
        facts: dict[str, Any] = json.loads(lines[0])
        return facts

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        if hasattr(self, "_rest"):
            self._rest.join()


def start(folder: Path, *more: str, products: int = FEW) -> "subprocess.Popen[str]":
    """With encoders without a model: quick to start, and the same everywhere."""
    hash_encoders = {"MILLRACE__ENCODERS__TEXT__MODEL": "hash", "MILLRACE__ENCODERS__IMAGE__MODEL": "hash"}
    return subprocess.Popen(
        [
            sys.executable, "-m", "cli.main", "demo", "--json", "--products", str(products), "--port", "0",
            "--folder", str(folder), *more,
        ],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ | hash_encoders,
    )  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "demo"


@pytest.fixture
def demo(folder: Path) -> Iterator[Demo]:
    with start(folder) as process:
        demo = Demo(folder, process)
        yield demo
        demo.close()


def assert_all_end(children: dict[int, str], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while left := {pid: command for pid, command in children.items() if runs(pid)}:
        assert time.monotonic() < deadline, left
        time.sleep(0.05)


def real_failures(facts: dict[str, Any]) -> list[str]:
    """Without a model, a Chinese query finds no English title; that is not what these tests are about."""
    return [failure for failure in facts["failures"] if "did not find it" not in failure]


def require_kafka() -> None:
    try:
        java()
        fetch_jars()
    except KafkaUnavailable as absent:
        pytest.skip(str(absent))


@pytest.mark.parametrize("broker", ["embedded", "kafka"])
def test_a_run_for_scripts_answers_in_one_json_object(folder: Path, broker: str) -> None:
    if broker == "kafka":
        require_kafka()
    with start(folder, "--headless", "--seconds", "15", "--broker", broker, products=PRODUCTS) as process:
        demo = Demo(folder, process)
        children = demo.open()
        facts = demo.result()
        code = process.wait(PATIENCE)
        demo.close()

    assert real_failures(facts) == []
    assert code == (1 if facts["failures"] else 0)
    assert set(facts) - {"error"} == KEYS
    assert ("error" in facts) == bool(facts["failures"])
    assert facts["products"] == facts["indexed"] == PRODUCTS
    assert facts["products_per_second"] > 0
    assert facts["live_changes"] > 0
    assert 0 < facts["freshness_seconds"]["p50"] <= facts["freshness_seconds"]["p99"] < 60
    assert [search["kind"] for search in facts["searches"]] == ["English", "Chinese", "picture"]
    for search in facts["searches"]:
        assert set(search) == {"query", "kind", "titles", "took_ms", "ok"}
        assert len(search["titles"]) == 3
    assert facts["shoppers"]["searches"] > 0
    assert facts["shoppers"]["failed_requests"] == 0
    assert "What the shop learns of 12 shoppers" in (folder / "learning.html").read_text()
    assert "商店从 12 位模拟顾客身上学到了什么" in (folder / "learning.zh-Hans.html").read_text("utf-8")
    assert facts["searches"][0]["ok"]  # the words of the title are the words of the query
    assert not any(map(runs, children))


def test_ctrl_c_ends_everything_cleanly(demo: Demo) -> None:
    children = demo.open()
    assert len(children) == 5, children  # broker, Milvus, worker, click loop, server
    server = load_settings(demo.folder / "millrace.toml").server
    url = f"http://{server.host}:{server.port}"
    answer = httpx.get(f"{url}/v1/search", params={"q": "red striped dress"}, timeout=30).json()
    assert len(answer["results"]) > 3
    assert httpx.get(f"{url}/readyz", timeout=30).is_success
    erased = CliRunner().invoke(app, ["erase-user", "nobody", "--config", str(demo.folder / "millrace.toml"), "--json"])
    assert json.loads(erased.stdout)["complete"]
    assert (demo.folder / "millrace.toml").stat().st_mode & 0o077 == 0  # the key to pseudonyms stands in it

    demo.process.send_signal(signal.SIGINT)

    facts = demo.result()
    assert demo.process.wait(PATIENCE) == (1 if facts["failures"] else 0)
    assert real_failures(facts) == []
    assert facts["indexed"] == FEW
    assert not any(map(runs, children))
    for part in ("worker.log", "serve.log", "milvus/milvus-lite.log"):
        log = (demo.folder / part).read_text()
        assert "Fatal Python error" not in log, part
        assert "Traceback" not in log, part


def test_a_demo_that_is_killed_leaves_no_process_behind(demo: Demo) -> None:
    children = demo.open()
    demo.process.kill()

    assert_all_end(children, seconds=30)


def test_a_folder_with_something_else_in_it_is_left_alone(folder: Path) -> None:
    folder.mkdir()
    (folder / "thesis.txt").write_text("ten years of work")

    with start(folder) as process:
        demo = Demo(folder, process)
        error = demo.result()["error"]
        code = process.wait(PATIENCE)
        demo.close()

    assert code == 1
    assert "choose another folder" in error
    assert (folder / "thesis.txt").read_text() == "ten years of work"
