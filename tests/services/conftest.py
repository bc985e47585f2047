"""A real Kafka for service tests: one for the session, with topics and groups of each test's own."""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import docker
import pytest
from confluent_kafka.admin import AdminClient
from docker.errors import DockerException
from testcontainers.community.kafka import RedpandaContainer

from deploy.kafka.broker import LocalKafka
from deploy.kafka.jars import KafkaUnavailable, fetch_jars, java
from deploy.kafka.security import create_security
from topics.admin import TopicAdmin
from topics.catalogue import topics_on_broker
from topics.clients import client_config
from topics.settings import KafkaSettings

_BROKER = "MILLRACE_TEST_BROKER"
_CONTAINER = "container"
_USERS = {"millrace": "right password"}


@pytest.fixture(scope="session")
def local_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalKafka]:
    """The session's own broker, from its jars, with all four protocols. It is shared: leave it running."""
    folder = tmp_path_factory.mktemp("kafka")
    try:
        broker = LocalKafka(folder / "broker", create_security(folder / "security", _USERS))
    except KafkaUnavailable as absent:
        pytest.skip(str(absent))
    with broker:
        yield broker


@pytest.fixture(scope="session")
def any_kafka(request: pytest.FixtureRequest) -> Iterator[KafkaSettings]:
    """A broker that clients reach without a password: the one that MILLRACE_TEST_BROKER names as host:port or as
    `container`, else the session's own, else a container where there is a Docker engine.
    """
    wanted = os.environ.get(_BROKER, "")
    if ":" in wanted:
        yield KafkaSettings(bootstrap_servers=wanted, partitions=4)
    elif wanted not in ("", _CONTAINER):
        pytest.fail(f"{_BROKER} is {wanted!r}: give host:port or `{_CONTAINER}`, or leave it out")
    elif wanted == _CONTAINER or (not _has_java() and _has_docker()):
        if not _has_docker():
            pytest.skip(f"{_BROKER} asks for a container, and no Docker engine answers")
        with RedpandaContainer() as container:
            yield KafkaSettings(bootstrap_servers=container.get_bootstrap_server(), partitions=4)
    else:
        broker: LocalKafka = request.getfixturevalue("local_kafka")
        yield broker.settings()


@pytest.fixture
def kafka(any_kafka: KafkaSettings) -> Iterator[KafkaSettings]:
    """A namespace of one's own on the session's broker, with all topics; they are removed after the test."""
    with _namespace(any_kafka) as settings:
        yield settings


@pytest.fixture(scope="module")
def module_kafka(any_kafka: KafkaSettings) -> Iterator[KafkaSettings]:
    """The same for all tests of a module."""
    with _namespace(any_kafka) as settings:
        yield settings


@contextmanager
def _namespace(any_kafka: KafkaSettings) -> Iterator[KafkaSettings]:
    settings = any_kafka.model_copy(update={"namespace": f"test-{uuid.uuid4().hex[:8]}."})
    specs = topics_on_broker(settings)
    TopicAdmin(settings).apply(specs)
    yield settings
    admin = AdminClient(client_config(settings))
    for future in admin.delete_topics([spec.name for spec in specs]).values():
        future.result()


def _has_java() -> bool:
    try:
        fetch_jars()
        java()
    except KafkaUnavailable:
        return False
    return True


def _has_docker() -> bool:
    try:
        docker.from_env().ping()
    except DockerException:
        return False
    return True
