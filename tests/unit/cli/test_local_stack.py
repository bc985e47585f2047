"""The folder of a local stack: emptied for the next one, and nobody else's is touched; why a process has ended."""

from pathlib import Path

import pytest

from cli.local_stack import CONFIG_NAME, StackError, make_room, reason_in

LEAK_REPORT = """\
nanobind: leaked 4 instances!
 - leaked instance 0x7ff2d76648c8 of type "triton._C.libtriton.ir.attribute"
 - ... skipped remainder
nanobind: this is likely caused by a reference counting issue in the binding code.
See https://nanobind.readthedocs.io/en/latest/refleaks.html
"""


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


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("2026-11-21 23:36:57,061 ERROR uvicorn.error: address in use\n2026-11-21 23:36:57,062 INFO x: bye\n", "use"),
        ("error: metrics cannot be served\n", "error: metrics cannot be served"),
        ("Traceback (most recent call last):\nValueError: no such thing\n\n", "ValueError: no such thing"),
        ("", "it said nothing"),
    ],
)
def test_why_a_process_has_ended_is_its_last_error_or_its_last_line(tmp_path: Path, said: str, reason: str) -> None:
    (tmp_path / "serve.log").write_text(said + LEAK_REPORT)

    assert reason_in(tmp_path / "serve.log").endswith(reason)
