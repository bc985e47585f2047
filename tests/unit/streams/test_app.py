"""The Faust app: settings that lose nothing, one agent, and the private names of Faust that record batches rest on."""

import asyncio
import inspect
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from types import SimpleNamespace
from typing import Any, TypeVar, cast

import aiokafka
import certifi
import faust
import pytest
from faust.exceptions import ImproperlyConfigured
from faust.transport.consumer import Consumer as BaseConsumer
from faust.transport.drivers import aiokafka as driver
from pydantic import SecretStr

from streams import record_batches
from streams.app import create_app
from streams.ending import EXIT_UNEXPECTED
from streams.index_products import index_products
from streams.pipeline import Pipeline
from streams.settings import WorkerSettings
from topics.catalogue import CATALOG_PRODUCTS, INDEX_PRODUCTS_AGENT, INDEX_PRODUCTS_GROUP, index_products_group
from topics.settings import KafkaSettings

T = TypeVar("T")
PIPELINE = cast(Pipeline, SimpleNamespace(submit=lambda records, acknowledge: None))


@pytest.fixture(autouse=True)
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """Faust asks for the event loop of the thread; this one is closed in the end."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield loop
    asyncio.set_event_loop(None)
    loop.close()


def crash(error: BaseException) -> Any:
    raise AssertionError("the agent crashed") from error


def app(worker: WorkerSettings | None = None, **kafka: Any) -> faust.App:
    return create_app(worker or WorkerSettings(), KafkaSettings(**kafka), PIPELINE, crash)


def test_there_is_one_agent_and_it_reads_products() -> None:
    agents = app().agents

    assert list(agents) == [INDEX_PRODUCTS_AGENT]
    assert [str(name) for name in agents[INDEX_PRODUCTS_AGENT].channel.topics] == [CATALOG_PRODUCTS]
    assert agents[INDEX_PRODUCTS_AGENT].concurrency == 1


def test_the_group_and_the_brokers_are_those_of_the_settings() -> None:
    conf = app(bootstrap_servers="one:9092, two:9093").conf

    assert conf.id == INDEX_PRODUCTS_GROUP
    assert [str(url) for url in conf.broker] == ["kafka://one:9092", "kafka://two:9093"]
    assert conf.broker_credentials is None


def test_a_backfill_has_a_group_of_its_own() -> None:
    group = index_products_group("products_next")
    conf = create_app(WorkerSettings(), KafkaSettings(namespace="test."), PIPELINE, crash, group).conf

    assert group == "millrace-index-products.products_next"
    assert conf.id == "test." + group
    assert index_products_group() == INDEX_PRODUCTS_GROUP


def test_its_settings_lose_nothing() -> None:
    conf = app().conf

    assert conf.stream_wait_empty  # a stop and a rebalance wait for what is in flight
    assert conf.consumer_auto_offset_reset == "earliest"
    assert not conf.autodiscover  # it swallows import errors
    assert not conf.web_enabled
    assert not conf.topic_allow_declare
    assert conf.topic_disable_leader
    assert not conf.worker_redirect_stdouts
    assert conf.broker_max_poll_interval >= 24 * 3_600  # Faust does not poll while its buffers are full


def test_what_the_worker_settings_say_reaches_faust() -> None:
    settings = WorkerSettings(
        instance_id="worker-3", session_timeout_seconds=30, commit_interval_seconds=2, max_batches_in_flight=1_000
    )

    conf = app(settings).conf

    assert conf.consumer_group_instance_id == "worker-3"
    assert (conf.broker_session_timeout, conf.broker_heartbeat_interval) == (30, 5)
    assert conf.broker_commit_interval == 2
    assert conf.stream_buffer_maxsize >= 2_000
    assert app().conf.consumer_group_instance_id is None


def test_the_transport_reads_batches_as_the_settings_say() -> None:
    batching = app(WorkerSettings(max_batches_in_flight=7, fetch_max_wait_seconds=0.25))
    products = batching.agents[INDEX_PRODUCTS_AGENT].channel
    batching.topics.add(products)  # as a start does

    assert isinstance(batching.transport, record_batches.BatchTransport)
    assert (batching.transport.max_in_flight, batching.transport.fetch_max_wait_seconds) == (7, 0.25)
    assert batching.transport.batched_topics() == {CATALOG_PRODUCTS}


def test_two_apps_share_nothing() -> None:
    one, other = app(), app(WorkerSettings(max_batches_in_flight=5))

    assert one.transport is not other.transport
    assert one.transport.max_in_flight != other.transport.max_in_flight
    assert one.agents[INDEX_PRODUCTS_AGENT] is not other.agents[INDEX_PRODUCTS_AGENT]


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
def test_a_login_reaches_the_broker(mechanism: str) -> None:
    login = {"sasl_username": "shop", "sasl_password": SecretStr("opensesame"), "sasl_mechanism": mechanism}
    credentials = app(security_protocol="SASL_PLAINTEXT", **login).conf.broker_credentials

    assert isinstance(credentials, faust.SASLCredentials)
    assert (credentials.username, credentials.password) == ("shop", "opensesame")
    assert credentials.mechanism.value == mechanism
    assert credentials.protocol.value == "SASL_PLAINTEXT"
    assert "opensesame" not in repr(credentials)


@pytest.mark.parametrize(("protocol", "kind"), [("SSL", faust.SSLCredentials), ("SASL_SSL", faust.SASLCredentials)])
def test_certificates_are_checked_against_the_given_authority(protocol: str, kind: type) -> None:
    login = {"sasl_username": "shop", "sasl_password": SecretStr("opensesame")} if protocol == "SASL_SSL" else {}
    context = app(security_protocol=protocol, ca_file=certifi.where(), **login).conf.broker_credentials
    authorities = ssl.create_default_context(cafile=certifi.where()).cert_store_stats()

    assert isinstance(context, kind)
    used = context.context if protocol == "SSL" else context.ssl_context
    assert context.protocol.value == protocol
    assert used.verify_mode is ssl.CERT_REQUIRED
    assert used.check_hostname
    assert used.cert_store_stats() == authorities


def test_another_version_of_faust_is_refused_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faust, "__version__", "0.16.0")

    with pytest.raises(ImproperlyConfigured, match=r"0\.16\.0.*pip install faust-streaming==0\.15\.3"):
        app()


def test_a_topic_of_batches_without_the_transport_is_refused() -> None:
    plain = faust.App("plain", broker="kafka://one", store="memory://", autodiscover=False)

    with pytest.raises(ImproperlyConfigured, match="install"):
        record_batches.RecordBatchSchema().compile(plain)


class FixedStream:
    """Two batches, then the end that the test wants."""

    def __init__(self, end: BaseException) -> None:
        self._end = end
        self.acked: list[object] = []

    def noack(self) -> "FixedStream":
        return self

    async def events(self) -> AsyncIterator[Any]:
        for name in ("first", "second"):
            yield SimpleNamespace(name=name, value=SimpleNamespace(records=[name]))
        raise self._end

    async def ack(self, event: Any) -> None:
        self.acked.append(event.name)


def run_agent(loop: asyncio.AbstractEventLoop, stream: FixedStream) -> tuple[list[str], list[BaseException]]:
    submitted: list[str] = []
    crashes: list[BaseException] = []

    def submit(records: list[str], acknowledge: Any) -> None:
        submitted.extend(records)
        acknowledge()

    async def run() -> None:
        agent = index_products(cast(Pipeline, SimpleNamespace(submit=submit)), crashes.append)  # type: ignore[arg-type]
        try:
            await agent(stream)
        finally:
            await asyncio.sleep(0)  # acks come from the loop
            await asyncio.sleep(0)

    loop.run_until_complete(run())
    return submitted, crashes


def test_the_agent_submits_batches_and_acks_each(loop: asyncio.AbstractEventLoop) -> None:
    stream = FixedStream(RuntimeError("the end"))

    assert run_agent(loop, stream)[0] == ["first", "second"]
    assert stream.acked == ["first", "second"]


def test_no_exception_leaves_the_agent(loop: asyncio.AbstractEventLoop) -> None:
    """Faust would acknowledge the batch in flight."""
    error = RuntimeError("boom")

    assert run_agent(loop, FixedStream(error))[1] == [error]


def test_a_cancelled_agent_ends_quietly(loop: asyncio.AbstractEventLoop) -> None:
    with pytest.raises(asyncio.CancelledError):
        run_agent(loop, FixedStream(asyncio.CancelledError()))


def test_an_ack_that_fails_ends_the_process(loop: asyncio.AbstractEventLoop) -> None:
    error = ConnectionError("gone")

    class Broken(FixedStream):
        async def ack(self, event: Any) -> None:
            raise error

    assert run_agent(loop, Broken(TimeoutError()))[1].count(error) == 2


def test_the_unexpected_ends_the_process_at_once_with_its_cause() -> None:
    script = (
        "import atexit; atexit.register(print, 'cleaned up');"
        "from streams.ending import end_process; end_process(RuntimeError('boom'))"
    )

    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)

    assert ended.returncode == EXIT_UNEXPECTED
    assert "boom" in ended.stderr
    assert ended.stdout == ""


@pytest.mark.parametrize(
    ("owner", "name", "parameters", "is_async"),
    [
        (driver.AIOKafkaConsumerThread, "_create_worker_consumer", ["self", "transport"], False),
        (driver.Consumer, "_new_consumer_thread", ["self"], False),
        (driver.Consumer, "_to_message", ["self", "tp", "record"], False),
        (BaseConsumer, "on_init", ["self"], False),
        (driver.Consumer, "assignment", ["self"], False),
        (BaseConsumer, "_getmany", ["self", "active_partitions", "timeout"], True),
        (BaseConsumer, "_add_gap", ["self", "tp", "offset_from", "offset_to"], True),
        (BaseConsumer, "_new_offset", ["self", "tp"], False),
        (BaseConsumer, "_filter_tps_with_pending_acks", ["self", "topics"], False),
        (BaseConsumer, "on_partitions_revoked", ["self", "revoked"], True),
        (BaseConsumer, "on_partitions_assigned", ["self", "assigned", "generation_id"], True),
        (BaseConsumer, "perform_seek", ["self"], True),
        (BaseConsumer, "seek", ["self", "partition", "offset"], True),
        (driver.AIOKafkaConsumerThread, "seek_to_beginning", ["self", "partitions"], True),
    ],
)
def test_fausts_private_methods_are_as_record_batches_override_them(
    owner: type, name: str, parameters: list[str], is_async: bool
) -> None:
    method = getattr(owner, name)

    assert list(inspect.signature(method).parameters) == parameters
    assert inspect.iscoroutinefunction(method) == is_async


async def with_consumer(batching: faust.App, look: Callable[[record_batches.BatchConsumer], T]) -> T:
    """What `look` sees of the consumer that a start would make; nothing is connected."""
    consumer = batching.consumer
    try:
        return look(consumer)
    finally:
        consumer._thread.thread_loop.close()


def test_fausts_private_state_is_as_record_batches_use_it(loop: asyncio.AbstractEventLoop) -> None:
    names = ("_acked", "_acked_index", "_read_offset", "_committed_offset", "_thread", "flow_active")

    def missing(consumer: record_batches.BatchConsumer) -> list[str]:
        return [name for name in names if not hasattr(consumer, name)]

    assert loop.run_until_complete(with_consumer(app(), missing)) == []


def test_before_the_start_nothing_is_assigned(loop: asyncio.AbstractEventLoop) -> None:
    """The watchdog may look that early, and Faust's table manager asks a second after its own start."""
    assert loop.run_until_complete(with_consumer(app(), lambda consumer: consumer.assignment())) == set()


@pytest.mark.parametrize("session_timeout_seconds", [6, 10, 300])
def test_the_consumer_reads_what_was_committed_and_waits_as_told(
    loop: asyncio.AbstractEventLoop, session_timeout_seconds: float
) -> None:
    batching = app(WorkerSettings(fetch_max_wait_seconds=0.125, session_timeout_seconds=session_timeout_seconds))

    async def create() -> aiokafka.AIOKafkaConsumer:
        made = await with_consumer(batching, lambda mine: mine._thread._create_worker_consumer(batching.transport))
        await made.stop()
        return made

    made = loop.run_until_complete(create())

    assert (made._fetch_max_wait_ms, made._isolation_level) == (125, "read_committed")
    assert made._session_timeout_ms == session_timeout_seconds * 1000
