"""What librdkafka says becomes a sentence with the next step. The texts are those of librdkafka 2.16 and Kafka 4.3."""

import ctypes
import socket
import threading
from collections.abc import Iterator

import pytest
from confluent_kafka import KafkaError
from pydantic import SecretStr

from topics.admin import TopicAdmin
from topics.causes import BrokerCauses, sentence
from topics.embedded_broker import MockCluster
from topics.reachability import why_unreachable
from topics.settings import KafkaSettings
from topics.tls import TlsFilesError

PLAIN = KafkaSettings(bootstrap_servers="broker:9093")
LOGIN = PLAIN.model_copy(
    update={
        "security_protocol": "SASL_SSL",
        "sasl_username": "shop",
        "sasl_password": SecretStr("opensesame"),
        "ca_file": "authority.pem",
    }
)
DOWN = KafkaError(KafkaError._ALL_BROKERS_DOWN, "1/1 brokers are down")
TIMED_OUT = KafkaError(KafkaError._TRANSPORT, "Failed to get metadata: Local: Broker transport failure")


@pytest.mark.parametrize(
    ("code", "text", "expected"),
    [
        (
            KafkaError._AUTHENTICATION,
            "sasl_ssl://broker:9093/bootstrap: SASL authentication error: Authentication failed during authentication "
            "due to invalid credentials with SASL mechanism SCRAM-SHA-512 (after 395ms in state AUTH_REQ)",
            "broker:9093 refuses the SASL login of user 'shop' by SCRAM-SHA-512: check kafka.sasl_username and "
            "kafka.sasl_password",
        ),
        (
            KafkaError._AUTHENTICATION,
            "sasl_ssl://broker:9093/bootstrap: SASL PLAIN mechanism handshake failed: Broker: Unsupported SASL "
            "mechanism: broker's supported mechanisms: SCRAM-SHA-256,OAUTHBEARER (after 301ms in state AUTH_HANDSHAKE)",
            "broker:9093 takes no SCRAM-SHA-512 login: set kafka.sasl_mechanism to what it takes "
            "(SCRAM-SHA-256,OAUTHBEARER)",
        ),
        (
            KafkaError._AUTHENTICATION,
            "sasl_ssl://broker:9093/bootstrap: SASL SCRAM-SHA-512 mechanism handshake failed: Broker: Request not "
            "valid in current SASL state: broker's supported mechanisms:  (after 1ms in state AUTH_HANDSHAKE)",
            "the listener broker:9093 asks for no login: set kafka.security_protocol to SSL, or take another",
        ),
        (
            KafkaError._TRANSPORT,
            "ssl://broker:9093/bootstrap: Receive failed: error:0A000412:SSL routines::ssl/tls alert bad certificate: "
            "SSL alert number 42 (after 7ms in state APIVERSION_QUERY)",
            "broker:9093 asks for a client certificate: set kafka.certificate_file and key_file to what its authority "
            "has signed (mTLS)",
        ),
        (
            KafkaError._TRANSPORT,
            "ssl://broker:9093/bootstrap: SSL handshake failed: Disconnected: SSL connection closed by peer: "
            "connecting to a PLAINTEXT broker listener? (after 5ms in state SSL_HANDSHAKE)",
            "broker:9093 does not speak TLS: take its TLS listener, or another kafka.security_protocol",
        ),
        (
            KafkaError._TRANSPORT,
            "broker:9093/bootstrap: Connect to ipv4#10.0.0.1:9093 failed: Connection refused (after 0ms in state "
            "CONNECT)",
            "nothing listens at broker:9093 (connection refused): start the broker, or correct kafka.bootstrap_servers",
        ),
        (
            KafkaError._RESOLVE,
            "broker:9093/bootstrap: Failed to resolve 'broker:9093': Name or service not known (after 1ms in state "
            "CONNECT)",
            "the name in broker:9093 does not resolve: check kafka.bootstrap_servers and the name service",
        ),
        (
            KafkaError._TRANSPORT,
            "sasl_ssl://inner:9092/1: Connect to ipv4#172.18.0.2:9092 failed: Connection refused (after 0ms in state "
            "CONNECT)",
            "broker:9093 names inner:9092 as a broker (advertised.listeners), and nothing listens at inner:9092 "
            "(connection refused): start the broker, or correct kafka.bootstrap_servers",
        ),
        (
            KafkaError.TOPIC_AUTHORIZATION_FAILED,
            "Broker: Topic authorization failed",
            "Broker: Topic authorization failed: have the cluster's administrator grant it to user 'shop' "
            "(kafka-acls.sh)",
        ),
    ],
)
def test_a_cause_becomes_a_sentence_with_the_next_step(code: int, text: str, expected: str) -> None:
    assert sentence(LOGIN, KafkaError(code, text)) == expected


def test_the_first_cause_stays_among_repeats_and_symptoms() -> None:
    causes = BrokerCauses(LOGIN)
    refused = "sasl_ssl://broker:9093/bootstrap: SASL authentication error: Authentication failed"
    for error in (DOWN, KafkaError(KafkaError._AUTHENTICATION, refused), DOWN, TIMED_OUT):
        causes.remember(error)

    assert causes.hopeless(waited_enough=False)
    assert "user 'shop'" in causes.explain(TIMED_OUT)


