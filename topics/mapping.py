"""From a shop's own record (a database row, a feed line) to the fields of a product event."""

import re
import tomllib
from collections.abc import Mapping
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from topics.events import Product

_LISTS = frozenset({"categories", "image_links"})
_ALTERNATIVES = re.compile(r"\s*\|\s*")
_WORD_JOINTS = re.compile(r"[-_]+")


class MappingError(ValueError):
    """A record lacks what the mapping says it has; the message names the field and the path."""


class MappingFileError(ValueError):
    """A mapping file cannot be read; the message names the file, the setting and what it takes."""


class ProductMapping(BaseModel):
    """Where each field of a product event is found in a shop's record.

    `fields` maps a product field to a dotted path in the record (`"price": "offer.amount"`). Several paths, separated
    by ` | `, give the first that is there; for `categories` and `image_links` every one that is there. `constants`
    fixes fields for all records. `attribute_prefixes` collects every key with one of these prefixes into `attributes`,
    without the prefix. `attribute_pairs` names a list of [name, value] pairs that become attributes. `attributes`
    maps single attributes to paths. An empty mapping takes the record as it is: its names are those of the event.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    fields: dict[str, str] = Field(default_factory=dict)
    constants: dict[str, Any] = Field(default_factory=dict)
    attributes: dict[str, str] = Field(default_factory=dict)
    attribute_prefixes: tuple[str, ...] = ()
    attribute_pairs: str = ""
    price_divisor: int = Field(default=1, ge=1, description="100 where prices are in cents")
    image_link_template: str = Field(default="", description="for example file:pictures/{} : {} is the mapped value")
    spaced_fields: tuple[str, ...] = Field(
        default=(), description="text fields whose hyphens and underscores are spaces"
    )

    @field_validator("fields", "constants", "spaced_fields")
    @classmethod
    def _names_are_product_fields(cls, names: Any) -> Any:
        unknown = sorted(set(names) - set(Product.model_fields))
        if unknown:
            known = ", ".join(Product.model_fields)
            raise ValueError(f"{', '.join(unknown)}: no field of a product; these are: {known}")
        return names

    @field_validator("image_link_template")
    @classmethod
    def _template_has_one_place(cls, template: str) -> str:
        if template and (template.count("{}") != 1 or set("{}") & set(template.replace("{}", ""))):
            raise ValueError("write {} once, where the mapped value goes, and no other braces")
        return template

    @cached_property
    def _says_nothing(self) -> bool:
        return self == ProductMapping()

    def apply(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """The record as the fields of a product event, not yet validated.

        Raises MappingError for a price that is no number and for attribute pairs that are no pairs.
        """
        if self._says_nothing:
            return dict(record)
        event = {name: value for name, path in self.fields.items() if (value := _find(record, name, path)) is not None}
        if "price" in event:
            event["price"] = self._price(event["price"])
        if "id" in event:
            event["id"] = str(event["id"])
        for name in self.spaced_fields:
            if isinstance(event.get(name), str):
                event[name] = _WORD_JOINTS.sub(" ", event[name])
        if self.image_link_template and "image_links" in event:
            event["image_links"] = [self.image_link_template.format(link) for link in event["image_links"]]
        attributes = self._attributes(record)
        if attributes:
            event["attributes"] = attributes
        return self.constants | event

    def _price(self, value: object) -> Decimal:
        try:
            return Decimal(str(value)) / self.price_divisor
        except ArithmeticError:
            path = self.fields["price"]
            raise MappingError(f"price: {str(value)[:40]!r} at {path!r} is not a number") from None

    def _attributes(self, record: Mapping[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for prefix in self.attribute_prefixes:
            found |= {key.removeprefix(prefix): value for key, value in record.items() if key.startswith(prefix)}
        if self.attribute_pairs:
            found |= self._pairs(_at(record, self.attribute_pairs) or [])
        found |= {name: _at(record, path) for name, path in self.attributes.items()}
        return {name: value for name, value in found.items() if value not in (None, "")}

    def _pairs(self, pairs: Any) -> dict[str, Any]:
        try:
            return {str(name): value for name, value in pairs}
        except (TypeError, ValueError):
            raise MappingError(f"attributes: {self.attribute_pairs!r} is not a list of [name, value] pairs") from None


def load_mapping(path: Path) -> ProductMapping:
    """A mapping from a TOML file. Raises MappingFileError."""
    try:
        return ProductMapping.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise MappingFileError(f"mapping {path}: {error}") from None
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
        raise MappingFileError(f"mapping {path}: {problems}") from None


def _find(record: Mapping[str, Any], name: str, paths: str) -> Any:
    values = [value for path in _ALTERNATIVES.split(paths) if (value := _at(record, path)) not in (None, "")]
    if name in _LISTS:
        flat = [item for value in values for item in (value if isinstance(value, list) else [value])]
        return list(dict.fromkeys(map(str, flat))) or None
    return values[0] if values else None


def _at(record: Mapping[str, Any], path: str) -> Any:
    """What is at a dotted path; a key that itself holds the dots wins."""
    if path in record:
        return record[path]
    value: Any = record
    for step in path.split("."):
        if not isinstance(value, Mapping) or step not in value:
            return None
        value = value[step]
    return value
