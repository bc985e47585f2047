"""Java's archive of the classes that a broker loads (JEP 350): with it, one starts in half the time and CPU time."""

import tempfile
from pathlib import Path

from deploy.kafka.broker import LocalKafka
from deploy.kafka.jars import class_archive, fetch_jars


def archive_classes() -> None:
    """Starts a broker once, and keeps what it loaded; a repeat does nothing. Another Java leaves the archive unread.

    Raises KafkaUnavailable.
    """
    archive = class_archive(fetch_jars())
    if archive.exists():
        return
    with tempfile.TemporaryDirectory(dir=archive.parent) as folder:
        unfinished = Path(folder) / archive.name
        with LocalKafka(Path(folder) / "broker", java_options=[f"-XX:ArchiveClassesAtExit={unfinished}"]):
            pass
        unfinished.rename(archive)
