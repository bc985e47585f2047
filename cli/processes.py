"""`millrace worker` and `millrace serve`: the two processes that run in production."""

import logging
import os
import signal
import sys
import threading

import setproctitle

from cli.settings import Settings
from cli.wiring import index_products_lag, open_parts, open_publisher, services, worker_parts
from monitoring.exposition import serve_metrics
from serving.app import create_app
from serving.server import run_server
from streams.worker import run_worker
from topics.admin import BrokerError, TopicAdmin
from topics.catalogue import TOPICS

logger = logging.getLogger(__name__)


def configure_logging(verbose: bool) -> None:
    """One line an entry on stderr.

    Faust and aiokafka log thousands of lines in an outage: only their warnings count.
    """
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    for name in ("faust", "aiokafka", "mode", "httpx", "pymilvus", "sentence_transformers"):
        logging.getLogger(name).setLevel(logging.INFO if verbose else logging.ERROR)


def worker(settings: Settings) -> None:
    """Index products until a signal; raises SystemExit with the code of the end."""
    setproctitle.setproctitle("millrace worker")
    _require_topics(settings)
    with open_parts(settings) as parts, open_publisher(settings, "millrace-worker") as publisher:
        port = serve_metrics(parts.registry, settings.worker.metrics_host, settings.worker.metrics_port)
        logger.info(
            "Indexing %s into %s; metrics on http://%s:%d/metrics",
            TOPICS[0].name,
            settings.index.uri,
            settings.worker.metrics_host,
            port,
        )
        with index_products_lag(settings) as lag:
            run_worker(settings.worker, settings.kafka, worker_parts(parts, publisher, lag))


def serve(settings: Settings) -> None:
    """Answer HTTP until a signal."""
    setproctitle.setproctitle("millrace serve")
    with open_parts(settings) as parts, open_publisher(settings, "millrace-serve") as publisher:
        run_server(create_app(settings.server, services(parts, publisher)), settings.server)


def end_with_stdin() -> None:
    """For a child of `millrace demo`:

    end as on SIGTERM once the parent has closed our standard input, however it ended.
    """

    def wait() -> None:
        sys.stdin.buffer.read()
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, name="end with stdin", daemon=True).start()


def _require_topics(settings: Settings) -> None:
    """Faust waits silently and for ever for a topic that is not there."""
    missing = [report.name for report in TopicAdmin(settings.kafka).inspect(TOPICS) if report.state == "missing"]
    if missing:
        raise BrokerError(f"missing topics: {', '.join(missing)}. Make them with `millrace topics apply`")
