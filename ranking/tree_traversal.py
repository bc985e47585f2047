"""Scores of boosted trees for a list of candidates at once, without walking each tree down for each candidate.

Which leaves of a tree can still be reached is a set of bits for each node (QuickScorer: Lucchese and others, SIGIR
2015); what all nodes of one feature leave is looked up by where the candidate's number stands among their thresholds.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ranking.rankers import Numbers

MOST_LEAVES = 16
_ALL = (1 << MOST_LEAVES) - 1
# Of each set of leaves that can be reached the first, which is the one that is reached.
_FIRST = np.array([max(leaves & -leaves, 1).bit_length() - 1 for leaves in range(_ALL + 1)], np.uint8)


class NotTraversable(ValueError):
    """A score is not the sum of the trees, or these have too many leaves or ask for other than an order of numbers."""


@dataclass(frozen=True, slots=True)
class _Node:
    """`reached`: the leaves of its tree that a number above the threshold leaves within reach, a bit each."""

    tree: int
    threshold: float
    unknown_is_above: bool
    reached: int


class TreeTraversal:
    """Gives what LightGBM gives, but for the rounding of the sum. Safe to call from several threads."""

    def __init__(self, model: Mapping[str, Any]) -> None:
        """`model` as LightGBM dumps it. Raises NotTraversable."""
        if not model["objective"].startswith("lambdarank") or model["average_output"]:
            raise NotTraversable(f"a score is not the sum of its trees: {model['objective']}")
        trees = [each["tree_structure"] for each in model["tree_info"]]
        self._values = np.zeros((len(trees), MOST_LEAVES))
        self._starts = np.arange(len(trees)) * MOST_LEAVES
        by_feature: defaultdict[int, list[_Node]] = defaultdict(list)
        for tree, root in enumerate(trees):
            values: list[float] = []
            _add_nodes(root, tree, values, by_feature)
            if len(values) > MOST_LEAVES:
                raise NotTraversable(f"a tree has {len(values)} leaves")
            self._values[tree, : len(values)] = values
        self._features = [(feature, *_lookup(nodes, len(trees))) for feature, nodes in sorted(by_feature.items())]

    def scores(self, values: Numbers) -> NDArray[np.float64]:
        """Of candidates x features, NaN where a feature is not known."""
        reached = np.full((len(values), len(self._values)), _ALL, np.uint16)
        columns = values.T.astype(np.float64)
        unknown = np.isnan(columns)
        for feature, thresholds, masks in self._features:
            places = thresholds.searchsorted(columns[feature])
            places[unknown[feature]] = len(thresholds) + 1
            reached &= masks.take(places, axis=0)
        scores: NDArray[np.float64] = self._values.take(_FIRST.take(reached) + self._starts).sum(axis=1)
        return scores


def _add_nodes(
    node: Mapping[str, Any], tree: int, values: list[float], by_feature: defaultdict[int, list[_Node]]
) -> int:
    """The leaves below it, from left to right, a bit each."""
    if "leaf_value" in node:
        values.append(node["leaf_value"])
        return 1 << len(values) - 1
    if node["decision_type"] != "<=" or node["missing_type"] == "Zero":
        raise NotTraversable(f"a node asks {node['decision_type']} and has {node['missing_type']} for what is missing")
    left = _add_nodes(node["left_child"], tree, values, by_feature)
    right = _add_nodes(node["right_child"], tree, values, by_feature)
    unknown_is_above = node["threshold"] < 0 if node["missing_type"] == "None" else not node["default_left"]
    by_feature[node["split_feature"]].append(_Node(tree, node["threshold"], unknown_is_above, _ALL & ~left))
    return left | right


def _lookup(nodes: Sequence[_Node], trees: int) -> tuple[NDArray[np.float64], NDArray[np.uint16]]:
    """Thresholds, rising, and places x trees: the leaves that are left to a number by how many thresholds it is above;
    the last place is that of a number that is not known.
    """
    thresholds = np.unique([node.threshold for node in nodes])
    masks = np.full((len(thresholds) + 2, trees), _ALL, np.uint16)
    for node in nodes:
        first_above = int(np.searchsorted(thresholds, node.threshold)) + 1
        masks[first_above:-1, node.tree] &= node.reached
        if node.unknown_is_above:
            masks[-1, node.tree] &= node.reached
    return thresholds, masks
