"""Where the HTTP API listens and what it takes."""

from pydantic import BaseModel, ConfigDict, Field, SecretStr


class ServerSettings(BaseModel):
    """Address, limits and the key that write routes ask for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = Field(default="127.0.0.1", min_length=1, description="0.0.0.0: every interface; set an API key then")
    port: int = Field(default=8080, ge=0, le=65_535, description="0 takes a free one")
    api_key: SecretStr = Field(default=SecretStr(""), description="X-API-Key of write routes; empty: open to all")
    max_body_bytes: int = Field(default=10_000_000, ge=1_000, description="of any request, uploaded picture included")
    max_product_bytes: int = Field(
        default=1_000_000, ge=1_000, description="of one product; no more than kafka.max_event_bytes"
    )
    max_products: int = Field(default=1_000, ge=1, description="in one POST /v1/products")
    publish_timeout_seconds: float = Field(default=10.0, gt=0, description="how long a write waits for the broker")
    publish_threads: int = Field(default=32, ge=1, le=1_000, description="writes that wait for the broker at once")
    max_image_url_queries: int = Field(
        default=8, ge=1, le=1_000, description="queries with image_url at once; further ones are answered 503"
    )
    max_event_streams: int = Field(
        default=100, ge=0, le=10_000, description="clients that follow /v1/indexed-products at once; others get 503"
    )
    ready_timeout_seconds: float = Field(default=2.0, gt=0, description="how long /readyz waits for the broker")
