"""What `millrace serve` gives to the HTTP API, and takes back at the end."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.server import open_services
from cli.settings import Settings
from cli.wiring import Parts
from encoders.hash import HashEncoder
from encoders.image_sources import ImageSource
from encoders.images import ImageError, ImageFailure
from encoders.settings import EncoderSettings, ImageSourceSettings
from index.memory import MemoryIndex
from index.text_analysis import Analyser
from monitoring.exposition import create_registry
from monitoring.metrics import create_metrics
from ranking.queries import SearchRequest
from topics.embedded_broker import EmbeddedBroker
from topics.publisher import Publisher
from topics.settings import KafkaSettings


@pytest.fixture
def publisher(broker: EmbeddedBroker) -> Iterator[Publisher]:
    publisher = Publisher(KafkaSettings(bootstrap_servers=broker.bootstrap_servers), "test-services")
    yield publisher
    publisher.close()


def open_parts(images: ImageSourceSettings) -> Parts:
    encoder, registry = HashEncoder(), create_registry()
    return Parts(
        settings=Settings(encoders=EncoderSettings(image_sources=images)),
        text_encoder=encoder,
        image_encoder=encoder,
        analyser=Analyser(),
        index=MemoryIndex(encoder.dimension, encoder.dimension),
        images=ImageSource(images),
        registry=registry,
        metrics=create_metrics(registry),
    )


def test_shoppers_do_not_fetch_from_where_the_workers_may(publisher: Publisher, tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"\xff\xd8\xff")
    with socket.create_server(("127.0.0.1", 0)) as inside:
        address = f"127.0.0.1:{inside.getsockname()[1]}"
        images = ImageSourceSettings(allowed_private_hosts=(address,), file_root=str(tmp_path), timeout_seconds=0.5)
        parts = open_parts(images)
        with parts.images, open_services(parts, publisher) as services:
            assert services.product_images.fetch("file:a.jpg")
            for link, reason in (
                (f"http://{address}/a.jpg", ImageFailure.PRIVATE_ADDRESS),
                ("file:a.jpg", ImageFailure.FORBIDDEN_FILE),
            ):
                with pytest.raises(ImageError) as refused:
                    services.images.fetch(link)
                assert refused.value.reason is reason
            assert services.links.root == tmp_path


def test_the_threads_of_the_search_end_with_the_server(publisher: Publisher) -> None:
    parts = open_parts(ImageSourceSettings())
    with parts.images, open_services(parts, publisher) as services:
        services.search.search(SearchRequest(text="dress"))
    with pytest.raises(RuntimeError, match="shutdown"):
        services.search.search(SearchRequest(text="dress"))
