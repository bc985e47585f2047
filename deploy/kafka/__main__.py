"""`python -m deploy.kafka`: a Kafka broker for trials on this machine, until Ctrl-C."""

import argparse
import shlex
import shutil
import signal
import sys
from pathlib import Path

from deploy.kafka.broker import LocalKafka
from deploy.kafka.class_archive import archive_classes
from deploy.kafka.jars import KafkaUnavailable, fetch_jars, java
from deploy.kafka.security import Security, create_security
from topics.admin import BrokerError, TopicAdmin
from topics.catalogue import topics_on_broker
from topics.settings import KafkaSettings

_USER = {"millrace": "millrace"}
_ENDING = {signal.SIGINT, signal.SIGTERM}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m deploy.kafka", description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path(".kafka"), help="data, log, certificates (default: .kafka)")
    parser.add_argument("--secure", action="store_true", help="also listen with TLS and SASL/SCRAM")
    parser.add_argument("--wipe", action="store_true", help="forget what an earlier run left in the folder")
    parser.add_argument("--fetch-only", action="store_true", help="fetch the jars, archive their classes, end")
    chosen = parser.parse_args()
    try:
        java()
        jars = fetch_jars()
        if chosen.fetch_only:
            archive_classes()
            _say(f"Kafka's jars are in {jars}.")
        else:
            _serve(chosen.folder, chosen.secure, chosen.wipe)
    except (KafkaUnavailable, BrokerError) as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit("ended before it was ready")


def _serve(folder: Path, secure: bool, wipe: bool) -> None:
    data = folder / ("secure" if secure else "plain")  # users are made when the data folder is
    if wipe:
        shutil.rmtree(data, ignore_errors=True)
    security = _security(folder / "security") if secure else None
    with LocalKafka(data, security) as broker:
        settings = broker.settings("SASL_SSL" if secure else "PLAINTEXT")
        TopicAdmin(settings).apply(topics_on_broker(settings))
        signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)  # until here they interrupt, from here on they are waited for
        _say(f"Kafka runs with the topics of Millrace; data and log are in {folder}. In another terminal:\n")
        for name, value in _variables(settings).items():
            _say(f"  export MILLRACE__KAFKA__{name}={shlex.quote(value)}")
        _say("\nCtrl-C ends it.")
        signal.sigwait(_ENDING)


def _security(folder: Path) -> Security:
    try:
        return create_security(folder, _USER)
    except ImportError:
        sys.exit("error: certificates need the package trustme: `make setup` installs it; or leave --secure out")


def _variables(settings: KafkaSettings) -> dict[str, str]:
    """What differs from the defaults, as variables of `millrace`."""
    variables = {"BOOTSTRAP_SERVERS": settings.bootstrap_servers}
    if settings.security_protocol != "PLAINTEXT":
        variables |= {
            "SECURITY_PROTOCOL": settings.security_protocol,
            "SASL_USERNAME": settings.sasl_username,
            "SASL_PASSWORD": settings.sasl_password.get_secret_value(),
            "CA_FILE": settings.ca_file,
        }
    return variables


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    for number in _ENDING:  # a shell starts background jobs with SIGINT ignored
        signal.signal(number, signal.default_int_handler)
    main()
