"""A ranker of small networks: their mean, by features and by how candidates relate to recent products."""

from collections.abc import Sequence
from itertools import groupby

import numpy as np
import torch

from ranking.network_ensemble import NetworkEnsemble
from ranking.rankers import Numbers, RankingInput, deviation, standardized
from ranking.ranking_network import RankingNetwork

RECENT_PRODUCTS = "recent_products"  # the part of the attention, beside those of the features


class AttentionRanker:
    """A trained network, or the mean of several, each standardized over the list."""

    def __init__(self, networks: Sequence[RankingNetwork], release: str) -> None:
        self._networks = [network.eval() for network in networks]
        self._ensembles = [NetworkEnsemble(list(alike)) for _, alike in groupby(self._networks, lambda one: one.shape)]
        self._release = release

    @property
    def release(self) -> str:
        return self._release

    def score(self, candidates: RankingInput) -> Numbers:
        inputs = [torch.from_numpy(np.ascontiguousarray(one)) for one in _inputs(candidates)]
        scores = [standardized(each) for ensemble in self._ensembles for each in ensemble.scores(*inputs).numpy()]
        mean: Numbers = np.mean(scores, axis=0, dtype=np.float32)
        return mean

    def parts(self, candidates: RankingInput) -> dict[str, Numbers]:
        """By integrated gradients, and what comes of the shopper's recent products; each network's standardized."""
        values, vectors, recent, surprise = (torch.from_numpy(np.ascontiguousarray(one)) for one in _inputs(candidates))
        sums = np.zeros((len(candidates.candidates), len(candidates.names) + 1), np.float32)
        for network in self._networks:
            parts = network.parts(network.standard(values)).detach().numpy()
            with torch.inference_mode():
                attended = np.zeros(len(parts), np.float32)
                if network.attends(vectors, recent):
                    attended = network.attend(vectors, recent, surprise).numpy()
                    attended = attended - attended.sum() / max(len(parts), 1)  # from the list's mean, like features
            columns = np.column_stack([parts, attended])
            sums += columns / deviation(columns.sum(axis=1)) / len(self._networks)
        named = dict(zip([*candidates.names, RECENT_PRODUCTS], sums.T, strict=True))
        if not any(network.shape.vector for network in self._networks):
            del named[RECENT_PRODUCTS]
        return named


def _inputs(candidates: RankingInput) -> tuple[Numbers, Numbers, Numbers, Numbers]:
    return candidates.values, candidates.vectors, candidates.recent, candidates.recent_weights
