"""How this process reaches Kafka."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from topics.mapping import ProductMapping


class KafkaSettings(BaseModel):
    """Addresses and limits of the broker; the same values reach every client in the process."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    bootstrap_servers: str = Field(default="127.0.0.1:9092", description="host:port of one or more brokers, by comma")
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-512"
    sasl_username: str = ""
    sasl_password: SecretStr = SecretStr("")
    ca_file: str = Field(default="", description="PEM file of the authority that signed the brokers' certificates")
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

    def on_broker(self, name: str) -> str:
        """The name that a topic or group of Millrace has on this broker."""
        return self.namespace + name

    def in_millrace(self, name: str) -> str:
        """The other way round, for a name that came from the broker."""
        return name.removeprefix(self.namespace)
