"""Results as JSON, with the commit and the kind of machine that they were measured on."""

import json
import os
import platform
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
_PACKAGES = ("torch", "sentence-transformers", "faust-streaming", "pymilvus", "milvus-lite", "confluent-kafka")


def record(name: str, limit: str, result: Mapping[str, Any]) -> Path:
    """Write one benchmark's result. `limit` says in words what was to be reached."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    content = {
        "benchmark": name,
        "limit": limit,
        **result,
        "commit": _commit(),
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
    }
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n")
    return path


def data_folder() -> Path:
    """The real data sets. Raises FileNotFoundError where they are absent."""
    folder = Path(os.environ.get("MILLRACE_DATA", "../shared/data"))
    if not folder.is_dir():
        raise FileNotFoundError(f"no real data at {folder}: set MILLRACE_DATA to the folder of the data sets")
    return folder


def machine() -> dict[str, Any]:
    """What of the machine and its software decides such figures."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "load_1_minute": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        "packages": {package: version(package) for package in _PACKAGES},
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else ():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor()


def _commit() -> str:
    """The checked-out commit, marked when files were changed since, other than results."""
    commit = _git("rev-parse", "--short=12", "HEAD")
    changed = _git("status", "--porcelain", "--untracked-files=no", ":/", ":(top,exclude)benchmarks/results")
    return (f"{commit}-dirty" if changed else commit) or "unknown"


def _git(*arguments: str) -> str:
    """What it prints; nothing where it cannot say."""
    return subprocess.run(["git", *arguments], capture_output=True, text=True, check=False).stdout.strip()
