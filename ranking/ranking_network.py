"""A small network that ranks: features, and how candidates relate to what the shopper made of recent products."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

FARTHEST = 5.0  # standard deviations from the mean
_STEPS_OF_ATTRIBUTION = 16
LARGEST_LIKENESS = 8.0
WEIGHT_OF_A_LINE = 0.15  # about the variance of being clicked


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
        return standard.clamp(-FARTHEST, FARTHEST)

    def of_features(self, standard: Tensor) -> Tensor:
        return self._beside(standard.mean(dim=-2, keepdim=True), standard)

    def _beside(self, middle: Tensor, standard: Tensor) -> Tensor:
        beside = torch.cat([standard - middle, middle.expand_as(standard)], dim=-1)
        scores: Tensor = (self.line(standard) + self.network(beside)).squeeze(-1)
        return scores

    def attend(self, vectors: Tensor, recent: Tensor, surprise: Tensor) -> Tensor:
        likeness = (self.query(vectors) / self.shape.attention**0.5) @ self.key(recent).transpose(-1, -2)
        told = torch.stack([surprise, (surprise != 0).to(surprise.dtype)], dim=-1)
        surprises, lines = (torch.exp(likeness.clamp(max=LARGEST_LIKENESS)) @ told).unbind(dim=-1)
        attended: Tensor = surprises / (WEIGHT_OF_A_LINE * lines + 3 * nn.functional.softplus(self.prior))
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
