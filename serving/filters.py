"""Conditions on products, as a query string or a JSON body writes them."""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from index.base import Filter, IndexRefused
from index.filters import ATTRIBUTE_PREFIX, NUMBER_COLUMNS, check
from serving.problems import invalid_field

FilterText = Annotated[str, StringConstraints(min_length=1, max_length=4_000)]
Availability = Literal["in_stock", "out_of_stock", "preorder", "backorder", "discontinued"]
_MAX_VALUES = 200


IN_STOCK = Filter("availability", any_of=("in_stock",))


class FilterInput(BaseModel):
    """One condition; several must all hold."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    field: Annotated[str, StringConstraints(min_length=1, max_length=300)] = Field(
        description="id, brand, categories, price, currency, availability, rating, language, or attributes.<name>",
        examples=["attributes.colour"],
    )
    any_of: Annotated[list[bool | float | FilterText], Field(max_length=_MAX_VALUES)] = Field(
        default=[], description="equal to one of these; for categories and lists: contains one of these"
    )
    at_least: float | None = None
    at_most: float | None = None


class FilterParameters(BaseModel):
    """What a query string or a form may ask of products. A parameter given twice accepts either value."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    filter: Annotated[list[FilterText], Field(max_length=_MAX_VALUES)] = Field(
        default=[],
        description="`field:value`, for instance `attributes.colour:red`",
        examples=[["attributes.colour:red"]],
    )
    brand: Annotated[list[FilterText], Field(max_length=_MAX_VALUES)] = []
    category: Annotated[list[FilterText], Field(max_length=_MAX_VALUES)] = []
    availability: Annotated[list[Availability], Field(max_length=5)] = []
    price_min: Annotated[float, Field(ge=0)] | None = None
    price_max: Annotated[float, Field(ge=0)] | None = None

    def filters(self) -> tuple[Filter, ...]:
        """Raises Problem for a filter that is no `field:value` or names no field there is."""
        values: dict[str, list[str]] = {}
        for condition in self.filter:
            field, colon, value = condition.partition(":")
            if not colon or not value:
                raise invalid_field(f"{condition[:80]!r} is not of the form field:value", parameter="filter")
            values.setdefault(field, []).append(value)
        found = [Filter(field, any_of=_readings(field, texts)) for field, texts in values.items()]
        named: dict[str, Sequence[str]] = {
            "brand": self.brand,
            "categories": self.category,
            "availability": self.availability,
        }
        found += [Filter(field, any_of=tuple(texts)) for field, texts in named.items() if texts]
        if self.price_min is not None or self.price_max is not None:
            found.append(Filter("price", at_least=self.price_min, at_most=self.price_max))
        return _checked(found, "parameter")


def with_stock(parameters: FilterParameters, available: bool) -> Sequence[Filter]:
    """The filters, and that for products in stock where `available`; who names an availability and does not say
    `available` wants what was named. Raises Problem as `filters` does.
    """
    asked = parameters.filters()
    named = any(one.field == IN_STOCK.field for one in asked) and "available" not in parameters.model_fields_set
    return [*asked, IN_STOCK] if available and not named else asked


def from_json(inputs: Sequence[FilterInput]) -> tuple[Filter, ...]:
    """Raises Problem for a field there is not, and for values it cannot have."""
    found = [Filter(one.field, tuple(one.any_of), one.at_least, one.at_most) for one in inputs]
    return _checked(found, "pointer")


def _readings(field: str, texts: Sequence[str]) -> tuple[str | float | bool, ...]:
    """A query string has only texts: an attribute's `42` may be the number, and `true` the truth value."""
    if field in NUMBER_COLUMNS:
        return tuple(number if (number := _number(text)) is not None else text for text in texts)
    readings: list[str | float | bool] = list(texts)
    if field.startswith(ATTRIBUTE_PREFIX):
        readings += [number for text in texts if (number := _number(text)) is not None]
        readings += [text == "true" for text in texts if text in ("true", "false")]
    return tuple(readings)


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if abs(number) < float("inf") else None


def _checked(filters: Sequence[Filter], place: Literal["parameter", "pointer"]) -> tuple[Filter, ...]:
    for position, condition in enumerate(filters):
        try:
            check(condition)
        except IndexRefused as refusal:
            if place == "parameter":
                raise invalid_field(str(refusal), parameter="filter") from None
            raise invalid_field(str(refusal), pointer=f"#/filters/{position}") from None
    return tuple(filters)
