"""The API does what its own description says, for requests drawn from it, right ones and wrong ones."""

from collections.abc import Iterator
from dataclasses import replace

import schemathesis
from schemathesis import engine
from schemathesis.config import SchemathesisConfig
from schemathesis.engine.events import FatalError, NonFatalError, ScenarioFinished

from encoders.image_sources import ImageSource
from encoders.settings import ImageSourceSettings
from serving.app import create_app
from serving.services import Services
from serving.settings import ServerSettings

KEY = "secret"
STREAMS = ["/v1/indexed-products"]  # paths whose answers do not end
IDS_WITH_SLASHES = {"unsupported_method": {"enabled": False}, "allow_header_conformance": {"enabled": False}}
CONFIG = {
    "seed": 1,
    "headers": {"X-API-Key": KEY},
    "generation": {"deterministic": True, "max-examples": 5, "database": "none"},
    "phases": {"stateful": {"enabled": False}},
    "checks": {
        # No schema says that a query needs text or a picture, that a link leads nowhere, that a price needs a currency.
        "positive_data_acceptance": {"expected-statuses": ["2xx", "304", "404", "422"]},
    },
    "operations": [
        {  # ids may contain slashes: PUT /v1/products/a/similar is about the product `a/similar`
            "include-path": "/v1/products/{product_id}/similar",
            "checks": IDS_WITH_SLASHES,
        },
        {  # what it takes is what a search takes
            "include-path": "/v1/products/{product_id}/heatmap",
            "checks": IDS_WITH_SLASHES,
            "phases": {"coverage": {"enabled": False}},
        },
        {
            "include-path": "/v1/products/{product_id}/heatmap",
            "checks": {"unsupported_method": {"enabled": False}, "allow_header_conformance": {"enabled": False}},
        },
        {  # half of the time of all, for products as PUT takes them too
            "include-path": "/v1/products",
            "phases": {"coverage": {"enabled": False}},
        },
    ],
}


def no_network(host: str, port: int) -> list[str]:
    raise OSError(f"{host} is not known")


def test_what_is_described_is_what_happens(services: Services) -> None:
    with ImageSource(ImageSourceSettings(retries=0), resolve=no_network) as images:
        app = create_app(ServerSettings(api_key=KEY), replace(services, images=images, product_images=images))
        config = SchemathesisConfig.from_dict(CONFIG)
        schema = schemathesis.openapi.from_asgi("/openapi.json", app, config=config).exclude(path=STREAMS)
        events = list(engine.from_schema(schema).execute())
    assert [str(event) for event in events if isinstance(event, NonFatalError | FatalError)] == []
    finished = [event for event in events if isinstance(event, ScenarioFinished)]
    assert {event.label for event in finished if event.recorder.cases} == {
        operation.ok().label for operation in schema.get_all_operations()
    }
    assert [failure for event in finished for failure in failures(event)] == []


def failures(event: ScenarioFinished) -> Iterator[str]:
    for checks in event.recorder.checks.values():
        for check in checks:
            if check.failure_info is not None:
                failure = check.failure_info.failure
                yield f"{event.label}: {failure.title}: {failure.message}\n{check.failure_info.code_sample}"
