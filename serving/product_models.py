"""Products as HTTP takes them: what their description says, and nothing that merely looks like it."""

from typing import Annotated, Any

from fastapi import Path
from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

from topics.events import NUMBER_AS_TEXT, Product, ProductId, Version


def _milliseconds(value: Any) -> Any:
    """Whole numbers as text are epoch milliseconds, as numbers are; for a fraction pydantic would guess a unit."""
    if isinstance(value, str) and NUMBER_AS_TEXT.fullmatch(value):
        return float(value) if "." in value else int(value)
    return value


WrittenVersion = Annotated[Version, BeforeValidator(_milliseconds, json_schema_input_type=AwareDatetime | int)]


ProductPath = Annotated[ProductId, Path(examples=["sku-1"])]


class ProductInput(Product):
    """A product with JSON's own types: `"4.5"` and `true` are no numbers."""

    updated_at: WrittenVersion = Field(description=Product.model_fields["updated_at"].description)
    rating: Annotated[float, Field(strict=True, ge=0, le=5)] | None = None
    rating_count: Annotated[int, Field(strict=True, ge=0, le=2**53)] | None = None


class DeletionParameters(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    updated_at: WrittenVersion | None = Field(
        default=None, description="when it was taken out; now, where left out", examples=["2026-11-20T09:30:00Z"]
    )


class Accepted(BaseModel):
    """The broker holds the change; it becomes searchable when a worker has indexed it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    accepted: int
    ids: list[str] = Field(examples=[["sku-1"]])
