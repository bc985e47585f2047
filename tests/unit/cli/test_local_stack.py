"""The folder of a local stack: emptied for the next one, and nobody else's is touched."""

from pathlib import Path

import pytest

from cli.local_stack import CONFIG_NAME, StackError, make_room


def test_a_new_folder_is_made(tmp_path: Path) -> None:
    make_room(tmp_path / "deep" / "demo")

    assert (tmp_path / "deep" / "demo").is_dir()


def test_what_a_stack_that_never_started_left_is_taken_away(tmp_path: Path) -> None:
    """Its broker comes first, its settings are written last."""
    for _ in range(2):
        make_room(tmp_path)
        assert not (tmp_path / "kafka").exists()
        (tmp_path / "kafka").mkdir()


@pytest.mark.parametrize("name", ["thesis.txt", CONFIG_NAME])
def test_a_folder_of_something_else_is_left_alone(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("ten years of work")

    with pytest.raises(StackError, match="choose another folder"):
        make_room(tmp_path)

    assert (tmp_path / name).read_text() == "ten years of work"
