"""`millrace evaluate relevance --on groceries`: broker, worker, Milvus Lite and search; no model."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.main import app

pytestmark = [pytest.mark.services, pytest.mark.data]

HASH_ENCODERS = {"MILLRACE__ENCODERS__TEXT__MODEL": "hash", "MILLRACE__ENCODERS__IMAGE__MODEL": "hash"}


def test_photos_are_asked_of_the_pipeline_and_its_index_can_be_asked_again(shared_data: Path, tmp_path: Path) -> None:
    photos = tmp_path / "photos.csv"
    photos.write_text("file,class_name\nAvocado_Iconic.jpg,Avocado\nBanana_Iconic.jpg,Granny-Smith\n")
    (tmp_path / "photos.zip").symlink_to((shared_data / "grocery_store" / "iconic.zip").resolve())
    command = ["evaluate", "relevance", "--on", "groceries", "--photos", str(photos), "--data", str(shared_data)]
    command += ["--work", str(tmp_path / "work"), "--json"]

    first, again = (
        CliRunner(env=HASH_ENCODERS).invoke(app, [*command, *more])
        for more in (["--runs", str(tmp_path / "runs")], ["--reuse-index"])
    )

    assert first.exit_code == 0, first.stderr
    facts = json.loads(first.stdout.splitlines()[-1])
    assert (facts["on"], facts["products"]) == ("groceries", 81)
    assert facts["image_encoder"].startswith("hash")
    measures = facts["query_sets"]["photos"]["systems"]["as served"]["full"]
    assert measures["R@1 fine"]["mean"] == 0.5, "a product's own picture finds it; the other label is wrong on purpose"
    assert (tmp_path / "runs" / "photos.as-served.run").is_file()
    assert again.exit_code == 0, again.stderr
    assert json.loads(again.stdout.splitlines()[-1]) == facts
