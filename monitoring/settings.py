"""What the lag exporter looks at, how often, and where it answers."""

import re

from pydantic import BaseModel, ConfigDict, Field, field_validator


class LagExporterSettings(BaseModel):
    """`millrace lag-exporter`. The port is the one that kafka_exporter has."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = "127.0.0.1"
    port: int = Field(default=9308, ge=0, le=65535, description="0 takes a free port")
    interval_seconds: float = Field(default=10, ge=1, le=600, description="from one look at the broker to the next")
    groups: str = Field(default="", description="regular expression found in the names of the groups to tell of")
    topics: str = Field(default="", description="regular expression found in the names of the topics to tell of")

    @field_validator("groups", "topics")
    @classmethod
    def _must_compile(cls, text: str) -> str:
        try:
            re.compile(text)
        except re.error as error:
            raise ValueError(f"no regular expression: {error}") from None
        return text
