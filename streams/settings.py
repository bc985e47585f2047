"""How processes on streams read, batch, write and watch themselves."""

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from feedback.example_settings import ExampleLogSettings
from feedback.join_settings import JoinSettings
from feedback.traffic import TrafficSettings


class ProcessSettings(BaseModel):
    """One process that reads topics. Scale by processes, up to one for each partition."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    instance_id: str = Field(
        default="",
        description="a name that this process keeps over restarts: it then resumes at once (static membership)",
    )
    max_batches_in_flight: int = Field(default=16, ge=2, le=1024, description="fetches read and not acknowledged")
    fetch_max_wait_seconds: float = Field(
        default=0.5, gt=0, le=5, description="how long a broker may hold an empty fetch"
    )
    session_timeout_seconds: float = Field(default=10, ge=2, le=300)
    commit_interval_seconds: float = Field(default=0.5, gt=0, le=60)
    stalled_seconds: float = Field(
        default=120,
        ge=10,
        description="a process whose waiting events do not move for so long ends itself, to be restarted",
    )
    stop_seconds: float = Field(
        default=15,
        gt=0,
        le=3600,
        description="told to stop, a process finishes and commits what is in flight; if that takes longer, as while "
        "the broker, the index or a store is away, it ends without, and the next one reads it again. Less than the "
        "supervisor waits",
    )
    metrics_host: str = "127.0.0.1"
    metrics_port: int = Field(default=9464, ge=0, le=65535, description="0 takes a free port")


class WorkerSettings(ProcessSettings):
    """One indexing worker."""

    batch_wait_seconds: float = Field(
        default=0.02, ge=0, le=5, description="how long an event may wait for others to fill the encoder's batch"
    )
    picture_fetchers: int = Field(default=8, ge=1, le=128, description="pictures fetched and decoded at the same time")


class ClickLoopSettings(ProcessSettings):
    """One process of the click loop: the join, profiles and statistics, the example log."""

    max_batches_in_flight: int = Field(default=256, ge=8, le=1024, description="fetches read and not acknowledged")
    fetch_max_wait_seconds: float = Field(
        default=0.05, gt=0, le=5, description="how long a broker may hold an empty fetch"
    )
    metrics_port: int = Field(default=9465, ge=0, le=65535, description="0 takes a free port")
    join: JoinSettings = JoinSettings()
    traffic: TrafficSettings = TrafficSettings()
    examples: ExampleLogSettings = ExampleLogSettings()

    @model_validator(mode="after")
    def _gathers_before_it_stalls(self) -> Self:
        if self.examples.gather_seconds > self.stalled_seconds / 2:
            raise ValueError(
                f"examples.gather_seconds = {self.examples.gather_seconds:g} is more than half of stalled_seconds = "
                f"{self.stalled_seconds:g}: a process that gathers would be taken for one that stands still"
            )
        return self
