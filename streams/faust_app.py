"""The Faust app without agents: its settings, chosen so that nothing is lost."""

import tempfile
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

import faust
from faust.tables.manager import TableManager
from faust.types.auth import CredentialsT

from streams import record_batches
from streams.membership import Membership
from streams.settings import ProcessSettings
from topics.settings import KafkaSettings

_WEEK_SECONDS = 7 * 86_400.0
_FAUST_FOLDER = Path(tempfile.gettempdir()) / "millrace-faust"  # Faust makes one; with no table it stays empty


class _NoTables(TableManager):  # type: ignore[misc]
    """Faust's own waits a second at each start for tables to be defined; there are none."""

    async def on_start(self) -> None:
        await self._update_channels()
        await self.recovery.start()


def read_in_batches(app: faust.App, name: str, topics: Sequence[str], agent: Callable[[Any], Awaitable[None]]) -> None:
    """Add an agent that is handed record batches of these topics, named as on the broker."""
    app.agent(app.topic(*topics, schema=record_batches.RecordBatchSchema()), name=name)(agent)


def create_bare_app(
    settings: ProcessSettings,
    kafka: KafkaSettings,
    crash: Callable[[BaseException], NoReturn],
    group: str,
    membership: Membership | None = None,
) -> faust.App:
    """An app without agents, with settings that lose nothing."""
    app = faust.App(
        kafka.on_broker(group),
        broker=[f"kafka://{address.strip()}" for address in kafka.bootstrap_servers.split(",")],
        broker_credentials=_credentials(kafka),
        autodiscover=False,
        store="memory://",
        TableManager=_NoTables,
        datadir=_FAUST_FOLDER,
        web_enabled=False,
        topic_allow_declare=False,
        topic_disable_leader=True,
        table_standby_replicas=0,
        consumer_auto_offset_reset="earliest",
        consumer_group_instance_id=settings.instance_id or None,
        stream_wait_empty=True,  # a rebalance and a stop wait for what is in flight
        stream_buffer_maxsize=max(1_024, 2 * settings.max_batches_in_flight),
        broker_max_poll_records=500,
        # Faust does not poll while its buffers are full, as in an outage of the index: a short interval makes a zombie.
        broker_max_poll_interval=_WEEK_SECONDS,
        broker_session_timeout=settings.session_timeout_seconds,
        broker_request_timeout=max(90.0, settings.session_timeout_seconds),  # Faust refuses a shorter one
        broker_heartbeat_interval=settings.session_timeout_seconds / 6,
        broker_commit_interval=settings.commit_interval_seconds,
        worker_redirect_stdouts=False,
    )
    record_batches.install(
        app, settings.max_batches_in_flight, settings.fetch_max_wait_seconds, crash, membership or Membership()
    )
    return app


def _credentials(kafka: KafkaSettings) -> CredentialsT | None:
    context = kafka.tls_context() if kafka.uses_tls else None
    if not kafka.uses_login:
        return faust.SSLCredentials(context=context) if context is not None else None
    return faust.SASLCredentials(
        username=kafka.sasl_username,
        password=kafka.sasl_password.get_secret_value(),
        mechanism=kafka.sasl_mechanism,
        ssl_context=context,
    )
