"""What a process cannot work with is refused before it reaches anything, with the next step."""

import pytest
from typer.testing import CliRunner

from cli.main import app


@pytest.mark.parametrize("command", [["serve"], ["click-loop"], ["erase-user", "ada", "--pseudonym"]])
def test_profiles_in_the_memory_of_one_process_are_refused(monkeypatch: pytest.MonkeyPatch, command: list[str]) -> None:
    monkeypatch.setattr("cli.process_commands.configure_logging", lambda verbose: None)
    monkeypatch.setattr("setproctitle.setproctitle", lambda title: None)
    monkeypatch.setenv("MILLRACE__PROFILES__KIND", "memory")
    monkeypatch.setenv("MILLRACE__KAFKA__BOOTSTRAP_SERVERS", "127.0.0.1:1")

    result = CliRunner(env={"COLUMNS": "200"}).invoke(app, command)

    assert result.exit_code == 1
    assert "profiles.kind = memory lives in one process" in result.stderr
    assert "set sqlite or redis" in result.stderr
