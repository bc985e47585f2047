"""docs/api.md: every request in it is sent, by curl's words and by httpx, and answered as it says."""

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from serving.openapi_examples import HEAT_MAP, SEARCH_ANSWER, TRENDING_ANSWER
from tests.unit.serving.conftest import png, without_figures

DOCUMENT = Path(__file__).parents[3] / "docs" / "api.md"
BLOCK = re.compile(r"^```(sh|python|json)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
OPTIONS = {"-X": "method", "-H": "header", "-d": "body", "-F": "field"}


def curl(client: TestClient, command: str) -> Any:
    """Sends what this command line would send."""
    words = iter(shlex.split(command.replace("$URL", "").replace("$KEY", "secret"))[1:])
    given: dict[str, list[str]] = {name: [] for name in OPTIONS.values()}
    url = ""
    for word in words:
        if word in OPTIONS:
            given[OPTIONS[word]].append(next(words))
        else:
            url = word
    fields = [tuple(field.split("=", 1)) for field in given["field"]]
    files = [(name, field(value)) for name, value in fields]
    method = (given["method"] or ["POST" if given["body"] or files else "GET"])[0]
    headers = dict(header.split(": ", 1) for header in given["header"])
    content = given["body"][0] if given["body"] else None
    return client.request(method, url, headers=headers, content=content, files=files or None)


def field(value: str) -> Any:
    return (value[1:], Path(value[1:]).read_bytes()) if value.startswith("@") else (None, value)


def test_every_request_of_the_document_is_answered_as_it_says(
    shop: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photo.png").write_bytes(png())
    names: dict[str, Any] = {"client": shop, "KEY": "secret"}
    answers: list[Any] = []
    sent = 0
    for kind, text in BLOCK.findall(DOCUMENT.read_text(encoding="utf-8")):
        if kind == "sh":
            commands = re.split(r"^(?=curl )", text.replace("\\\n", " "), flags=re.MULTILINE)[1:]
            answers = [curl(shop, command) for command in commands]
            assert all(answer.status_code < 300 or answer.status_code == 422 for answer in answers)
            sent += len(commands)
        elif kind == "python":
            exec(text, names)  # noqa: S102
            answers = [*answers[-1:], names["answer"]]
        else:
            for answer in answers:
                assert without_figures(answer.json()) == without_figures(json.loads(text))
            answers = []
    assert sent > 8


def test_its_measured_answers_are_those_of_the_description() -> None:
    written = [json.loads(text) for kind, text in BLOCK.findall(DOCUMENT.read_text(encoding="utf-8")) if kind == "json"]
    for answer in (SEARCH_ANSWER, HEAT_MAP, TRENDING_ANSWER):
        assert answer in written
