"""What a broker on this machine needs for TLS and SASL/SCRAM: certificates of an authority made for it, and users."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from trustme import LeafCert

Protocol = Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]

_MECHANISM = "SCRAM-SHA-512"


@dataclass(frozen=True, slots=True)
class Security:
    """PEM files, and passwords by user. `certificate_file` holds the broker's key (PKCS #8) and its certificate.

    With a `client_file`, a client's key and certificate, listeners with TLS ask for such a one (mTLS).
    """

    ca_file: Path
    certificate_file: Path
    users: Mapping[str, str]
    client_file: Path | None = None

    def format_arguments(self) -> list[str]:
        """The users, as Kafka's storage tool wants them."""
        arguments = []
        for name, password in self.users.items():
            arguments += ["--add-scram", f"{_MECHANISM}=[name={name},password={password}]"]
        return arguments

    def properties(self) -> dict[str, str]:
        login = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
        return {
            "sasl.enabled.mechanisms": _MECHANISM,
            f"listener.name.sasl_ssl.{_MECHANISM.lower()}.sasl.jaas.config": login,
            f"listener.name.sasl_plaintext.{_MECHANISM.lower()}.sasl.jaas.config": login,
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": str(self.certificate_file),
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": str(self.ca_file),
            "ssl.client.auth": "none" if self.client_file is None else "required",
        }

    def client_settings(self, protocol: Protocol) -> dict[str, Any]:
        """What a client needs for this protocol, as its first user."""
        settings: dict[str, Any] = {}
        if protocol.startswith("SASL"):
            settings["sasl_username"], settings["sasl_password"] = next(iter(self.users.items()))
        if protocol.endswith("SSL"):
            settings["ca_file"] = str(self.ca_file)
            if self.client_file is not None:
                settings |= {"certificate_file": str(self.client_file), "key_file": str(self.client_file)}
        return settings


def create_security(folder: Path, users: Mapping[str, str], client_certificates: bool = False) -> Security:
    """Certificates for localhost and 127.0.0.1 below `folder`, for trials and tests only: nobody guards the keys."""
    import trustme

    authority = trustme.CA()
    folder.mkdir(parents=True, exist_ok=True)
    ca_file = folder / "ca.pem"
    authority.cert_pem.write_to_path(ca_file)
    broker_file = _write_pair(authority.issue_cert("localhost", "127.0.0.1"), folder / "broker.pem")
    client_file = None
    if client_certificates:
        client_file = _write_pair(authority.issue_cert("client@localhost"), folder / "client.pem")
    return Security(ca_file, broker_file, dict(users), client_file)


def _write_pair(certificate: "LeafCert", file: Path) -> Path:
    """Key and certificates in one file that its owner alone can read."""
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
        load_pem_private_key,
    )

    key = load_pem_private_key(certificate.private_key_pem.bytes(), password=None)
    chain = b"".join(pem.bytes() for pem in certificate.cert_chain_pems)
    file.touch(mode=0o600)
    file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + chain)
    return file
