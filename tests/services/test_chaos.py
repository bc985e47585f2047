"""A short run of `make chaos`; the long ones are for the night."""

from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.kafka.jars import KafkaUnavailable
from tests.services import chaos

pytestmark = pytest.mark.services


@pytest.mark.timeout(600)
def test_half_a_minute_of_chaos_loses_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], record_property: Callable[[str, object], None]
) -> None:
    try:
        chaos.run(seed=7, seconds=30, folder=tmp_path, say=print)
    except KafkaUnavailable as absent:
        pytest.skip(str(absent))
    summary = capsys.readouterr().out.splitlines()[-1]
    record_property("summary", summary)
    assert "nothing lost" in summary
