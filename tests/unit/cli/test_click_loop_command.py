"""`millrace click-loop`: what it makes at its start."""

from pathlib import Path

import pytest

from cli.click_loop import make_examples_folder
from feedback.example_settings import ExampleLogSettings


def test_an_example_log_on_this_machine_is_a_folder_from_the_start(tmp_path: Path) -> None:
    for _ in range(2):
        make_examples_folder(ExampleLogSettings(url=str(tmp_path / "examples")))

        assert list((tmp_path / "examples").iterdir()) == []


@pytest.mark.parametrize("url", ["nowhere/examples", "a-file", "memory://examples"])
def test_where_there_can_be_no_folder_nothing_is_made(tmp_path: Path, url: str) -> None:
    (tmp_path / "a-file").touch()

    make_examples_folder(ExampleLogSettings(url=url if "://" in url else str(tmp_path / url)))

    assert [path.name for path in tmp_path.iterdir()] == ["a-file"]
