"""`millrace click-loop`: it needs neither models nor index."""

import logging
from contextlib import closing, suppress

import setproctitle

from cli.lifetimes import run_in_children
from cli.process_checks import require_shared_profiles, require_topics, serve_process_metrics
from cli.settings import Settings
from feedback.example_log import local_folder, open_example_log
from feedback.example_settings import ExampleLogSettings
from feedback.factory import create_store
from monitoring.exposition import create_registry
from monitoring.lag import GroupLag
from monitoring.metrics import create_metrics
from streams.click_loop import ClickLoopParts, run_click_loop
from streams.ending import EXIT_STALLED, EXIT_UNEXPECTED
from streams.membership import Membership
from topics.catalogue import CLICK_LOOP_GROUP, CLICK_LOOP_TOPICS, dead_letter_topic
from topics.clients import client_config
from topics.publisher import Publisher

logger = logging.getLogger(__name__)

_OUTAGE_SECONDS = 7 * 86_400.0  # it waits for a broker that is away; nothing is acknowledged meanwhile


def restart_click_loop(with_stdin: bool) -> Membership:
    """Returns in each child process that is to be a click loop, with what they share."""
    membership = Membership()
    run_in_children("millrace click-loop", (EXIT_UNEXPECTED, EXIT_STALLED), with_stdin)
    return membership


def click_loop(settings: Settings, membership: Membership | None = None) -> None:
    """Run the click loop until a signal; raises SystemExit with the code of the end."""
    setproctitle.setproctitle("millrace click-loop")
    require_shared_profiles(settings)
    require_topics(settings, (*CLICK_LOOP_TOPICS, *map(dead_letter_topic, CLICK_LOOP_TOPICS)))
    kafka = settings.kafka
    registry = create_registry()
    metrics = create_metrics(registry)
    with (
        closing(create_store(settings.profiles)) as store,
        closing(Publisher(kafka, "millrace-click-loop", _OUTAGE_SECONDS)) as publisher,
    ):
        make_examples_folder(settings.click_loop.examples)
        log = open_example_log(settings.click_loop.examples, store)
        port = serve_process_metrics(registry, settings.click_loop, "click_loop")
        logger.info("Joining clicks; metrics on http://%s:%d/metrics", settings.click_loop.metrics_host, port)
        # Not to be closed: the thread that looks at these goes on until the process ends.
        group = kafka.on_broker(CLICK_LOOP_GROUP)
        lags = {topic: GroupLag(client_config(kafka), group, kafka.on_broker(topic)) for topic in CLICK_LOOP_TOPICS}
        waiting = {topic: lag.records_wait for topic, lag in lags.items()}
        parts = ClickLoopParts(store, settings.profiles, log, publisher, metrics, waiting, membership)
        run_click_loop(settings.click_loop, kafka, parts)


def make_examples_folder(settings: ExampleLogSettings) -> None:
    """An empty log rather than none, where it is a folder of this machine in one that is there.

    What hinders that is left to the writes, which tell it and wait. Raises LogUnavailable for what is no address.
    """
    folder = local_folder(settings)
    if folder is not None:
        with suppress(OSError):
            folder.mkdir(exist_ok=True)
