"""What every test may use."""

import os
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import settings

from tests.redis_server import RedisServer
from topics.embedded_broker import EmbeddedBroker

_DEFAULT_DATA = Path(__file__).parents[2] / "shared" / "data"
_SKIPS_FAIL = "MILLRACE_SKIPS_FAIL"
_WAITING = {"browser", "end_to_end", "services"}
_LAST_WAITING = 0.6  # of the run: what waits must not be alone at its end

settings.register_profile("millrace", deadline=None)  # a busy machine makes any example slow now and then
settings.load_profile("millrace")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data sets; tests that need it are skipped, with the remedy, where it is absent."""
    folder = Path(os.environ.get("MILLRACE_DATA", _DEFAULT_DATA))
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder}: set MILLRACE_DATA to the folder of the data sets")
    return folder


@pytest.fixture
def broker() -> Iterator[EmbeddedBroker]:
    """A broker of one's own: groups and offsets are named by constants, so each test starts from an empty one."""
    with EmbeddedBroker(partitions=4) as embedded:
        yield embedded


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The session's own Redis, shared: take a key prefix of your own."""
    with RedisServer(tmp_path_factory.mktemp("redis")) as server:
        yield server.url


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that wait for processes stand among those that compute, so that several at once keep every core busy."""
    files: dict[Path, list[pytest.Item]] = {}
    for item in items:
        files.setdefault(item.path, []).append(item)
    waiting = [path for path in files if _WAITING & set(path.parts)]
    computing = [path for path in files if path not in set(waiting)]
    shares = [_spread(waiting, _LAST_WAITING), _spread(computing, 1.0)]
    items[:] = [item for _, path in sorted(pair for share in shares for pair in share) for item in files[path]]


def _spread(paths: Sequence[Path], end: float) -> Iterator[tuple[float, Path]]:
    return ((end * place / len(paths), path) for place, path in enumerate(paths))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where every service is at hand, as in CI, a skipped test is a failure."""
    report = yield
    if not hasattr(report, "wasxfail"):
        _forbid_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """So is a whole file that skips itself while it is collected."""
    report = yield
    _forbid_skip(report)
    return report


def _forbid_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    if report.skipped and os.environ.get(_SKIPS_FAIL):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"{report.nodeid} was skipped, which {_SKIPS_FAIL} forbids: {reason}"
