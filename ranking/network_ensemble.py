"""Several networks of one shape as one: their parameters side by side, each step one product for all of them.

A list is so small that what a call costs is most of the time: numpy's cost a fraction of torch's.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from ranking.rankers import Numbers
from ranking.ranking_network import FARTHEST, LARGEST_LIKENESS, WEIGHT_OF_A_LINE, RankingNetwork


class NetworkEnsemble:
    """Gives what the networks give, but for rounding. Safe to call from several threads."""

    def __init__(self, networks: Sequence[RankingNetwork]) -> None:
        """There must be at least one, and all of one shape."""
        self._shape, self._networks = networks[0].shape, len(networks)
        features = self._shape.features
        tensors = [network.state_dict() for network in networks]

        def stacked(name: str) -> Numbers:
            return np.stack([each[name].numpy() for each in tensors])

        self._mean, self._deviation = stacked("mean")[:, np.newaxis], stacked("deviation")[:, np.newaxis]
        self._line = stacked("line.weight").mT
        inner = stacked("network.1.weight").mT
        self._of_rest, self._of_middle = inner[:, :features].copy(), inner[:, features:].copy()
        self._inner_bias = stacked("network.1.bias")[:, np.newaxis]
        self._outer, self._outer_bias = stacked("network.4.weight").mT, stacked("network.4.bias")
        if self._shape.vector:
            self._query = _side_by_side(stacked("query.weight")) / np.float32(self._shape.attention**0.5)
            self._key = _side_by_side(stacked("key.weight"))
            self._prior = 3 * np.logaddexp(stacked("prior"), 0)[:, np.newaxis]
            self._scale = np.exp(stacked("scale"))[:, np.newaxis]

    def scores(self, values: Numbers, vectors: Numbers, recent: Numbers, surprise: Numbers) -> Numbers:
        """Networks x candidates, of which there must be at least one; the arguments are those of one network for one
        list.
        """
        standard = (values - self._mean) / self._deviation
        standard[np.isnan(standard)] = 0.0
        np.minimum(np.maximum(standard, -FARTHEST, out=standard), FARTHEST, out=standard)
        middle = standard.mean(axis=1, keepdims=True)
        inner = (standard - middle) @ self._of_rest
        inner += self._inner_bias + middle @ self._of_middle
        hidden: Numbers = nn.functional.gelu(torch.from_numpy(inner)).numpy()
        scores: Numbers = (hidden @ self._outer)[:, :, 0]
        scores += (standard @ self._line)[:, :, 0] + self._outer_bias
        if self._shape.vector and vectors.shape[1] and len(recent):
            scores += self._attended(vectors, recent, surprise)
        return scores

    def _attended(self, vectors: Numbers, recent: Numbers, surprise: Numbers) -> Numbers:
        queries, keys = self._by_network(vectors @ self._query), self._by_network(recent @ self._key)
        likeness = queries @ keys.mT
        np.exp(np.minimum(likeness, LARGEST_LIKENESS, out=likeness), out=likeness)
        lines = likeness @ (surprise != 0).astype(np.float32)
        attended: Numbers = self._scale * (likeness @ surprise) / (WEIGHT_OF_A_LINE * lines + self._prior)
        return attended

    def _by_network(self, projected: Numbers) -> Numbers:
        """Rows x all networks' dimensions as networks x rows x dimensions."""
        return projected.reshape(len(projected), self._networks, self._shape.attention).transpose(1, 0, 2)


def _side_by_side(weights: Numbers) -> Numbers:
    """Networks x outputs x inputs as inputs x all outputs."""
    return weights.reshape(-1, weights.shape[-1]).T.copy()
