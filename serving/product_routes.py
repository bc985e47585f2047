"""Products in: they are checked, published to Kafka, and searchable a moment later."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Annotated, Any

import anyio.to_thread
from anyio import CapacityLimiter
from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import TypeAdapter, ValidationError

from index.base import IndexRefused
from index.documents import document
from index.limits import check_document
from serving.access import ApiKeys, require_api_key
from serving.answers import json_response
from serving.openapi import json_body, no_such_address, problem_responses
from serving.openapi_examples import PRODUCT
from serving.problems import Problem, from_validation, invalid_field
from serving.product_models import Accepted, DeletionParameters, ProductInput, ProductPath
from serving.publishing import WaitingPublisher
from serving.request_bodies import json_request_body, one_or_many, parsed_json
from serving.services import Services
from serving.settings import ServerSettings
from topics.catalogue import CATALOG_PRODUCTS
from topics.codec import deletion_headers, encode_product
from topics.events import Product, version_of
from topics.publisher import Message

_WITHOUT_ID = {name: value for name, value in PRODUCT.items() if name != "id"}


def product_router(services: Services, settings: ServerSettings, keys: ApiKeys) -> APIRouter:
    router = APIRouter(tags=["products"], dependencies=[Depends(require_api_key(keys))])
    waiting = CapacityLimiter(settings.publish_threads)
    writer = _Writer(services, settings)
    _add_publishing(router, settings, writer, waiting)
    _add_deletion(router, writer, waiting)
    return router


def _add_publishing(router: APIRouter, settings: ServerSettings, writer: "_Writer", waiting: CapacityLimiter) -> None:
    statuses = (400, 401, 408, 413, 415, 422, 429, 503)
    responses = problem_responses(*statuses, example="broker-unavailable")

    @router.post(
        "/v1/products",
        status_code=202,
        response_model=Accepted,
        responses=responses,
        openapi_extra=json_body(_one_or_many(settings), {"one": PRODUCT, "many": [PRODUCT]}),
    )
    async def publish_products(request: Request) -> Response:
        """Add or replace one product, or a list of them; an invalid one refuses all.

        After 503 some may have arrived all the same; sending them again is safe.

        `updated_at` is the product's version: an older one never overwrites a newer one. Left out, it is the time of
        this request.
        """
        body = await json_request_body(request)
        return await anyio.to_thread.run_sync(writer.publish_body, body, limiter=waiting)

    @router.put(
        "/v1/products/{product_id:path}",
        status_code=202,
        response_model=Accepted,
        responses=responses | no_such_address(),
        openapi_extra=json_body(_schema(required_id=False), {"one": _WITHOUT_ID}),
    )
    async def publish_product(request: Request, product_id: ProductPath) -> Response:
        """Add or replace one product; an `id` in the body must be the one in the path."""
        body = await json_request_body(request)
        return await anyio.to_thread.run_sync(partial(writer.publish_body, body, product_id), limiter=waiting)


def _add_deletion(router: APIRouter, writer: "_Writer", waiting: CapacityLimiter) -> None:
    @router.delete(
        "/v1/products/{product_id:path}",
        status_code=202,
        response_model=Accepted,
        responses=problem_responses(401, 422, 429, 503, example="broker-unavailable") | no_such_address(),
    )
    async def delete_product(product_id: ProductPath, parameters: Annotated[DeletionParameters, Query()]) -> Response:
        """Take a product out of search. One that changed after `updated_at` stays."""
        return await anyio.to_thread.run_sync(writer.delete, product_id, parameters.updated_at, limiter=waiting)


class _Writer:
    """Waits for the broker on a thread of its own kind, so that a slow broker does not hold up search."""

    def __init__(self, services: Services, settings: ServerSettings) -> None:
        self._publisher = WaitingPublisher(services.publisher, services.metrics, settings.publish_timeout_seconds)
        self._clock = services.clock
        self._settings = settings

    def publish_body(self, body: bytes, product_id: str | None = None) -> Response:
        products = self._products(body, product_id)
        messages = [self._message(product, position) for position, product in enumerate(products)]
        self._publisher.publish(CATALOG_PRODUCTS, messages)
        return _accepted([product.id for product in products])

    def delete(self, product_id: str, updated_at: datetime | None) -> Response:
        headers = deletion_headers(version_of(updated_at or self._clock()))
        self._publisher.publish(CATALOG_PRODUCTS, [Message(CATALOG_PRODUCTS, product_id.encode(), None, headers)])
        return _accepted([product_id])

    def _products(self, body: bytes, product_id: str | None) -> Sequence[Product]:
        """The products in a body. Raises Problem where one of them, or the whole, cannot be taken."""
        if product_id is not None:
            return [self._product(_with_id(parsed_json(body), product_id))]
        sent = one_or_many(body, self._settings.max_products, "products")
        if not isinstance(sent, list):
            return [self._product(sent)]
        try:
            products = _PRODUCTS.validate_python([self._dated(item) for item in sent])
        except ValidationError as error:
            raise from_validation(error) from None
        _refuse_repeats(products)
        return products

    def _product(self, item: Any) -> Product:
        try:
            return ProductInput.model_validate(self._dated(item))
        except ValidationError as error:
            raise from_validation(error) from None

    def _dated(self, item: Any) -> Any:
        if isinstance(item, dict) and item.get("updated_at") is None:
            return item | {"updated_at": self._clock()}
        return item

    def _message(self, product: Product, position: int) -> Message:
        value = encode_product(product)
        limit = self._settings.max_product_bytes
        if len(value) > limit:
            raise Problem("too-large", f"product {position} has {len(value)} bytes, {limit} are taken")
        try:
            check_document(document(product))
        except IndexRefused as refusal:
            raise Problem("invalid-fields", f"product {position} cannot be indexed: {refusal}") from None
        return Message(CATALOG_PRODUCTS, product.id.encode(), value)


_PRODUCTS = TypeAdapter(list[ProductInput])


def _with_id(sent: Any, product_id: str) -> Any:
    if not isinstance(sent, dict):
        return sent
    if sent.get("id", product_id) != product_id:
        raise invalid_field(f"the path says {product_id[:80]!r}: leave the id out or send the same", pointer="#/id")
    return sent | {"id": product_id}


def _refuse_repeats(products: Sequence[Product]) -> None:
    """Two changes of one product would have the same version, and the second would be lost."""
    seen: set[str] = set()
    for position, product in enumerate(products):
        if product.id in seen:
            raise invalid_field(f"{product.id[:80]!r} is in the list twice", pointer=f"#/{position}/id")
        seen.add(product.id)


def _accepted(ids: list[str]) -> Response:
    return json_response({"accepted": len(ids), "ids": ids}, 202)


def _schema(required_id: bool = True) -> dict[str, Any]:
    """The JSON Schema of a product as this API takes it: `updated_at` may be left out."""
    schema = ProductInput.model_json_schema()
    schema["properties"]["updated_at"]["anyOf"].append({"type": "null"})
    optional = {"updated_at"} if required_id else {"updated_at", "id"}
    return schema | {"required": [name for name in schema["required"] if name not in optional]}


def _one_or_many(settings: ServerSettings) -> dict[str, Any]:
    product = _schema()
    many = {"type": "array", "items": product, "minItems": 1, "maxItems": settings.max_products}
    return {"oneOf": [product, many]}
