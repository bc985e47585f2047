"""Where profiles and statistics are kept, for how long, and how fast they fade."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

_DAY = 86_400.0
AHEAD_SECONDS = 300.0  # clocks of browsers are a little wrong; what is from next year would outweigh all else

HalfLifeHours = Annotated[float, Field(gt=0, le=87_600)]


class ProfileSettings(BaseModel):
    """The same values for the click loop, which writes, and for servers, which read."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["sqlite", "redis", "memory"] = Field(
        default="sqlite",
        description="sqlite: a file that all processes of one machine share; redis: for several machines (Redis 6.2 or "
        "Valkey); memory: within one process, gone when it ends",
    )
    path: Path = Field(default=Path("millrace-profiles.sqlite"), description="of sqlite; its folder has to be there")
    url: SecretStr = Field(
        default=SecretStr("redis://127.0.0.1:6379/0"),
        description="of Redis: redis://, rediss:// (TLS) or unix://, with user and password where it asks for them",
    )
    key_prefix: str = Field(
        default="millrace:", description="put before each key in Redis, where several shops share it"
    )
    timeout_seconds: float = Field(default=5.0, gt=0, le=300, description="of waiting for the store, or for its lock")

    profile_days: float = Field(default=365, gt=0, description="whoever has done nothing for so long is forgotten")
    statistics_days: float = Field(default=365, gt=0, description="so are counts of a product that nobody was shown")
    ledger_days: float = Field(
        default=40,
        gt=0,
        description="for so long the store knows what of a list has been counted, and who has been erased; longer than "
        "the topics keep events, since a list that is read again later would count twice",
    )

    remembered_lists: int = Field(
        default=5_000,
        ge=1,
        le=100_000,
        description="of each shopper within ledger_days, 50 bytes each, which every batch reads and writes; lists "
        "beyond them, of a machine, count in no profile and name nobody",
    )
    recent_items: int = Field(default=200, ge=1, le=5_000, description="of a shopper's newest actions")
    passed_over_items: int = Field(
        default=200,
        ge=0,
        le=5_000,
        description="of the newest products that a shopper saw and did nothing with; the 5 of each list that were "
        "nearest to what was acted upon stay longest",
    )
    lasting_items: int = Field(
        default=1_000, ge=0, le=5_000, description="of the newest that a shopper bought or hid, beside those"
    )
    history_items: int = Field(
        default=100,
        ge=1,
        le=10_000,
        description="of all these, the newest that features learn a shopper's taste from: first what was acted upon "
        "and those 5 of each list, so that looking around makes nobody a stranger",
    )
    co_clicked_items: int = Field(
        default=100,
        ge=1,
        le=1_000,
        description="products kept for each product as acted upon in the same session, and for each "
        "time of day and place as chosen there",
    )

    half_lives_hours: Annotated[tuple[HalfLifeHours, ...], Field(min_length=1, max_length=8)] = Field(
        default=(24.0, 720.0),
        description="of the fading counts of products, each kept beside the whole ones; a change of them begins the "
        "fading ones anew",
    )
    co_click_half_life_hours: HalfLifeHours = Field(
        default=720.0, description="of these, and of what is chosen most at a time of day or a place"
    )
    session_half_life_minutes: float = Field(default=30.0, gt=0, description="of actions in the session that goes on")
    long_term_half_life_days: float = Field(default=30.0, gt=0, description="of all actions of a shopper")
    prior_impressions: float = Field(
        default=20.0,
        ge=0,
        description="impressions at the whole shop's rate that each product is thought to have had before its first",
    )

    @property
    def half_lives(self) -> tuple[float, ...]:
        """In seconds."""
        return tuple(hours * 3_600 for hours in self.half_lives_hours)

    def profile_expiry(self, now: float) -> float:
        return now + self.profile_days * _DAY

    def statistics_expiry(self, now: float) -> float:
        return now + self.statistics_days * _DAY

    def ledger_expiry(self, now: float) -> float:
        return now + self.ledger_days * _DAY
