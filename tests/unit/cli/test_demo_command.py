"""`millrace demo`: what it does before anything starts."""

import socket
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.local_stack import StackError
from cli.main import app
from cli.settings import Settings


def test_a_taken_port_is_told_before_anything_starts(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        result = CliRunner().invoke(app, ["demo", "--headless", "--port", port, "--folder", str(tmp_path / "demo")])

    assert result.exit_code == 1
    assert f"port {port} cannot be used" in result.stderr
    assert not (tmp_path / "demo").exists()


def test_each_demo_has_a_key_for_pseudonyms_that_its_settings_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = []

    def refuse(folder: Path, settings: Settings, **_: Any) -> None:
        keys.append(settings.server.pseudonym_key.get_secret_value())
        raise StackError("not today")

    monkeypatch.setattr("cli.demo_run.LocalStack", refuse)
    for _ in range(2):
        result = CliRunner().invoke(app, ["demo", "--headless", "--port", "0", "--folder", str(tmp_path / "demo")])
        assert "not today" in result.stderr

    assert all(len(key) >= 32 for key in keys)
    assert len(set(keys)) == 2
