"""How this process reaches Kafka: settings that contradict each other are refused, each by its name."""

from pathlib import Path
from typing import Any

import pytest
import trustme
from confluent_kafka.admin import AdminClient
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)
from pydantic import ValidationError

from topics.clients import client_config
from topics.settings import KafkaSettings

LOGIN = {"sasl_username": "shop", "sasl_password": "opensesame"}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tls")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    for name in ("client", "stranger"):
        certificate = authority.issue_cert(f"{name}@shop")
        certificate.cert_chain_pems[0].write_to_path(folder / f"{name}.pem")
        certificate.private_key_pem.write_to_path(folder / f"{name}.key")
    key = load_pem_private_key((folder / "client.key").read_bytes(), None)
    locked = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"opensesame"))
    (folder / "locked.key").write_bytes(locked)
    (folder / "garbage.pem").write_text("no certificate")
    return folder


def settings(files: Path, **given: Any) -> KafkaSettings:
    """Values that end in a file's suffix are files of the test."""
    places = {name: str(files / value) for name, value in given.items() if str(value).endswith((".pem", ".key"))}
    return KafkaSettings(**{**given, **places})


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"security_protocol": "SSL"},
        {"security_protocol": "SSL", "ca_file": "ca.pem"},
        {"security_protocol": "SASL_PLAINTEXT", **LOGIN},
        {"security_protocol": "SASL_SSL", "ca_file": "ca.pem", **LOGIN},
        {"security_protocol": "SSL", "certificate_file": "client.pem", "key_file": "client.key"},
        {
            "security_protocol": "SSL",
            "ca_file": "ca.pem",
            "certificate_file": "client.pem",
            "key_file": "locked.key",
            "key_password": "opensesame",
        },
    ],
)
def test_what_fits_together_is_taken_by_both_clients(files: Path, given: dict[str, Any]) -> None:
    kafka = settings(files, **given)

    AdminClient(client_config(kafka))  # raises where librdkafka does not take it
    assert kafka.tls_context().check_hostname


@pytest.mark.parametrize(
    ("given", "field", "reason"),
    [
        ({"security_protocol": "SASL_SSL", "sasl_password": "opensesame"}, "sasl_username", "SASL_SSL needs it"),
        ({"security_protocol": "SASL_PLAINTEXT", "sasl_username": "shop"}, "sasl_password", "needs it"),
        (LOGIN, "sasl_username", "PLAINTEXT nobody logs in"),
        ({"security_protocol": "SSL", "sasl_password": "opensesame"}, "sasl_password", "set SASL_SSL"),
        ({"ca_file": "ca.pem"}, "ca_file", "nothing is encrypted"),
        ({"security_protocol": "SSL", "ca_file": "gone.pem"}, "ca_file", "gone.pem cannot be read: No such file"),
        ({"security_protocol": "SSL", "ca_file": "garbage.pem"}, "ca_file", "garbage.pem holds no certificate"),
        ({"security_protocol": "SSL", "certificate_file": "client.pem"}, "key_file", "needs the key"),
        ({"security_protocol": "SSL", "key_file": "client.key"}, "key_file", "without certificate_file"),
        ({"security_protocol": "SSL", "key_password": "opensesame"}, "key_file", "for which key"),
        (
            {"security_protocol": "SSL", "certificate_file": "client.pem", "key_file": "stranger.key"},
            "key_file",
            r"stranger\.key does not belong to the certificate in .*client\.pem",
        ),
        (
            {"security_protocol": "SSL", "certificate_file": "client.pem", "key_file": "locked.key"},
            "key_file",
            "encrypted: set key_password",
        ),
        (
            {
                "security_protocol": "SSL",
                "certificate_file": "client.pem",
                "key_file": "locked.key",
                "key_password": "wrong",
            },
            "key_file",
            "key_password does not open it",
        ),
        (
            {"security_protocol": "SSL", "certificate_file": "garbage.pem", "key_file": "client.key"},
            "key_file",
            "holds no certificate",
        ),
        ({"bootstrap_servers": ""}, "bootstrap_servers", "at least 1 character"),
    ],
)
def test_a_contradiction_is_refused_where_it_stands(
    files: Path, given: dict[str, Any], field: str, reason: str
) -> None:
    with pytest.raises(ValidationError, match=reason) as refusal:
        settings(files, **given)

    assert [error["loc"] for error in refusal.value.errors()] == [(field,)] or given is LOGIN
    assert "opensesame" not in str([error["msg"] for error in refusal.value.errors()])
