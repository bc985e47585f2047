"""How this process reaches Kafka."""

import ssl
from collections.abc import Callable
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from topics.mapping import ProductMapping
from topics.tls import TlsFilesError, client_context, show_certificate


class KafkaSettings(BaseModel):
    """Addresses and limits of the broker; the same values reach every client in the process."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    bootstrap_servers: str = Field(
        default="127.0.0.1:9092", min_length=1, description="host:port of one or more brokers, by comma"
    )
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        default="PLAINTEXT",
        description="as the brokers' listener has it. SSL: encrypted, and the broker's certificate is checked; SASL: "
        "with a login",
    )
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-512"
    sasl_username: str = Field(default="", validate_default=True)
    sasl_password: SecretStr = Field(default=SecretStr(""), validate_default=True)
    ca_file: str = Field(
        default="",
        description="PEM file of the authority that signed the brokers' certificates; empty: those that this system "
        "trusts",
    )
    certificate_file: str = Field(
        default="", description="PEM file with the certificate of this client, for brokers that ask for one (mTLS)"
    )
    key_password: SecretStr = Field(default=SecretStr(""), description="of key_file, where it is encrypted")
    key_file: str = Field(
        default="", validate_default=True, description="PEM file with the key to certificate_file; may be the same file"
    )
    namespace: str = Field(
        default="",
        pattern=r"^[A-Za-z0-9._-]{0,100}$",
        description="put before the name of every topic and group, such as 'staging.', where several share a cluster",
    )
    partitions: int = Field(default=8, ge=1, le=1024, description="partitions of topics that Millrace creates")
    replication_factor: int = Field(default=1, ge=1, le=9)
    max_event_bytes: int = Field(default=1_000_000, ge=1_000, description="longer messages go to the dead letters")
    max_backlog_bytes_per_partition: int = Field(
        default=0,
        ge=0,
        description="`millrace import` waits while more than this is not committed by the indexing workers; 0: never. "
        "For brokers that forget what does not fit, such as the embedded one (5 MiB a partition)",
    )
    product_mapping: ProductMapping = Field(
        default=ProductMapping(), description="where a Debezium row keeps each field of a product"
    )

    @property
    def uses_login(self) -> bool:
        return self.security_protocol.startswith("SASL")

    @property
    def uses_tls(self) -> bool:
        return self.security_protocol.endswith("SSL")

    def tls_context(self) -> ssl.SSLContext:
        """For clients that take one. Raises TlsFilesError where a file has changed since these settings were read."""
        context = client_context(self.ca_file)
        if self.certificate_file:
            show_certificate(context, self.certificate_file, self.key_file, self.key_password.get_secret_value())
        return context

    @field_validator("sasl_username", "sasl_password")
    @classmethod
    def _fits_the_protocol(cls, value: str | SecretStr, info: ValidationInfo) -> str | SecretStr:
        protocol = info.data.get("security_protocol", "")
        given = bool(value.get_secret_value() if isinstance(value, SecretStr) else value)
        if given and protocol in ("PLAINTEXT", "SSL"):
            raise _refused(f"with security_protocol {protocol} nobody logs in: set SASL_SSL, or leave this out")
        if not given and protocol.startswith("SASL"):
            raise _refused(f"security_protocol {protocol} needs it")
        return value

    @field_validator("ca_file", "certificate_file", "key_file")
    @classmethod
    def _is_for_tls(cls, value: str, info: ValidationInfo) -> str:
        protocol = info.data.get("security_protocol", "SSL")
        if value and not protocol.endswith("SSL"):
            raise _refused(f"with security_protocol {protocol} nothing is encrypted: set SASL_SSL or SSL")
        if value and info.field_name == "ca_file":
            _trying(lambda: client_context(value))
        return value

    @field_validator("key_file")
    @classmethod
    def _opens_the_certificate(cls, value: str, info: ValidationInfo) -> str:
        certificate = info.data.get("certificate_file", "")
        password = info.data["key_password"].get_secret_value() if "key_password" in info.data else ""
        if certificate and not value:
            raise _refused("certificate_file needs the key to it (it may be in the same file)")
        if value and not certificate:
            raise _refused("a key is of no use without certificate_file")
        if password and not value:
            raise _refused("key_password is set: for which key?")
        if value:
            _trying(lambda: show_certificate(client_context(""), certificate, value, password))
        return value

    def on_broker(self, name: str) -> str:
        """The name that a topic or group of Millrace has on this broker."""
        return self.namespace + name

    def in_millrace(self, name: str) -> str:
        """The other way round, for a name that came from the broker."""
        return name.removeprefix(self.namespace)


def _refused(reason: str) -> PydanticCustomError:
    return PydanticCustomError("contradiction", "{reason}", {"reason": reason})


def _trying(use: Callable[[], object]) -> None:
    try:
        use()
    except TlsFilesError as error:
        raise _refused(str(error)) from None
