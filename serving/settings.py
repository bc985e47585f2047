"""Where the HTTP API listens, what it takes, and from whom."""

from typing import Annotated, Self
from zoneinfo import ZoneInfo

import limits
from limits.errors import ConfigurationError
from limits.storage import storage_from_string
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, StringConstraints, model_validator

ANY_ORIGIN = "*"
_ORIGIN = r"^(\*|https?://[^\s/?#,]+)$"  # without a path: a browser sends none


def _readable_limits(text: str) -> str:
    """Raises ValueError unless `limits` can read it."""
    if text:
        limits.parse_many(text)
    return text


def _known_zone(name: str) -> str:
    """Raises ValueError for a name that the time zone database does not have."""
    try:
        return ZoneInfo(name).key
    except (KeyError, OSError):
        raise ValueError("no time zone of that name, such as Europe/Berlin") from None


def _usable_store(uri: SecretStr) -> SecretStr:
    """Raises ValueError for a kind of store that `limits` does not know, or whose package is not installed."""
    try:
        storage_from_string(uri.get_secret_value())
    except ConfigurationError as error:
        raise ValueError(str(error)) from None
    return uri


Origin = Annotated[str, StringConstraints(pattern=_ORIGIN)]
Limits = Annotated[str, AfterValidator(_readable_limits)]


class CorsSettings(BaseModel):
    """Which pages of other origins may call the API from a browser."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    allowed_origins: tuple[Origin, ...] = Field(
        default=(), description="such as https://shop.example, without a slash at the end; * for all; none: no CORS"
    )
    allow_credentials: bool = Field(
        default=False, description="let browsers send cookies, for a proxy that asks for them; never with *"
    )
    max_age_seconds: int = Field(default=600, ge=0, description="how long a browser may keep what it was told")

    @model_validator(mode="after")
    def _no_credentials_for_everyone(self) -> Self:
        if self.allow_credentials and ANY_ORIGIN in self.allowed_origins:
            raise ValueError("allow_credentials needs allowed_origins by name, not *")
        return self


class RateLimitSettings(BaseModel):
    """How many requests to /v1 a client may make. Off by default: behind a proxy all shoppers have one address."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    by_address: Limits = Field(
        default="", description="of one client address, such as 20/second; 600/minute; empty: no limit"
    )
    by_api_key: Limits = Field(
        default="", description="the same of one API key, whose requests do not count for their address"
    )
    trusted_proxies: int = Field(
        default=0,
        ge=0,
        le=10,
        description="proxies of yours that each request passes, each adding the address before it to X-Forwarded-For;"
        " 0: the header is not believed",
    )
    store: Annotated[SecretStr, AfterValidator(_usable_store)] = Field(
        default=SecretStr("memory://"),
        description="where requests are counted: memory:// for each process alone, or redis://HOST:6379 for all"
        " together",
    )


class ServerSettings(BaseModel):
    """Address, limits and the key that write routes ask for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = Field(default="127.0.0.1", min_length=1, description="0.0.0.0: every interface; set an API key then")
    port: int = Field(default=8080, ge=0, le=65_535, description="0 takes a free one")
    api_key: SecretStr = Field(default=SecretStr(""), description="X-API-Key of write routes; empty: open to all")
    more_api_keys: tuple[SecretStr, ...] = Field(
        default=(), description="taken as well: one for each client, or the next one while clients change over"
    )
    max_body_bytes: int = Field(default=10_000_000, ge=1_000, description="of any request, uploaded picture included")
    body_timeout_seconds: float = Field(default=60.0, gt=0, description="how long a request's body may be on its way")
    max_product_bytes: int = Field(
        default=1_000_000, ge=1_000, description="of one product; no more than kafka.max_event_bytes"
    )
    max_products: int = Field(default=1_000, ge=1, description="in one POST /v1/products")
    max_events: int = Field(default=1_000, ge=1, description="in one POST /v1/events")
    max_event_bytes: int = Field(
        default=1_000_000, ge=1_000, description="of one such event; no more than the topic behavior.events takes"
    )
    pseudonym_key: SecretStr = Field(
        default=SecretStr(""),
        description="turns the names of people in events into pseudonyms; keep it secret and the same on all servers. "
        "Empty: a random one, which ends with the process",
    )
    max_waiting_queries: int = Field(
        default=10_000,
        ge=0,
        le=1_000_000,
        description="answers that the broker has yet to take into behavior.queries; further ones are not recorded. "
        "0: none is",
    )
    publish_timeout_seconds: float = Field(default=10.0, gt=0, description="how long a write waits for the broker")
    publish_threads: int = Field(
        default=32,
        ge=1,
        le=1_000,
        description="writes of products that wait for the broker at once, and as many of events",
    )
    max_heat_maps: int = Field(
        default=2,
        ge=1,
        le=1_000,
        description="heat maps at once, each 65 pictures for the model; others are answered 503",
    )
    heat_map_timeout_seconds: float = Field(
        default=20.0,
        gt=0,
        le=600,
        description="for one heat map, from fetching the product's picture on; a fetch under way is not cut short",
    )
    max_image_url_queries: int = Field(
        default=8,
        ge=1,
        le=1_000,
        description="searches and heat maps with image_url at once; further ones are answered 503",
    )
    max_event_streams: int = Field(
        default=100, ge=0, le=10_000, description="clients that follow /v1/indexed-products at once; others get 503"
    )
    max_event_streams_per_client: int = Field(
        default=100,
        ge=0,
        le=10_000,
        description="of these from one client address; lower it where rate_limits.trusted_proxies tells clients apart",
    )
    learning_page: str = Field(
        default="", description="a page of `millrace shoppers --page`, shown at /learning; empty: there is none"
    )
    time_zone: Annotated[str, AfterValidator(_known_zone)] = Field(
        default="UTC",
        description="of the shop, such as Europe/Berlin: the time of day of shoppers whose requests do not name theirs",
    )
    ready_timeout_seconds: float = Field(default=2.0, gt=0, description="how long /readyz waits for the broker")
    cors: CorsSettings = CorsSettings()
    rate_limits: RateLimitSettings = RateLimitSettings()
