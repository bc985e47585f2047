"""What `--propensities` takes, and what it tells people."""

from pathlib import Path

import pytest

from cli.ranking_propensities import propensities
from learning.showings import PropensityError
from tests.unit.learning.test_examination import shown_lists


def test_a_log_with_lists_in_random_order_says_it_itself() -> None:
    found = propensities("auto", shown_lists(1_000, share=1.0, places=3))

    assert found.source == "log"
    assert found.examination[0] == 1 > found.examination[1] > found.examination[2]
    assert "1000 lists in random order" in found.said
    assert found.facts()["lists"] == 1_000
    assert len(found.facts()["intervals"]) == 3


def test_a_log_without_any_says_why_all_places_count_alike() -> None:
    found = propensities("auto", shown_lists(100, share=0.0))

    assert (found.source, list(found.examination)) == ("none", [])
    assert "no list was shown in random order" in found.said


def test_what_is_in_the_log_may_be_left_alone() -> None:
    assert propensities("none", shown_lists(1_000, share=1.0)).facts() == {"source": "none", "examination": []}


def test_a_known_curve_comes_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "places.json"
    file.write_text("[1, 0.6, 0.25]")

    assert propensities(str(file), []).facts() == {"source": "file", "examination": [1.0, 0.6, 0.25]}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("[1, 0.5, 0]", "place 3: Input should be greater than 0"),
        ("[1, 1.5]", "place 2: Input should be less than or equal to 1"),
        ("[]", "at least 1 item"),
        ("1, 2", "Invalid JSON.*write a JSON list such as"),
        (None, "takes auto, none or a file"),
    ],
)
def test_a_file_that_is_no_curve_is_refused(tmp_path: Path, content: str | None, reason: str) -> None:
    file = tmp_path / "places.json"
    if content is not None:
        file.write_text(content)

    with pytest.raises(PropensityError, match=reason):
        propensities(str(file), [])
