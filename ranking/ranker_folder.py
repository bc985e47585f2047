"""Trained rankers in a folder: what they were trained on, LightGBM's text, the networks' tensors."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from hashlib import blake2b
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from lightgbm.basic import LightGBMError
from pydantic import TypeAdapter, ValidationError
from safetensors import SafetensorError
from safetensors.torch import load, save

from ranking.attention_ranker import AttentionRanker
from ranking.blended_ranker import BlendedRanker
from ranking.feature_settings import Feature
from ranking.rankers import Ranker, RankerFolderError, RankerUnusable
from ranking.ranking_network import NetworkShape, RankingNetwork
from ranking.tree_ranker import TreeRanker

ABOUT = "ranker.json"
_TREES = "trees.txt"
_UNFINISHED = ".unfinished-"
_NETWORK = "network-{}.safetensors"
_UNREADABLE = (
    OSError,
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    RuntimeError,
    ValidationError,
    SafetensorError,
    LightGBMError,
)
_FEATURES: TypeAdapter[tuple[Feature, ...]] = TypeAdapter(tuple[Feature, ...])


@dataclass(frozen=True, slots=True)
class TrainedRanker:
    """`trees` is LightGBM's text, empty where it is not part of the ranker; `networks` may be none.

    `report` is what was measured of it when it was trained.
    """

    features: Sequence[Feature]
    trees: str = ""
    networks: Sequence[RankingNetwork] = ()
    report: Mapping[str, Any] = field(default_factory=dict)

    def ranker(self) -> Ranker:
        """Ready to serve, on the CPU."""
        parts: list[Ranker] = []
        if self.trees:
            parts.append(TreeRanker(self.trees, f"trees@{_mark(self.trees.encode())}"))
        if self.networks:
            tensors = b"".join(save(network.state_dict()) for network in self.networks)
            parts.append(AttentionRanker(self.networks, f"network@{_mark(tensors)}"))
        return parts[0] if len(parts) == 1 else BlendedRanker(parts)


def require_room(folder: Path) -> None:
    """That a ranker can be written there, before a training of minutes. Raises RankerFolderError."""
    try:
        nearest = next(place for place in (folder, *folder.parents) if place.exists())
        with TemporaryDirectory(prefix=_UNFINISHED, dir=nearest):
            pass
        held = folder.iterdir() if nearest == folder else ()
        others = any(not one.name.startswith(_UNFINISHED) for one in held)
        strangers = others and not (folder / ABOUT).exists()
    except OSError as error:
        raise RankerFolderError(
            f"no ranker can be written to {folder}: {error.strerror}: choose another folder"
        ) from None
    if strangers:
        raise RankerFolderError(f"{folder} holds other files and no ranker: choose another folder")


def write_ranker(folder: Path, trained: TrainedRanker) -> None:
    """Makes the folder where it is not there; what it held of a ranker goes once all of the new one is written."""
    files = {_NETWORK.format(number): save(network.state_dict()) for number, network in enumerate(trained.networks)}
    if trained.trees:
        files[_TREES] = trained.trees.encode()
    about = {
        "files": {name: _mark(content) for name, content in files.items()},
        "features": [feature.model_dump(mode="json") for feature in trained.features],
        "networks": [asdict(network.shape) for network in trained.networks],
        "report": dict(trained.report),
    }
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=_UNFINISHED, dir=folder) as beside:
        written = {**files, ABOUT: (json.dumps(about, indent=2) + "\n").encode()}
        for name, content in written.items():
            (Path(beside) / name).write_bytes(content)
        for name in written:
            (Path(beside) / name).replace(folder / name)
    for old in {folder / _TREES, *folder.glob(_NETWORK.format("*"))} - {folder / name for name in files}:
        old.unlink(missing_ok=True)


def read_ranker(folder: Path) -> TrainedRanker:
    """Raises RankerUnusable."""
    try:
        about = json.loads((folder / ABOUT).read_text())
        features = _FEATURES.validate_python(about["features"])
        files = {name: _content(folder, name, mark) for name, mark in about["files"].items()}
        trees = files.get(_TREES, b"").decode()
        networks = [
            _network(files[_NETWORK.format(number)], NetworkShape(**shape))
            for number, shape in enumerate(about["networks"])
        ]
        sizes = {network.shape.features for network in networks} | (
            {TreeRanker(trees, "").features} if trees else set()
        )
        report = dict(about["report"])
    except FileNotFoundError as error:
        missing = f"{folder} holds no ranker ({error.filename} is missing)"
        raise RankerUnusable(f"{missing}: make one with `millrace train ranker`") from None
    except _UNREADABLE as error:
        raise RankerUnusable(f"the ranker in {folder} cannot be read, train it again: {error!r}") from None
    if not sizes:
        raise RankerUnusable(f"the ranker in {folder} has neither trees nor a network: train it again")
    if sizes != {len(features)}:
        takes = " or ".join(map(str, sorted(sizes)))
        raise RankerUnusable(f"the ranker in {folder} names {len(features)} features and takes {takes}: train it again")
    return TrainedRanker(features, trees, networks, report)


def _content(folder: Path, name: str, mark: str) -> bytes:
    content = (folder / name).read_bytes()
    if _mark(content) != mark:
        raise ValueError(f"{name} is not as it was written")
    return content


def _network(content: bytes, shape: NetworkShape) -> RankingNetwork:
    network = RankingNetwork(shape)
    network.load_state_dict(load(content))
    return network.eval()


def _mark(content: bytes) -> str:
    return blake2b(content, digest_size=4).hexdigest()
