"""The page at /learning, which simulated shoppers keep up to date."""

from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from cli.learning_page import learning_page
from serving.settings import ServerSettings
from tests.unit.serving.conftest import MakeClient


@pytest.fixture
def page(tmp_path: Path) -> Path:
    return tmp_path / "learning.html"


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


def test_the_page_has_a_way_back_to_the_shop_and_a_word_on_it_in_both_languages(client: TestClient, page: Path) -> None:
    page.write_text(learning_page([], shoppers=2, ended=False), "utf-8")
    text = client.get("/learning").text
    assert text.count('href="./"') == 2
    assert "Back to the shop" in text
    assert "返回商店" in text
    assert "of the first ten places" in text
    assert "只看前十个位置" in text
    assert "What the shop learns of 2 shoppers" in text
