"""`python -m benchmarks [NAME ...]`: run benchmarks one after the other and write their results."""

import argparse
import sys
from collections.abc import Callable, Mapping

from benchmarks import (
    attribute_change,
    click_to_page,
    first_answer,
    indexing_throughput,
    join_cost,
    join_exactness,
    picture_relevance,
    ranklens_topics,
    recovery,
    relevance,
    rerank_latency,
    search_overhead,
    soak,
    streaming_cost,
)
from benchmarks.recording import RESULTS

# In this order: `relevance` fills the index that `search_overhead` searches.
BENCHMARKS: Mapping[str, Callable[[], None]] = {
    "streaming_cost": streaming_cost.run,
    "attribute_change": attribute_change.run,
    "indexing_throughput": indexing_throughput.run,
    "recovery": recovery.run,
    "relevance": relevance.run,
    "search_overhead": search_overhead.run,
    "picture_relevance": picture_relevance.run,
    "first_answer": first_answer.run,
    "click_to_page": click_to_page.run,
    "rerank_latency": rerank_latency.run,
    "join_cost": join_cost.run,
    "join_exactness": join_exactness.run,
    "ranklens_topics": ranklens_topics.run,
}
BY_NAME_ONLY: Mapping[str, Callable[[], None]] = {"soak": soak.run}  # takes most of an hour


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    known = {**BENCHMARKS, **BY_NAME_ONLY}
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"of {', '.join(known)}; without: all but {', '.join(BY_NAME_ONLY)}"
    )
    names = parser.parse_args().names or list(BENCHMARKS)
    if unknown := set(names) - set(known):
        parser.error(f"no benchmark {', '.join(unknown)}; there are {', '.join(known)}")
    for name in names:
        sys.stderr.write(f"{name} ...\n")
        known[name]()
        sys.stdout.write((RESULTS / f"{name}.json").read_text())


if __name__ == "__main__":
    main()
