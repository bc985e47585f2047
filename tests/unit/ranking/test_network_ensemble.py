"""Networks side by side: the scores of each as it gives them alone."""

import numpy as np
import pytest
import torch

from ranking.network_ensemble import NetworkEnsemble
from ranking.ranking_network import NetworkShape, RankingNetwork


def network(seed: int, vector: int) -> RankingNetwork:
    """Nothing in it is at its first value."""
    torch.manual_seed(seed)
    made = RankingNetwork(NetworkShape(5, vector))
    for tensor in made.state_dict().values():
        tensor.uniform_(0.2, 1.2)
    return made.eval()


@pytest.mark.parametrize("vector", [0, 6])
@pytest.mark.parametrize("lines", [0, 4])
@pytest.mark.parametrize("candidates", [1, 7])
def test_scores_are_those_of_each_network(vector: int, lines: int, candidates: int) -> None:
    networks = [network(seed, vector) for seed in range(3)]
    values = torch.randn(candidates, 5) * 4
    values[0, 2] = np.nan
    surprise = torch.tensor([0.5, 0.0, -0.5, 0.2])[:lines]
    inputs = values, torch.randn(candidates, 6), torch.randn(lines, 6), surprise
    with torch.inference_mode():
        alone = torch.stack([one(*inputs) for one in networks])
    np.testing.assert_allclose(NetworkEnsemble(networks).scores(*inputs).numpy(), alone.numpy(), rtol=1e-5, atol=1e-5)


def test_products_without_vectors_are_ranked_by_features() -> None:
    networks = [network(seed, 6) for seed in range(2)]
    inputs = torch.randn(3, 5), torch.zeros(3, 0), torch.zeros(4, 0), torch.ones(4)
    with torch.inference_mode():
        alone = torch.stack([one(*inputs) for one in networks])
    np.testing.assert_allclose(NetworkEnsemble(networks).scores(*inputs).numpy(), alone.numpy(), rtol=1e-5, atol=1e-5)
