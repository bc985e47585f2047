"""`millrace train retrieval-weights` as a person and as a program meet it."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli.main import app
from cli.train_weights import TABLES, settings_lines
from learning.retrieval_weights import LearnedWeights, Quality, WeightChoice
from ranking.fusion import Leg
from ranking.queries import QueryKind
from ranking.settings import RankingSettings

EMBEDDED = '[encoders.text]\nmodel = "hash"\n[encoders.image]\nmodel = "hash"\n[index]\nkind = "memory"\n'


def train(folder: Path, queries: int, *more: str) -> Result:
    ratings, config = folder / "ratings.csv", folder / "millrace.toml"
    rows = "".join(f"query {number},p{number},3\n" for number in range(queries))
    ratings.write_text("query,docid,rating\n" + rows)
    config.write_text(EMBEDDED)
    command = ["train", "retrieval-weights", str(ratings), "--config", str(config), "--repeats", "1", *more]
    return CliRunner(env={"COLUMNS": "160"}).invoke(app, command)


def test_it_prints_lines_for_the_settings_file() -> None:
    choice = WeightChoice({Leg.TEXT: 0.85, Leg.KEYWORDS: 0.15}, 75)
    learned = LearnedWeights(choice, 75, Quality(0.9, 0.7), Quality(0.92, 0.77))

    assert settings_lines(learned).replace("\\", "") == (
        "[ranking]\nkeyword_places = 75\n\n[ranking.text_query]\ntext = 0.85\nkeywords = 0.15"
    )


@pytest.mark.parametrize(
    ("queries", "said"), [(3, "3 queries with a rating above 0 are too few"), (12, "found nothing")]
)
def test_what_nothing_can_be_learned_from_is_refused_with_the_reason(tmp_path: Path, queries: int, said: str) -> None:
    answer = train(tmp_path, queries, "--json")

    assert answer.exit_code == 1
    assert said in json.loads(answer.stdout)["error"]


def test_each_kind_of_query_gets_its_own_table() -> None:
    choice = WeightChoice({Leg.TEXT: 0.3, Leg.IMAGE: 0.7}, 75)
    learned = LearnedWeights(choice, 75, Quality(0.9, 0.7), Quality(0.92, 0.77))

    lines = settings_lines(learned, QueryKind.TEXT_AND_PICTURE).replace("\\", "")

    assert lines == "[ranking.text_and_picture_query]\ntext = 0.3\nimage = 0.7"
    assert set(TABLES.values()) <= set(RankingSettings.model_fields)
