"""Several networks of one shape as one: their parameters side by side, each step one product for all of them."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ranking.ranking_network import FARTHEST, LARGEST_LIKENESS, WEIGHT_OF_A_LINE, RankingNetwork


class NetworkEnsemble:
    """Gives what the networks give, but for rounding. Safe to call from several threads."""

    def __init__(self, networks: Sequence[RankingNetwork]) -> None:
        """There must be at least one, and all of one shape."""
        self._shape, self._networks = networks[0].shape, len(networks)
        features = self._shape.features
        tensors = [network.state_dict() for network in networks]

        def stacked(name: str) -> Tensor:
            return torch.stack([each[name] for each in tensors])

        self._mean, self._deviation = stacked("mean").unsqueeze(1), stacked("deviation").unsqueeze(1)
        self._line = stacked("line.weight").mT
        inner = stacked("network.1.weight").mT
        self._of_rest, self._of_middle = inner[:, :features].contiguous(), inner[:, features:].contiguous()
        self._inner_bias = stacked("network.1.bias").unsqueeze(1)
        self._outer, self._outer_bias = stacked("network.4.weight").mT, stacked("network.4.bias").unsqueeze(1)
        if self._shape.vector:
            self._query = stacked("query.weight").flatten(0, 1).T.contiguous() / self._shape.attention**0.5
            self._key = stacked("key.weight").flatten(0, 1).T.contiguous()
            self._prior = 3 * nn.functional.softplus(stacked("prior").unsqueeze(1))
            self._scale = torch.exp(stacked("scale").unsqueeze(1))

    @torch.inference_mode()
    def scores(self, values: Tensor, vectors: Tensor, recent: Tensor, surprise: Tensor) -> Tensor:
        """Networks x candidates; the arguments are those of one network for one list."""
        standard = torch.nan_to_num((values - self._mean) / self._deviation, nan=0.0).clamp_(-FARTHEST, FARTHEST)
        middle = standard.mean(dim=1, keepdim=True)
        inner = torch.baddbmm(self._inner_bias + middle @ self._of_middle, standard - middle, self._of_rest)
        outer = torch.baddbmm(self._outer_bias, nn.functional.gelu(inner), self._outer)
        scores = torch.baddbmm(outer, standard, self._line).squeeze(2)
        if self._shape.vector and vectors.shape[1] and len(recent):
            scores += self._attended(vectors, recent, surprise)
        return scores

    def _attended(self, vectors: Tensor, recent: Tensor, surprise: Tensor) -> Tensor:
        queries, keys = self._by_network(vectors @ self._query), self._by_network(recent @ self._key)
        likeness = torch.bmm(queries, keys.transpose(1, 2)).clamp_(max=LARGEST_LIKENESS).exp_()
        told = torch.stack([surprise, (surprise != 0).to(surprise.dtype)], dim=1)
        surprises, lines = (likeness @ told).unbind(dim=2)
        attended: Tensor = self._scale * surprises / (WEIGHT_OF_A_LINE * lines + self._prior)
        return attended

    def _by_network(self, projected: Tensor) -> Tensor:
        """Rows x all networks' dimensions as networks x rows x dimensions."""
        return projected.view(len(projected), self._networks, self._shape.attention).transpose(0, 1)
