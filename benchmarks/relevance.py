"""The Icecat catalogue through the whole path: throughput, freshness, and NDCG@10 beside the published baselines."""

import json
import subprocess
import sys

from benchmarks.recording import data_folder, record

LIMIT = "dense and BM25 within .01 of their baselines, hybrid at least .915 and .76; freshness p99 at most 1 s"


def run() -> None:
    command = [sys.executable, "-m", "cli.main", "real-data", str(data_folder() / "icecat_chorus"), "--json"]
    output = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=3_600).stdout
    record("relevance", LIMIT, json.loads(output.splitlines()[-1]))
