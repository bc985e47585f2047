"""What a broker on this machine needs for TLS and SASL/SCRAM: certificates of an authority made for it, and users."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_MECHANISM = "SCRAM-SHA-512"


@dataclass(frozen=True, slots=True)
class Security:
    """PEM files, and passwords by user. `certificate_file` holds the broker's key (PKCS #8) and its certificate."""

    ca_file: Path
    certificate_file: Path
    users: Mapping[str, str]

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
        }


def create_security(folder: Path, users: Mapping[str, str]) -> Security:
    """Certificates for localhost and 127.0.0.1 below `folder`, for trials and tests only: nobody guards the keys."""
    import trustme
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
        load_pem_private_key,
    )

    authority = trustme.CA()
    certificate = authority.issue_cert("localhost", "127.0.0.1")
    key = load_pem_private_key(certificate.private_key_pem.bytes(), password=None)
    folder.mkdir(parents=True, exist_ok=True)
    security = Security(folder / "ca.pem", folder / "broker.pem", dict(users))
    authority.cert_pem.write_to_path(security.ca_file)
    security.certificate_file.touch(mode=0o600)
    chain = b"".join(pem.bytes() for pem in certificate.cert_chain_pems)
    security.certificate_file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + chain)
    return security
