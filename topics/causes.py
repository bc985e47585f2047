"""Why Kafka does not do what was asked: a sentence with the next step, out of what librdkafka tells.

Its calls only time out; the cause goes to a callback, among repeats and 'all brokers are down'.
"""

import re

from confluent_kafka import KafkaError

from topics.reachability import why_unreachable
from topics.settings import KafkaSettings

_LOOK_SECONDS = 1.0
_DOWN = (KafkaError._ALL_BROKERS_DOWN, KafkaError._TIMED_OUT, KafkaError._MSG_TIMED_OUT)
_FORBIDDEN = (
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.GROUP_AUTHORIZATION_FAILED,
    KafkaError.CLUSTER_AUTHORIZATION_FAILED,
    KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
)
_ABSENT = (KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC, KafkaError._UNKNOWN_PARTITION)
# sasl_ssl://broker:9093/bootstrap: what happened (after 395ms in state AUTH_REQ)
_TOLD_BY_BROKER = re.compile(
    r"^(?:\w+://)?(?P<address>[^\s/]+)/(?P<id>\w+): (?P<text>.*?)(?: \(after \d+ms in state \w+\))?$", re.DOTALL
)


class BrokerCauses:
    """Remembers the cause that librdkafka tells: give `remember` to a client as its `error_cb`, and poll it."""

    def __init__(self, kafka: KafkaSettings) -> None:
        self._kafka = kafka
        self._cause: KafkaError | None = None
        self._all_down = False
        self._answered = False
        self._seen = ""

    def remember(self, error: KafkaError) -> None:
        """The first cause stays; what follows repeats it, or says less."""
        self._all_down |= error.code() == KafkaError._ALL_BROKERS_DOWN
        if self._cause is None and error.code() not in _DOWN:
            self._cause = error

    def answered(self) -> None:
        """A call has succeeded: what was wrong before is over, and the settings are right."""
        self._cause = None
        self._all_down = False
        self._answered = True

    def hopeless(self, waited_enough: bool) -> bool:
        """Whether it is of no use to ask again: a broker that is there but slow is worth more than enough.

        So is, for a while, a refused connection: that may be a broker that starts.
        """
        if self._cause is None:
            return (self._all_down or waited_enough) and bool(self.look())
        return waited_enough or (self._all_down and "refused" not in self._cause.str())

    def look(self) -> str:
        """What a look at the brokers' addresses finds, within a second; empty when nothing is wrong with them."""
        if not self._seen and not self._answered:
            self._seen = why_unreachable(self._kafka, _LOOK_SECONDS, dropped=self._all_down)
        return self._seen

    def explain(self, error: KafkaError) -> str:
        """What is wrong and what to do; with a look where librdkafka says too little."""
        cause = self._cause if self._cause is not None and _is_of_connection(error) else error
        if self._answered and cause is error and _is_of_connection(error):
            return f"{error.str()}: {self._kafka.bootstrap_servers} answered before; it is busy or went away, try again"
        found = self.look() if _says_little(cause) else ""
        return found or sentence(self._kafka, cause)


def sentence(kafka: KafkaSettings, error: KafkaError) -> str:
    """One error of librdkafka for the user, with the next step; at once, without a look at the brokers."""
    told = _TOLD_BY_BROKER.match(error.str())
    address, text = (told["address"], told["text"]) if told else (kafka.bootstrap_servers, error.str())
    if error.code() == KafkaError._AUTHENTICATION:
        return _of_login(kafka, address, text)
    if error.code() in _FORBIDDEN:
        who = f"user {kafka.sasl_username!r}" if kafka.uses_login else "this client"
        return f"{text}: have the cluster's administrator grant it to {who} (kafka-acls.sh)"
    if error.code() == KafkaError._INVALID_ARG:
        return f"{text}: correct the settings of kafka"
    if error.code() in _ABSENT:
        return f"{text}: make it with `millrace topics apply`"
    connection = _of_connection(kafka, address, text, error.code())
    if told and told["id"] != "bootstrap" and address not in kafka.bootstrap_servers:
        return f"{kafka.bootstrap_servers} names {address} as a broker (advertised.listeners), and {connection}"
    return connection


def _of_login(kafka: KafkaSettings, address: str, text: str) -> str:
    if "Unsupported SASL mechanism" in text:
        offered = text.rpartition(": ")[2]
        return f"{address} takes no {kafka.sasl_mechanism} login: set kafka.sasl_mechanism to what it takes ({offered})"
    if "not valid in current SASL state" in text:
        protocol = "SSL" if kafka.uses_tls else "PLAINTEXT"
        return f"the listener {address} asks for no login: set kafka.security_protocol to {protocol}, or take another"
    if "Authentication failed" in text or "invalid credentials" in text:
        return (
            f"{address} refuses the SASL login of user {kafka.sasl_username!r} by {kafka.sasl_mechanism}: "
            "check kafka.sasl_username and kafka.sasl_password"
        )
    return f"the SASL login at {address} failed ({text}): check kafka.sasl_mechanism, sasl_username, sasl_password"


def _of_connection(kafka: KafkaSettings, address: str, text: str, code: int) -> str:
    if "certificate verify failed" in text:
        return (
            f"the certificate of {address} is not accepted: set kafka.ca_file (now {kafka.ca_file or 'empty'}) to the "
            "authority that signed it, and use a name that stands in it"
        )
    if re.search(r"alert (bad certificate|certificate required|unknown ca|certificate unknown)", text):
        shown = "does not accept kafka.certificate_file" if kafka.certificate_file else "asks for a client certificate"
        return f"{address} {shown}: set kafka.certificate_file and key_file to what its authority has signed (mTLS)"
    if "connecting to a PLAINTEXT broker listener" in text or "SSL connection closed" in text:
        return f"{address} does not speak TLS: take its TLS listener, or another kafka.security_protocol"
    if code == KafkaError._RESOLVE:
        return f"the name in {address} does not resolve: check kafka.bootstrap_servers and the name service"
    if "refused" in text:
        return (
            f"nothing listens at {address} (connection refused): start the broker, or correct kafka.bootstrap_servers"
        )
    return f"{address}: {text}. Is the broker up, and are kafka.bootstrap_servers and security_protocol right?"


def _is_of_connection(error: KafkaError) -> bool:
    return error.code() in (*_DOWN, KafkaError._TRANSPORT, KafkaError._TIMED_OUT_QUEUE, KafkaError._WAIT_COORD)


def _says_little(error: KafkaError) -> bool:
    """Of a certificate, librdkafka says neither whose authority is meant nor which name."""
    return (
        error.code() in (*_DOWN, KafkaError._SSL)
        or "certificate verify failed" in error.str()
        or (error.code() == KafkaError._TRANSPORT and not _TOLD_BY_BROKER.match(error.str()))
    )
