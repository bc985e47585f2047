"""A small network that ranks: features, and how candidates relate to what the shopper made of recent products."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from ranking.rankers import Numbers, RankingInput, deviation, standardized

_FARTHEST = 5.0  # standard deviations from the mean
_STEPS_OF_ATTRIBUTION = 16
RECENT_PRODUCTS = "recent_products"  # the part of the attention, beside those of the features
_WEIGHT_OF_A_LINE = 0.15  # about the variance of being clicked


@dataclass(frozen=True, slots=True)
class NetworkShape:
    """`vector` is the dimension of products' vectors; with 0 there is no attention."""

    features: int
    vector: int = 0
    hidden: int = 32
    attention: int = 16
    dropout: float = 0.1


class RankingNetwork(nn.Module):
    """Scores of one list or of a batch of lists of equal length: a line and a small network over the features, each
    beside the list's mean, plus target attention (Zhou and others, Deep Interest Network, KDD 2018): each recent
    product's surprise counts as far as the candidate is like it.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, shape: NetworkShape) -> None:
        super().__init__()
        self.shape = shape
        self.register_buffer("mean", torch.zeros(shape.features))
        self.register_buffer("deviation", torch.ones(shape.features))
        self.line = nn.Linear(shape.features, 1, bias=False)
        nn.init.zeros_(self.line.weight)
        self.network = nn.Sequential(
            nn.Dropout(shape.dropout),
            nn.Linear(2 * shape.features, shape.hidden),
            nn.GELU(),
            nn.Dropout(shape.dropout),
            nn.Linear(shape.hidden, 1),
        )
        if shape.vector:
            self.query = nn.Linear(shape.vector, shape.attention, bias=False)
            self.key = nn.Linear(shape.vector, shape.attention, bias=False)
            self.prior = nn.Parameter(torch.zeros(()))
            self.scale = nn.Parameter(torch.zeros(()))

    def forward(self, values: Tensor, vectors: Tensor, recent: Tensor, surprise: Tensor) -> Tensor:
        """`values`: ... x candidates x features, NaN where not known; `vectors`: ... x candidates x dimensions;
        `recent`: ... x lines x dimensions with `surprise`: ... x lines, 0 where there is no line. Gives ... x
        candidates.
        """
        standard = self.standard(values)
        scores = self.of_features(standard)
        if self.attends(vectors, recent):
            scores = scores + self.attend(vectors, recent, surprise)
        return scores

    def attends(self, vectors: Tensor, recent: Tensor) -> bool:
        """Not where nothing is known of the shopper, nor where no product has a vector."""
        return bool(self.shape.vector and vectors.shape[-1] and recent.shape[-2])

    def standard(self, values: Tensor) -> Tensor:
        """Standardized, at the mean where not known."""
        standard = torch.nan_to_num((values - self.mean) / self.deviation, nan=0.0)
        return standard.clamp(-_FARTHEST, _FARTHEST)

    def of_features(self, standard: Tensor) -> Tensor:
        return self._beside(standard.mean(dim=-2, keepdim=True), standard)

    def _beside(self, middle: Tensor, standard: Tensor) -> Tensor:
        beside = torch.cat([standard - middle, middle.expand_as(standard)], dim=-1)
        scores: Tensor = (self.line(standard) + self.network(beside)).squeeze(-1)
        return scores

    def attend(self, vectors: Tensor, recent: Tensor, surprise: Tensor) -> Tensor:
        likeness = (self.query(vectors) / self.shape.attention**0.5) @ self.key(recent).transpose(-1, -2)
        told = torch.stack([surprise, (surprise != 0).to(surprise.dtype)], dim=-1)
        surprises, lines = (torch.exp(likeness.clamp(max=8.0)) @ told).unbind(dim=-1)
        attended: Tensor = surprises / (_WEIGHT_OF_A_LINE * lines + 3 * nn.functional.softplus(self.prior))
        return torch.exp(self.scale) * attended

    def parts(self, standard: Tensor) -> Tensor:
        """For candidates x features what each feature adds from the list's mean to the candidate, by integrated
        gradients (Sundararajan and others, ICML 2017); a row's sum is its score less that of the mean.
        """
        middle = standard.mean(dim=-2, keepdim=True)
        shares = (torch.arange(_STEPS_OF_ATTRIBUTION) + 0.5) / _STEPS_OF_ATTRIBUTION
        between = (middle + shares[:, None, None] * (standard - middle)).requires_grad_()
        (gradients,) = torch.autograd.grad(self._beside(middle, between).sum(), between)
        parts = (standard - middle) * gradients.mean(dim=0)
        whole = self._beside(middle, standard) - self._beside(middle, middle)
        return parts + ((whole - parts.sum(dim=-1)) / parts.shape[-1]).unsqueeze(-1)  # what the steps have missed


class AttentionRanker:
    """A trained network, or the mean of several, each standardized over the list."""

    def __init__(self, networks: Sequence[RankingNetwork], release: str) -> None:
        self._networks = [network.eval() for network in networks]
        self._release = release

    @property
    def release(self) -> str:
        return self._release

    def score(self, candidates: RankingInput) -> Numbers:
        inputs = [torch.from_numpy(np.ascontiguousarray(one)) for one in _inputs(candidates)]
        with torch.inference_mode():
            scores = [standardized(network(*inputs).numpy()) for network in self._networks]
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
            columns = np.column_stack([parts, attended])
            sums += columns / deviation(columns.sum(axis=1)) / len(self._networks)
        named = dict(zip([*candidates.names, RECENT_PRODUCTS], sums.T, strict=True))
        if not any(network.shape.vector for network in self._networks):
            del named[RECENT_PRODUCTS]
        return named


def _inputs(candidates: RankingInput) -> tuple[Numbers, Numbers, Numbers, Numbers]:
    return candidates.values, candidates.vectors, candidates.recent, candidates.recent_weights
