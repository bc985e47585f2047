"""Trained rankers in a folder: what they were trained on, LightGBM's text, the networks' tensors."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError
from safetensors import SafetensorError
from safetensors.torch import load, save

from ranking.attention_ranker import AttentionRanker, NetworkShape, RankingNetwork
from ranking.blended_ranker import BlendedRanker
from ranking.feature_settings import Feature
from ranking.rankers import Ranker
from ranking.tree_ranker import TreeRanker

ABOUT = "ranker.json"
_TREES = "trees.txt"
_NETWORK = "network-{}.safetensors"
_FEATURES: TypeAdapter[tuple[Feature, ...]] = TypeAdapter(tuple[Feature, ...])


class RankerUnusable(Exception):
    """The folder holds no ranker that can serve here; the message says what to do."""


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


def write_ranker(folder: Path, trained: TrainedRanker) -> None:
    """Makes the folder where it is not there; what it held of a ranker is replaced."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in (*folder.glob(_NETWORK.format("*")), folder / _TREES, folder / ABOUT):
        old.unlink(missing_ok=True)
    if trained.trees:
        (folder / _TREES).write_text(trained.trees)
    for number, network in enumerate(trained.networks):
        (folder / _NETWORK.format(number)).write_bytes(save(network.state_dict()))
    about = {
        "features": [feature.model_dump(mode="json") for feature in trained.features],
        "networks": [asdict(network.shape) for network in trained.networks],
        "report": dict(trained.report),
    }
    (folder / ABOUT).write_text(json.dumps(about, indent=2) + "\n")


def read_ranker(folder: Path) -> TrainedRanker:
    """Raises RankerUnusable."""
    try:
        about = json.loads((folder / ABOUT).read_text())
        features = _FEATURES.validate_python(about["features"])
        shapes = [NetworkShape(**shape) for shape in about["networks"]]
        networks = [_network(folder / _NETWORK.format(number), shape) for number, shape in enumerate(shapes)]
        trees = (folder / _TREES).read_text() if (folder / _TREES).exists() else ""
    except FileNotFoundError as error:
        missing = f"{folder} holds no ranker ({error.filename} is missing)"
        raise RankerUnusable(f"{missing}: make one with `millrace train ranker`") from None
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, ValidationError, SafetensorError) as error:
        raise RankerUnusable(f"the ranker in {folder} cannot be read, train it again: {error}") from None
    if not trees and not networks:
        raise RankerUnusable(f"the ranker in {folder} has neither trees nor a network: train it again")
    return TrainedRanker(features, trees, networks, about.get("report", {}))


def _network(path: Path, shape: NetworkShape) -> RankingNetwork:
    network = RankingNetwork(shape)
    network.load_state_dict(load(path.read_bytes()))
    return network.eval()


def _mark(content: bytes) -> str:
    return blake2b(content, digest_size=4).hexdigest()
