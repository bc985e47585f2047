"""Drawn histories of lists, and the ways in which their revisions may arrive."""

from hypothesis import strategies as st

from tests.unit.feedback.lists import HOUR, joined, revisions
from topics.feedback import JoinedList

PRODUCTS = "abcde"
ACTIONS = ["impression", "click", "add_to_cart", "purchase", "hide", "dwell", "of their own"]
CONTEXTS = [{}, {"daypart": "night"}, {"daypart": "evening", "place": "Ulm"}, {"place": "Bonn"}]


@st.composite
def histories(draw: st.DrawFn) -> list[list[JoinedList]]:
    """For each of some lists its revisions: actions come one by one, the query at any time, a suspicion perhaps."""
    lists = []
    for number in range(draw(st.integers(1, 4))):
        done = draw(
            st.lists(st.tuples(st.sampled_from(ACTIONS), st.sampled_from(PRODUCTS), st.floats(0, 5 * HOUR)), max_size=5)
        )
        shown = "".join(draw(st.lists(st.sampled_from(PRODUCTS), unique=True)))
        asked = {"shopper": draw(st.sampled_from(["ann", "bob", ""])), "text": draw(st.sampled_from(["", "lamp", "x"]))}
        asked["context"] = draw(st.sampled_from(CONTEXTS))
        whole = joined(f"q{number}", shown, *done, session=draw(st.sampled_from(["s-1", "s-2", ""])), **asked)
        query_at = draw(st.integers(0, len(done)))
        before = {"at": None, "text": "", "shown": (), "shopper": "", "context": {}}
        steps = revisions(whole)
        steps = [step.model_copy(update=before) for step in steps[:query_at]] + [
            step.model_copy(update={"revision": step.revision + 1}) for step in steps[query_at:]
        ]
        if draw(st.booleans()) and draw(st.booleans()):
            steps.append(steps[-1].model_copy(update={"suspect": "too fast", "revision": 99}))
        lists.append(steps)
    return lists


@st.composite
def deliveries(draw: st.DrawFn) -> tuple[list[JoinedList], list[list[JoinedList]]]:
    """The lists as they stand in the end; and batches of their revisions in any order, some of them repeated."""
    lists = draw(histories())
    every = [step for steps in lists for step in steps]
    order = draw(st.permutations([*every, *draw(st.lists(st.sampled_from(every), max_size=5))]))
    cuts = sorted(draw(st.lists(st.integers(0, len(order)), max_size=5)))
    batches = [list(order[begin:end]) for begin, end in zip([0, *cuts], [*cuts, len(order)], strict=True)]
    return [steps[-1] for steps in lists], batches
