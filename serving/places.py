"""Few threads for what takes long, so that it holds up nothing else."""

from collections.abc import Callable
from typing import TypeVar, TypeVarTuple

from anyio import CapacityLimiter, WouldBlock
from anyio.to_thread import run_sync

from serving.problems import unavailable
from serving.search_answers import Asked

Result = TypeVar("Result")
Arguments = TypeVarTuple("Arguments")


class Places:
    """Threads of their own for one kind of work, and nobody waits for one: that would be for the slowest."""

    def __init__(self, most: int, problem: str, advice: str) -> None:
        self._problem = problem
        self._advice = advice
        self._taken = CapacityLimiter(most)
        self._threads = CapacityLimiter(most)

    async def run(self, work: Callable[[*Arguments], Result], *arguments: *Arguments) -> Result:
        """Raises Problem at once where no place is free."""
        try:
            self._taken.acquire_nowait()
        except WouldBlock:
            raise unavailable(self._problem, self._advice) from None
        try:
            return await run_sync(work, *arguments, limiter=self._threads)
        finally:
            self._taken.release()


class QueryThreads:
    """Few places, for all routes together, for queries whose picture is fetched: its host may be slow on purpose."""

    def __init__(self, max_image_url_queries: int) -> None:
        advice = "send the picture itself, or the same again in a moment"
        self._fetching = Places(max_image_url_queries, "too-many-image-urls", advice)

    async def run(self, work: Callable[[Asked], Result], asked: Asked) -> Result:
        """Raises Problem at once where no place is free."""
        if asked.picture_link is None:
            return await run_sync(work, asked)
        return await self._fetching.run(work, asked)
