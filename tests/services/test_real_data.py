"""`millrace real-data` on the head of the real catalogue, with encoders that need no model."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.services, pytest.mark.data]

HASH_ENCODERS = {"MILLRACE__ENCODERS__TEXT__MODEL": "hash", "MILLRACE__ENCODERS__IMAGE__MODEL": "hash"}


def test_the_head_of_the_catalogue_goes_through_and_is_measured(shared_data: Path, tmp_path: Path) -> None:
    catalogue = str(shared_data / "icecat_chorus")
    ratings = tmp_path / "ratings.csv"
    ratings.write_text("query,docid,rating\nxerox toner,3920564,3\nxerox toner,2101957,0\nnotebook,2101957,3\n")
    command = [sys.executable, "-m", "cli.main", "real-data", catalogue, "--limit", "150", "--ratings", str(ratings)]

    finished = subprocess.run(
        [*command, "--work", str(tmp_path / "work"), "--json"],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=200,
        env=os.environ | HASH_ENCODERS,
    )

    report = json.loads(finished.stdout.splitlines()[-1])
    assert (report["products"], report["indexed"], report["dead_letters"], report["failures"]) == (150, 150, {}, [])
    assert report["products_per_second"] > 0
    assert 0 < report["freshness_seconds"]["p50"] <= report["freshness_seconds"]["p99"]
    assert report["queries"] == 2
    assert set(report["ndcg"]) == {"dense", "BM25", "hybrid"}
    assert report["ndcg"]["BM25"]["judged"] == 1.0
