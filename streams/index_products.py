"""The agent `index-products`: a thin shell that carries fetched batches from Faust to the pipeline and acks back."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, NoReturn

from streams.batch_agent import acknowledger
from streams.pipeline import Pipeline


def index_products(pipeline: Pipeline, crash: Callable[[BaseException], NoReturn]) -> Callable[[Any], Awaitable[None]]:
    """The agent's function.

    No exception leaves it: Faust would acknowledge the batch in flight (faust-streaming #315).
    """

    async def agent(stream: Any) -> None:
        loop = asyncio.get_running_loop()
        try:
            async for event in stream.noack().events():
                pipeline.submit(event.value.records, acknowledger(stream, event, loop, crash))
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # noqa: BLE001 - nothing may reach Faust
            crash(error)

    return agent
