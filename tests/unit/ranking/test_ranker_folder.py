"""Trained rankers in a folder."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lightgbm as lgb
import numpy as np
import pytest
import torch

from ranking.feature_settings import PositionFeature, RateFeature, ScoreFeature
from ranking.ranker_folder import ABOUT, TrainedRanker, read_ranker, require_room, write_ranker
from ranking.rankers import Candidate, RankerFolderError, RankerUnusable, RankingInput
from ranking.ranking_network import NetworkShape, RankingNetwork

FEATURES = (ScoreFeature(name="score"), RateFeature(name="rate", half_life_hours=24))
NOTHING = np.zeros((3, 0), np.float32)
SEEN = RankingInput(
    [Candidate(name, place) for place, name in enumerate("abc", 1)],
    ("score", "rate"),
    np.array([[1, 2], [3, np.nan], [0, 1]], np.float32),
    NOTHING,
    NOTHING[:0],
    np.zeros(0, np.float32),
)


@pytest.fixture(scope="module")
def trained() -> TrainedRanker:
    values = np.arange(80.0).reshape(40, 2)
    data = lgb.Dataset(values, values[:, 0] > 40, params={"min_data_in_bin": 1, "verbose": -1})
    trees = lgb.train({"objective": "binary", "min_data_in_leaf": 2, "verbose": -1, "num_threads": 1}, data, 3)
    torch.manual_seed(0)
    networks = [RankingNetwork(NetworkShape(2, vector=3)).eval() for _ in range(2)]
    return TrainedRanker(FEATURES, trees.model_to_string(), networks, {"NDCG@10": 0.5})


@pytest.fixture
def folder(trained: TrainedRanker, tmp_path: Path) -> Path:
    write_ranker(tmp_path / "ranker", trained)
    return tmp_path / "ranker"


def test_what_is_read_ranks_as_what_was_written(trained: TrainedRanker, folder: Path) -> None:
    read = read_ranker(folder)

    assert tuple(read.features) == FEATURES
    assert read.report == {"NDCG@10": 0.5}
    assert read.ranker().release == trained.ranker().release
    assert read.ranker().score(SEEN).tolist() == trained.ranker().score(SEEN).tolist()


def test_a_ranker_may_be_trees_alone_and_takes_the_place_of_what_was_there(
    trained: TrainedRanker, folder: Path
) -> None:
    write_ranker(folder, TrainedRanker(FEATURES, trained.trees))
    read = read_ranker(folder)

    assert not read.networks
    assert read.ranker().release.startswith("trees@")


def test_what_cannot_be_written_leaves_the_ranker_that_was_there(
    trained: TrainedRanker, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held, write = sorted(path.name for path in folder.iterdir()), Path.write_bytes

    def full(path: Path, content: bytes) -> int:
        if path.name == "trees.txt":
            raise OSError("no space left")
        return write(path, content)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="no space"):
        write_ranker(folder, TrainedRanker(FEATURES, trained.trees, trained.networks[:1]))

    assert read_ranker(folder).ranker().release == trained.ranker().release
    assert sorted(path.name for path in folder.iterdir()) == held


def test_another_model_has_another_release(trained: TrainedRanker) -> None:
    other = TrainedRanker(FEATURES, networks=trained.networks[:1])

    assert other.ranker().release != TrainedRanker(FEATURES, networks=trained.networks).ranker().release


def cut(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).write_bytes((folder / name).read_bytes()[:-40])


def without(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


def about(**changes: Any) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        said = json.loads((folder / ABOUT).read_text())
        (folder / ABOUT).write_text(json.dumps(said | changes))

    return change


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (without(ABOUT), r"holds no ranker .*ranker.json is missing.*millrace train ranker"),
        (without("trees.txt"), r"holds no ranker .*trees.txt is missing"),
        (without("network-1.safetensors"), r"network-1.safetensors is missing"),
        (cut("trees.txt"), "trees.txt is not as it was written"),
        (cut("network-0.safetensors"), "network-0.safetensors is not as it was written"),
        (cut(ABOUT), "cannot be read, train it again"),
        (about(features=[]), "names 0 features and takes 2"),
        (about(features=[one.model_dump() for one in (*FEATURES, PositionFeature(name="p"))]), "names 3 .* takes 2"),
        (about(features=[{"name": "score", "source": "the stars"}]), "train it again.*the stars"),
        (about(networks=[{"features": 3}] * 2), "cannot be read, train it again.*size mismatch"),
        (about(networks=[{"wings": 3}]), "cannot be read, train it again.*wings"),
        (about(networks=[], files={}), "neither trees nor a network"),
    ],
)
def test_what_cannot_serve_is_named(folder: Path, harm: Callable[[Path], None], message: str) -> None:
    harm(folder)

    with pytest.raises(RankerUnusable, match=f"(?s){message}"):
        read_ranker(folder)


def test_no_json_object_is_no_ranker(folder: Path) -> None:
    (folder / ABOUT).write_text("[1]")

    with pytest.raises(RankerUnusable, match="train it again"):
        read_ranker(folder)


def test_there_is_room_where_a_ranker_is_where_nothing_is_and_where_no_folder_is_yet(
    folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    for place in (folder, tmp_path / "empty", tmp_path / "not" / "yet"):
        require_room(place)

    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty", "ranker"]


def test_what_a_killed_writing_left_takes_no_room(tmp_path: Path) -> None:
    (tmp_path / ".unfinished-1").mkdir()

    require_room(tmp_path)


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        ("file", "Not a directory"),
        ("file/below", "Not a directory"),
        ("/proc/ranker", "no ranker can be written to /proc/ranker"),
        ("", "holds other files and no ranker"),
    ],
)
def test_where_no_ranker_can_be_written_is_known_beforehand(tmp_path: Path, place: str, reason: str) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(RankerFolderError, match=reason):
        require_room(tmp_path / place)
