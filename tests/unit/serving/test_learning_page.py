"""The page at /learning, which simulated shoppers keep up to date."""

import re
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from cli.learning_page import write_learning_pages
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


def test_the_language_is_the_one_that_is_asked_for_or_that_of_the_browser_or_else_english(
    client: TestClient, page: Path, in_chinese: Path
) -> None:
    page.write_text("<p>one</p>")
    in_chinese.write_text("<p>一</p>", "utf-8")

    for language, text in (("zh-Hans", "<p>一</p>"), ("en", "<p>one</p>"), ("tlh", "<p>one</p>")):
        assert client.get("/learning", params={"language": language}).text == text
    for browser, text in (("zh-CN,zh;q=0.9,en;q=0.8", "<p>一</p>"), ("de-DE", "<p>one</p>")):
        assert client.get("/learning", headers={"Accept-Language": browser}).text == text


def test_without_a_translation_every_language_gets_the_page(client: TestClient, page: Path) -> None:
    page.write_text("<p>one</p>")

    assert client.get("/learning?language=zh-Hans").text == "<p>one</p>"


@pytest.mark.parametrize(("language", "name"), [("en", "learning%20%231"), ("zh-Hans", "learning%20%231.zh-Hans")])
def test_the_way_to_the_page_is_relative_and_as_guarded_as_the_page(
    client: TestClient, page: Path, in_chinese: Path, language: str, name: str
) -> None:
    page.write_text("<p>one</p>")
    in_chinese.write_text("<p>一</p>", "utf-8")

    way = client.get("/learning", params={"language": language}, follow_redirects=False)
    shown = client.get(str(way.url.join(way.headers["Location"])))
    assert way.is_redirect
    assert way.headers["Location"] == f"learning/{name}.html"
    assert shown.headers["Content-Type"] == "text/html; charset=utf-8"
    for answer in (way, shown):
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize("language", ["en", "zh-Hans"])
def test_the_way_back_leads_to_the_shop_as_the_browser_knows_it(
    client: TestClient, page: Path, in_chinese: Path, language: str
) -> None:
    write_learning_pages(page, [], 12, "http://shop.internal:8080/", ended=False)

    text = client.get("/learning", params={"language": language}).text
    other = "learning%20%231.html" if language == "zh-Hans" else "learning%20%231.zh-Hans.html"
    assert re.findall('href="([^"]*)"', text) == ["../", other]
    assert "shop.internal" not in text
    for file in (page, in_chinese):
        assert 'href="http://shop.internal:8080/"' in file.read_text("utf-8")


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
