"""The page at /learning, which simulated shoppers keep up to date."""

from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from serving.settings import ServerSettings
from tests.unit.serving.conftest import MakeClient


@pytest.fixture
def page(tmp_path: Path) -> Path:
    return tmp_path / "learning #1.html"


@pytest.fixture
def in_chinese(tmp_path: Path) -> Path:
    return tmp_path / "learning #1.zh-Hans.html"


@pytest.fixture
def client(make_client: MakeClient, page: Path) -> TestClient:
    return make_client(ServerSettings(learning_page=str(page)))


def test_the_page_is_shown_as_it_now_is_and_may_run_nothing(client: TestClient, page: Path) -> None:
    for text in ("<p>one</p>", "<p>two</p>"):
        page.write_text(text)
        answer = client.get("/learning")

        assert (answer.status_code, answer.text) == (200, text)
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert client.head("/learning").content == b""


def test_before_it_is_written_it_is_not_found_and_says_what_to_do(client: TestClient) -> None:
    answer = client.get("/learning")

    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert "millrace shoppers" in answer.json()["detail"]


def test_the_storefront_leads_there_once_it_is_written(client: TestClient, page: Path) -> None:
    before = client.get("/")
    assert '<a id="learning" hidden href="learning"' in before.text
    page.write_text("<p>one</p>")
    assert '<a id="learning" href="learning"' in client.get("/", headers={"If-None-Match": before.headers["ETag"]}).text


def test_without_the_setting_there_is_no_such_page(make_client: MakeClient) -> None:
    assert make_client().get("/learning").status_code == 404
    assert '<a id="learning" hidden href="learning"' in make_client().get("/").text


def test_the_language_is_the_one_that_is_asked_for_or_else_english(
    client: TestClient, page: Path, in_chinese: Path
) -> None:
    page.write_text("<p>one</p>")
    in_chinese.write_text("<p>一</p>", "utf-8")

    for language, text in (("zh-Hans", "<p>一</p>"), ("en", "<p>one</p>"), ("tlh", "<p>one</p>")):
        assert client.get("/learning", params={"language": language}).text == text
    assert client.get("/learning").text == "<p>one</p>"


def test_each_page_lies_where_the_other_links_to(client: TestClient, page: Path, in_chinese: Path) -> None:
    page.write_text("<p>one</p>")
    in_chinese.write_text("<p>一</p>", "utf-8")

    there = client.get("/learning?language=zh-Hans").url.join("learning%20%231.html")
    assert client.get(str(there)).text == "<p>one</p>"
    assert client.get(str(there.join("learning%20%231.zh-Hans.html"))).text == "<p>一</p>"


def test_what_else_lies_beside_the_page_is_nobodys_business(client: TestClient, page: Path) -> None:
    page.write_text("<p>one</p>")
    (page.parent / "secret.html").write_text("secret")

    assert client.get("/learning/secret.html").status_code == 404
    assert client.get("/learning/learning%20%231.zh-Hans.html").status_code == 404
