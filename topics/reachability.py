"""Looks at a broker's address by hand, where librdkafka says only that it is down."""

import socket
import ssl
import threading
import time

from topics.settings import KafkaSettings
from topics.tls import TlsFilesError

_DEFAULT_PORT = 9092


def why_unreachable(kafka: KafkaSettings, timeout_seconds: float, dropped: bool = False) -> str:
    """What keeps a client with these settings from the first address with a fault, and what to do; empty if nothing.

    Sends no login. Takes no longer than `timeout_seconds`, whatever the name service does. `dropped`: the client's own
    connections were ended, so that an address at which nothing else is wrong hangs up on what the client says.
    """
    found = [_no_answer(kafka.bootstrap_servers)]  # the last one holds, whenever the time is over
    deadline = time.monotonic() + 0.7 * timeout_seconds  # the rest is for what has no time-out
    looking = threading.Thread(
        target=_look, args=(kafka, deadline, dropped, found), name="look at brokers", daemon=True
    )
    looking.start()
    looking.join(timeout_seconds)
    return found[-1]


def _look(kafka: KafkaSettings, deadline: float, dropped: bool, found: list[str]) -> None:
    for address in map(str.strip, kafka.bootstrap_servers.split(",")):
        found.append(_no_answer(address))
        finding = _finding(kafka, address, deadline, found) or (_hangs_up(kafka, address) if dropped else "")
        if finding:
            break
    found.append(finding)


def _finding(kafka: KafkaSettings, address: str, deadline: float, found: list[str]) -> str:
    host, port = _host_and_port(address)
    try:
        with socket.create_connection((host, port), _left(deadline)) as connection:
            found.append(_says_nothing(address))
            return _handshake(kafka, address, connection, deadline)
    except socket.gaierror:
        return f"the name {host} does not resolve: check kafka.bootstrap_servers and the name service"
    except ConnectionRefusedError:
        return f"nothing listens at {address}: start the broker, or correct kafka.bootstrap_servers"
    except TimeoutError:
        return _no_answer(address)
    except OSError as error:
        return f"{address} cannot be reached ({error.strerror or error}): check kafka.bootstrap_servers and the network"


def _handshake(kafka: KafkaSettings, address: str, connection: socket.socket, deadline: float) -> str:
    """The first words of TLS: a broker answers them, hangs up, or says nothing."""
    host, _ = _host_and_port(address)
    try:
        context = _context(kafka)
        connection.settimeout(_left(deadline))
        with context.wrap_socket(connection, server_hostname=host):
            encrypted = True
    except TlsFilesError as error:
        return str(error)
    except ssl.SSLCertVerificationError as error:
        return untrusted(kafka, f"the certificate of {address}", error.verify_message)
    except TimeoutError:
        return _says_nothing(address)
    except OSError:  # ssl.SSLError among them
        encrypted = False
    return _mismatch(kafka, address, encrypted)


def _context(kafka: KafkaSettings) -> ssl.SSLContext:
    if kafka.uses_tls:
        return kafka.tls_context()
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # this only asks whether the listener speaks TLS at all, and tells it nothing
    return context


def untrusted(kafka: KafkaSettings, what: str, reason: str) -> str:
    """The sentence for a certificate that was not accepted."""
    if "mismatch" in reason.lower():
        return f"{what} is for another name ({reason}): put the name that it has into kafka.bootstrap_servers"
    if "expired" in reason or "not yet valid" in reason:
        return f"{what} is out of date ({reason}): renew it at the broker, or set this machine's clock"
    whom = f"the authority in {kafka.ca_file}" if kafka.ca_file else "the authorities that this system trusts"
    advice = "set kafka.ca_file to the certificate of the authority that signed it"
    return f"{what} was not signed by {whom} ({reason}): {advice}"


def _mismatch(kafka: KafkaSettings, address: str, encrypted: bool) -> str:
    if encrypted and not kafka.uses_tls:
        return f"{address} speaks TLS: set kafka.security_protocol to SASL_SSL, or to SSL where nobody logs in"
    if not encrypted and kafka.uses_tls:
        plain = "SASL_PLAINTEXT" if kafka.uses_login else "PLAINTEXT"
        return f"{address} does not speak TLS: take the address of its TLS listener, or set security_protocol {plain}"
    return ""


def _hangs_up(kafka: KafkaSettings, address: str) -> str:
    if kafka.uses_login:
        return ""
    login = "SASL_SSL" if kafka.uses_tls else "SASL_PLAINTEXT"
    return (
        f"{address} hangs up on security_protocol {kafka.security_protocol}: where it asks for a login, set {login} "
        "with kafka.sasl_username and sasl_password; where not, it is no Kafka broker"
    )


def _no_answer(address: str) -> str:
    return f"nobody answers at {address}: a firewall that drops packets, or a wrong kafka.bootstrap_servers"


def _says_nothing(address: str) -> str:
    return f"{address} takes connections and says nothing: is it a broker, and does it hang?"


def _left(deadline: float) -> float:
    return max(0.05, deadline - time.monotonic())


def _host_and_port(address: str) -> tuple[str, int]:
    host, colon, port = address.rpartition(":")
    if not colon or not port.isdigit():
        return address.strip("[]"), _DEFAULT_PORT
    return host.strip("[]"), int(port)
