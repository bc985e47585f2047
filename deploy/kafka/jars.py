"""The broker's jars, fetched once from Maven Central (45 MB) and kept in the user's cache."""

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

POM = Path(__file__).with_name("pom.xml")
_COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"
_FETCH_SECONDS = 600


class KafkaUnavailable(Exception):
    """There is no Kafka to start on this machine; the message says why and what to do."""


def fetch_jars() -> Path:
    """The folder of the jars. The first call needs Maven and takes seconds to minutes, later ones nothing.

    Raises KafkaUnavailable.
    """
    folder = _cache() / f"kafka-{hashlib.sha256(POM.read_bytes()).hexdigest()[:12]}"
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as unfinished:
            _copy_jars(Path(unfinished) / "jars")
            try:
                (Path(unfinished) / "jars").rename(folder)
            except OSError:  # another process was faster
                if not folder.is_dir():
                    raise
    return folder


def class_archive(jars: Path) -> Path:
    """Where Java's archive of the broker's classes lies, if it was made (`deploy.kafka.class_archive`)."""
    return jars.with_suffix(".jsa")


def java() -> str:
    """The `java` on this machine. Raises KafkaUnavailable."""
    return _program("java", "Java 17 or newer, for instance Debian's openjdk-17-jre-headless")


def _copy_jars(folder: Path) -> None:
    maven = _program("mvn", "Apache Maven, for instance Debian's maven")
    command = [maven, "-q", "-B", "-f", str(POM), _COPY, "-DincludeScope=runtime", f"-DoutputDirectory={folder}"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_FETCH_SECONDS, check=False)  # noqa: S603
    except subprocess.TimeoutExpired:
        raise KafkaUnavailable(f"Maven did not fetch Kafka's jars within {_FETCH_SECONDS} s: try again") from None
    if done.returncode:
        raise KafkaUnavailable(f"Maven could not fetch Kafka's jars (is there a way to Maven Central?): {done.stdout}")


def _program(name: str, package: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise KafkaUnavailable(f"there is no `{name}` here: install {package} (`make services` does)")
    return found


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "millrace"
