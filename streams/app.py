"""The app of the indexing worker: its agent, registered by hand and by name."""

from collections.abc import Callable
from typing import NoReturn

import faust

from streams.faust_app import create_bare_app, read_in_batches
from streams.index_products import index_products
from streams.membership import Membership
from streams.pipeline import Pipeline
from streams.settings import WorkerSettings
from topics.catalogue import CATALOG_PRODUCTS, INDEX_PRODUCTS_AGENT, INDEX_PRODUCTS_GROUP
from topics.settings import KafkaSettings


def create_app(
    settings: WorkerSettings,
    kafka: KafkaSettings,
    pipeline: Pipeline,
    crash: Callable[[BaseException], NoReturn],
    group: str = INDEX_PRODUCTS_GROUP,
    membership: Membership | None = None,
) -> faust.App:
    """An app with the agent `index-products`. Two calls give two apps that share nothing."""
    app = create_bare_app(settings, kafka, crash, group, membership)
    read_in_batches(app, INDEX_PRODUCTS_AGENT, [kafka.on_broker(CATALOG_PRODUCTS)], index_products(pipeline, crash))
    return app
