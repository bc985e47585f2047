"""What tests/conftest.py promises of every test run."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    "source",
    [
        'import pytest\npytest.importorskip("no_such_module")\ndef test_one(): pass\n',
        'import pytest\n@pytest.mark.skip("no broker")\ndef test_one(): pass\n',
        'import pytest\ndef test_one(): pytest.skip("no broker")\n',
    ],
    ids=["file", "mark", "call"],
)
def test_no_skip_escapes_where_skips_fail(tmp_path: Path, source: str) -> None:
    (tmp_path / "test_skips.py").write_text(source)
    command = [sys.executable, "-m", "pytest", "-p", "tests.conftest", "--rootdir", str(tmp_path), "-q", str(tmp_path)]
    environment = os.environ | {"MILLRACE_SKIPS_FAIL": "1"}
    ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode in (pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.INTERRUPTED), ended.stdout
    assert "was skipped, which MILLRACE_SKIPS_FAIL forbids" in ended.stdout


def test_properties_have_no_deadline_that_a_busy_machine_could_miss() -> None:
    assert settings().deadline is None