def test_a_refused_connection_is_asked_again_until_the_time_is_over() -> None:
    causes = BrokerCauses(PLAIN)
    causes.remember(KafkaError(KafkaError._TRANSPORT, "broker:9093/bootstrap: Connect failed: Connection refused"))
    causes.remember(DOWN)

    assert not causes.hopeless(waited_enough=False)
    assert causes.hopeless(waited_enough=True)


def test_an_answer_of_the_broker_is_not_hidden_by_an_older_fault_of_the_connection() -> None:
    causes = BrokerCauses(PLAIN)
    causes.remember(KafkaError(KafkaError._TRANSPORT, "broker:9093/bootstrap: Connect failed: Connection refused"))

    assert "replication factor" in causes.explain(
        KafkaError(KafkaError.INVALID_REPLICATION_FACTOR, "replication factor")
    )


@pytest.fixture
def mute() -> Iterator[str]:
    """Takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


@pytest.mark.parametrize("protocol", ["PLAINTEXT", "SSL"])
def test_an_address_that_says_nothing_is_told_in_time(mute: str, protocol: str) -> None:
    found = why_unreachable(KafkaSettings(bootstrap_servers=mute, security_protocol=protocol), 1.0)

    assert found == f"{mute} takes connections and says nothing: is it a broker, and does it hang?"


def test_a_machine_too_busy_for_its_certificates_still_says_how_far_the_look_came(
    mute: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    over = threading.Event()

    def read_slowly(_: KafkaSettings) -> None:
        over.wait()
        raise TlsFilesError("read at last")

    monkeypatch.setattr("topics.reachability._context", read_slowly)
    found = why_unreachable(KafkaSettings(bootstrap_servers=mute, security_protocol="SSL"), 0.2)
    over.set()

    assert found.startswith(f"{mute} takes connections and says nothing")


def test_of_several_addresses_the_first_with_a_fault_is_named(mute: str) -> None:
    found = why_unreachable(KafkaSettings(bootstrap_servers=f"127.0.0.1:1, {mute}"), 1.0)

    assert found.startswith("nothing listens at 127.0.0.1:1: ")


def test_a_name_that_does_not_resolve_is_told() -> None:
    found = why_unreachable(KafkaSettings(bootstrap_servers="no-such-host.invalid"), 1.0)

    assert found.startswith(("the name no-such-host.invalid does not resolve", "nobody answers at"))


@pytest.fixture
def plain() -> Iterator[KafkaSettings]:
    """Ends each connection that says something, as a healthy broker does with the first words of TLS."""

    def listen() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection:
                connection.recv(1_000)

    with socket.create_server(("127.0.0.1", 0)) as server:
        listening = threading.Thread(target=listen)
        listening.start()
        yield KafkaSettings(bootstrap_servers=f"127.0.0.1:{server.getsockname()[1]}")
        server.shutdown(socket.SHUT_RDWR)
    listening.join()


def test_nothing_is_wrong_with_an_address_that_only_takes_its_time(plain: KafkaSettings) -> None:
    causes = BrokerCauses(plain)

    assert causes.look() == ""
    assert not causes.hopeless(waited_enough=True)


def test_an_address_hangs_up_on_a_client_whose_connections_were_ended(plain: KafkaSettings) -> None:
    causes = BrokerCauses(plain)
    assert causes.look() == ""

    causes.remember(DOWN)

    assert causes.hopeless(waited_enough=False)
    assert "hangs up on security_protocol PLAINTEXT: where it asks for a login, set SASL_PLAIN" in causes.look()


def test_after_an_answer_a_silence_says_nothing_against_the_settings() -> None:
    causes = BrokerCauses(PLAIN.model_copy(update={"bootstrap_servers": "127.0.0.1:1"}))
    causes.remember(KafkaError(KafkaError._TRANSPORT, "127.0.0.1:1/bootstrap: Connect failed: Connection refused"))
    causes.remember(DOWN)
    causes.answered()

    assert not causes.hopeless(waited_enough=True)
    told = causes.explain(KafkaError(KafkaError._TIMED_OUT, "Failed while waiting for response from broker"))
    assert told.endswith("127.0.0.1:1 answered before; it is busy or went away, try again")


def test_a_slow_broker_is_waited_for_longer_than_the_time_out() -> None:
    cluster = MockCluster()
    cluster.create_topic("numbers", 2)
    slow = cluster._library.rd_kafka_mock_broker_set_rtt
    slow(ctypes.c_void_p(cluster._cluster), ctypes.c_int32(1), ctypes.c_int(200))
    try:
        admin = TopicAdmin(KafkaSettings(bootstrap_servers=cluster.bootstrap_servers), timeout_seconds=0.1)
        assert admin.partitions(["numbers"]) == {"numbers": 2}
    finally:
        cluster.close()
