"""The API does what its own description says, for requests drawn from it, right ones and wrong ones."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from unittest.mock import Mock

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.config import SchemathesisConfig
from starlette.types import Receive, Scope, Send

from encoders.image_sources import ImageSource
from encoders.settings import ImageSourceSettings
from serving.app import create_app
from serving.services import Services
from serving.settings import ServerSettings

SETTINGS = ServerSettings(api_key="secret")
# A schema cannot say that a query needs text or a picture, that a link leads nowhere, or that a price needs a currency.
NO_SCHEMA_SAYS = {"expected-statuses": ["2xx", "304", "404", "422"]}
# Ids may contain slashes: PUT /v1/products/a/similar is about the product `a/similar`.
IDS_WITH_SLASHES = {
    "include-path": "/v1/products/{product_id}/similar",
    "checks": {"unsupported_method": {"enabled": False}, "allow_header_conformance": {"enabled": False}},
}
CONFIG = {"checks": {"positive_data_acceptance": NO_SCHEMA_SAYS}, "operations": [IDS_WITH_SLASHES]}


class Served:
    """Stands for the app while its tests are collected."""

    app: Any

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)


served = Served()
schema = schemathesis.openapi.from_dict(
    create_app(SETTINGS, Mock(media_root=None)).openapi(), config=SchemathesisConfig.from_dict(CONFIG)
)
schema.app = served


def no_network(host: str, port: int) -> list[str]:
    raise OSError(f"{host} is not known")


@pytest.fixture(autouse=True)
def app(services: Services) -> Iterator[None]:
    with ImageSource(ImageSourceSettings(retries=0), resolve=no_network) as images:
        served.app = create_app(SETTINGS, replace(services, images=images))
        yield


@schema.parametrize()
@settings(max_examples=25, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
def test_what_is_described_is_what_happens(case: schemathesis.Case) -> None:
    case.call_and_validate(headers={"X-API-Key": "secret"})
