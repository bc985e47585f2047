"""`millrace doctor` looks at Milvus and changes nothing there."""

from pathlib import Path

import pytest
from pymilvus import MilvusClient

from cli.doctor import Finding, examine
from cli.settings import Settings, changed_settings
from cli.wiring import open_parts
from index.embedded_milvus import EmbeddedMilvus

pytestmark = pytest.mark.services

HASH = {"text": {"model": "hash"}, "image": {"model": "hash"}}


def index_finding(settings: Settings) -> Finding:
    [finding] = [finding for finding in examine(settings) if finding.check == "index"]
    return finding


def test_an_index_that_no_worker_has_made_is_told_and_not_made(tmp_path: Path) -> None:
    with EmbeddedMilvus(tmp_path) as milvus:
        changes = {"kafka": {"bootstrap_servers": "127.0.0.1:1"}, "encoders": HASH, "index": {"uri": milvus.uri}}
        settings = changed_settings(Settings(), changes)
        client = MilvusClient(uri=milvus.uri)

        missing = index_finding(settings)

        assert "millrace worker" in missing.advice
        assert client.list_collections() == []
        with open_parts(settings, create_collection=True):
            assert index_finding(settings).ok
        client.close()
