"""Joined lists for tests."""

from collections.abc import Sequence
from typing import Any

from topics.feedback import JoinedList, ListAction, ShownProduct

NOW = 1_795_000_000.0
HOUR = 3_600.0


def joined(query_id: str, shown: str = "", *actions: tuple[str, str, float], **fields: Any) -> JoinedList:
    """`shown`: a letter for each product; an action is its name, a product, and how long after NOW."""
    made: dict[str, Any] = {"revision": 1 + len(actions), "shopper": "ann", "session": "s-1", "at": NOW, "text": "lamp"}
    return JoinedList.model_validate(
        made
        | {
            "query_id": query_id,
            "shown": tuple(ShownProduct(product_id=name, position=place) for place, name in enumerate(shown, 1)),
            "actions": tuple(
                ListAction(event_id=f"{query_id}-{number}", action=action, product_id=product, at=NOW + after)
                for number, (action, product, after) in enumerate(actions)
            ),
        }
        | fields
    )


def revisions(one: JoinedList) -> Sequence[JoinedList]:
    """The list as it stood after each of its actions."""
    return [
        one.model_copy(update={"revision": 1 + number, "actions": one.actions[:number]})
        for number in range(len(one.actions) + 1)
    ]
