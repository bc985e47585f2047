"""`millrace demo`: what it refuses before anything starts."""

import socket
from pathlib import Path

from typer.testing import CliRunner

from cli.main import app


def test_a_taken_port_is_told_before_anything_starts(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        result = CliRunner().invoke(app, ["demo", "--headless", "--port", port, "--folder", str(tmp_path / "demo")])

    assert result.exit_code == 1
    assert f"port {port} cannot be used" in result.stderr
    assert not (tmp_path / "demo").exists()
