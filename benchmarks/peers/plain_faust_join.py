"""The join as Faust's own documentation would have it: event by event, the open lists in a table."""

from typing import Any

import faust
import orjson

from benchmarks.peers.job import Meter, Task
from benchmarks.peers.plain_faust import work
from feedback import join
from feedback.join import OpenList
from feedback.join_settings import JoinSettings
from feedback.list_documents import add_actions, documents
from topics.behavior import BehaviorEvent, BehaviorQuery
from topics.catalogue import BEHAVIOR_EVENTS, BEHAVIOR_QUERIES, FEEDBACK_EXAMPLES

_PARTITIONS = 4  # of the topics on LocalKafka
_RAW = {"key_type": bytes, "key_serializer": "raw", "value_type": bytes, "value_serializer": "raw"}


def run_join(task: Task) -> None:
    app = faust.App(
        task.group,
        broker=f"kafka://{task.bootstrap_servers}",
        store="memory://",
        web_enabled=False,
        topic_disable_leader=True,
        topic_replication_factor=1,
        table_standby_replicas=0,
        consumer_auto_offset_reset="earliest",
        key_serializer="raw",
        value_serializer="raw",
        datadir=task.folder,
    )
    meter, folding = Meter(task.events), Folding()
    examples = app.topic(FEEDBACK_EXAMPLES, **_RAW)
    table = app.Table("open-lists", partitions=_PARTITIONS, key_type=bytes, value_type=bytes)

    async def join_clicks(stream: Any) -> None:
        async for event in stream.events():
            meter.saw(1)
            state, told = folding.fold(event.message.topic, event.value, table.get(event.key))
            table[event.key] = state
            for document in told:
                sent = await examples.send(key=document["query_id"].encode(), value=orjson.dumps(document))
            if meter.seen == task.events:
                await sent
                meter.finish()

    app.agent(app.topic(BEHAVIOR_QUERIES, BEHAVIOR_EVENTS, **_RAW), name="join-clicks")(join_clicks)
    work(app)


class Folding:
    """One event at a time, by the same rules as Millrace's join; without repeats counted, bots and erasure."""

    def __init__(self) -> None:
        self._settings = JoinSettings()

    def fold(self, topic: str, value: bytes, state: bytes | None) -> tuple[bytes, list[dict[str, Any]]]:
        known = OpenList() if state is None else join.decode(state)
        touched = None
        if topic == BEHAVIOR_QUERIES:
            query = BehaviorQuery.model_validate_json(value)
            known.add_query(join.shown_list(query))
            list_id = query.query_id
        else:
            upon = join.action_upon(BehaviorEvent.model_validate_json(value))
            if upon is None:
                raise TypeError(f"the benchmark sends actions upon products only, this is {value!r}")
            list_id, touched = upon.list_id, [upon.event_id]
            add_actions(list_id, known, {upon.event_id: upon.action}, self._settings)
        told = list(documents(list_id, known, self._settings.window_seconds, touched))
        return join.encode(known), told


if __name__ == "__main__":
    run_join(Task.from_arguments())
