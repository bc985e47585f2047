"""`millrace shoppers`, and the page and the words that tell of simulated shoppers."""

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner

from cli.learning_page import learning_page, write_learning_pages
from cli.main import app
from cli.shopper_visits import ShopperVisits, interval_told, round_told
from demo.shoppers.browsing import Habits
from demo.shoppers.learning_curve import Round
from demo.shoppers.shop_client import ShopClient
from demo.shoppers.simulation import SimulationOptions
from learning.relevance import Interval
from tests.unit.demo.fake_shop import as_found, by_taste, open_shop
from tests.unit.demo.learnt_rounds import SHOPPERS, rounds

SHOP = "http://shop.example/millrace/"


def page_of(rounds: list[Round], shoppers: int = SHOPPERS, ended: bool = False, language: str = "en") -> str:
    return learning_page(rounds, shoppers, SHOP, ended, language, "other.html")


def run(*options: str) -> tuple[int, dict[str, object], str]:
    result = CliRunner().invoke(app, ["shoppers", "--json", *options])
    return result.exit_code, json.loads(result.stdout), result.stderr


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("https://me:secret@shop.invalid/millrace", "https://shop.invalid/millrace/ does not answer"),
        ("https://shop.invalid/%40home", "https://shop.invalid/%40home/ does not answer"),
        ("https://shop.invalid/@home", "%40"),
        ("me:secret@shop.invalid", "http://127.0.0.1:8080"),
        ("https://me:se/cret@shop.invalid", "http://127.0.0.1:8080"),
        ("http://me:1/secret@shop.invalid", "%2F"),
        ("http://me:1?secret@shop.invalid", "%3F"),
        ("http://me:1#secret@shop.invalid", "%23"),
        ("http://shop.invalid/?token=secret", "http://127.0.0.1:8080"),
        ("http://shop..invalid", "http://127.0.0.1:8080"),
        ("http://xn--zz.invalid", "http://127.0.0.1:8080"),
        ("not an address", "http://127.0.0.1:8080"),
        ("https://", "http://127.0.0.1:8080"),
    ],
)
def test_a_shop_that_is_not_there_ends_the_command_with_its_address_or_how_one_looks(
    tmp_path: Path, url: str, told: str
) -> None:
    code, facts, said = run("--url", url, "--page", str(tmp_path / "page.html"))

    assert code == 1
    assert told in str(facts["error"])
    assert [part for part in ("secret", "cret@", "'se'", "Traceback") if part in f"{facts} {said}"] == []
    assert list(tmp_path.iterdir()) == []


def test_a_proxy_that_is_no_url_is_told_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://me:se/cret@proxy.invalid")
    code, facts, said = run("--url", "http://127.0.0.1:9")

    assert code == 1
    assert "HTTP_PROXY" in str(facts["error"])
    assert [part for part in ("'se'", "cret@", "Traceback") if part in f"{facts} {said}"] == []


def test_a_shop_of_other_goods_is_told_without_its_password() -> None:
    with open_shop(lambda found, _: found[:0]) as (_, url):
        code, facts, said = run("--url", url.replace("//", "//me:secret@"), "--shoppers", "1", "--sessions", "1")

    assert code == 1
    assert "is its shop the drawn one?" in str(facts["error"])
    assert "secret" not in f"{facts} {said}"


def test_a_page_that_cannot_be_written_ends_the_command(tmp_path: Path) -> None:
    with open_shop(as_found) as (_, url):
        code, facts, _ = run("--url", url, "--page", str(tmp_path / "no such folder" / "page.html"))

    assert code == 1
    assert "no such folder" in str(facts["error"])


@pytest.mark.parametrize(
    ("interval", "sign", "told"),
    [
        (Interval(0.624, 0.59, 0.651), False, ".62 [.59, .65]"),
        (Interval(0.11, -0.004, 0.2), True, "+.11 [-.00, +.20]"),
        (Interval(-0.11, -0.2, -0.01), True, "-.11 [-.20, -.01]"),
        (Interval(1.0, 1.0, 1.0), False, "1.00 [1.00, 1.00]"),
    ],
)
def test_an_interval_is_told_in_two_places(interval: Interval, sign: bool, told: str) -> None:
    assert interval_told(interval, sign) == told


def test_a_round_is_told_in_one_line_that_says_what_may_be_chance() -> None:
    chance, gain = rounds(1)[0], rounds(3, gain=0.1)[-1]

    assert round_told(chance).endswith("(may be chance)")
    told = round_told(gain)
    assert told.startswith("session 3 of each: NDCG@10 personalized .")
    assert re.search(r"\], without a name \.\d\d \[", told)
    assert re.search(r"difference \+\.3\d \[\+\.\d\d, \+\.\d\d\]$", told)


def test_visits_keep_the_page_and_the_facts_up_to_date_and_end_by_themselves(tmp_path: Path) -> None:
    page, in_chinese, heard = tmp_path / "my page.html", tmp_path / "my page.zh-Hans.html", []
    hurried = Habits(seconds_a_look=0, dwell_seconds=0, pause_seconds=0)
    options = SimulationOptions(shoppers=4, sessions=2, sessions_per_second=1000, habits=hurried)
    with open_shop(by_taste) as (shop, url), ShopperVisits(url, options, page, heard.append) as visits:
        while visits.wait(0.01):
            assert "What the shop learns of 4 shoppers" in page.read_text()
            assert "商店从 4 位模拟顾客身上学到了什么" in in_chinese.read_text("utf-8")
    facts = visits.facts()

    assert visits.failure == ""
    assert [one.session for one in heard] == [1, 2] == [one["session"] for one in facts["rounds"]]
    assert (facts["shoppers"], facts["searches"], facts["failed_requests"]) == (4, 16, 0)
    assert facts["events"] == len(shop.events)
    assert facts["overall"]["difference"]["mean"] > 0
    assert facts["rounds"][1]["difference"].keys() == {"mean", "low", "high"}
    for one, other in (("my%20page.html", in_chinese), ("my%20page.zh-Hans.html", page)):
        assert 'http-equiv="refresh"' not in other.read_text("utf-8")
        assert re.findall(r'href="([^"]*)"', other.read_text("utf-8")) == [f"{url}/", one]
    assert set(tmp_path.iterdir()) == {page, in_chinese}
    assert re.fullmatch(r"shoppers: 16 searches, \d+ clicks; session 2 of each: .*", visits.told())


def test_shoppers_who_are_called_back_leave_at_once() -> None:
    with open_shop(as_found) as (_, url):
        with ShopperVisits(url, SimulationOptions(sessions_per_second=0.01)) as visits:
            assert visits.wait(0)
        assert not visits.wait(0)
    assert visits.failure == ""
    assert visits.facts()["rounds"] == []


def test_who_finds_the_page_finds_its_translation_too(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    (tmp_path / "page.zh-Hans.html").mkdir()

    with pytest.raises(IsADirectoryError):
        write_learning_pages(page, [], SHOPPERS, SHOP, ended=False)
    assert not page.exists()


@pytest.mark.parametrize("name", ["page.html", "page.part"])
def test_who_reads_a_page_while_it_is_written_anew_gets_the_old_one_whole(tmp_path: Path, name: str) -> None:
    for file in (tmp_path / name, (tmp_path / name).with_stem("page.zh-Hans")):
        write_learning_pages(tmp_path / name, [], SHOPPERS, SHOP, ended=False)
        old = file.read_text("utf-8")
        with file.open(encoding="utf-8") as reading:
            write_learning_pages(tmp_path / name, rounds(1), SHOPPERS, SHOP, ended=False)
            assert reading.read() == old
        assert file.read_text("utf-8") != old


def drawings(page: str) -> list[ElementTree.Element]:
    return [
        ElementTree.fromstring(svg)  # noqa: S314 - our own page
        for svg in re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    ]


@pytest.mark.parametrize("count", [1, 2, 60])
def test_the_page_draws_every_round_within_its_bounds(count: int) -> None:
    page = page_of(rounds(count, gain=0.005))
    lists, difference = drawings(page)

    for drawing, circles in ((lists, 2 * count), (difference, count)):
        found = [element for element in drawing.iter() if element.tag == "circle"]
        assert len(found) == circles
        assert all(0 <= float(circle.get("cx", "")) <= 760 for circle in found)
        assert all(0 <= float(circle.get("cy", "")) <= 252 for circle in found)
        for line in drawing.iter("line"):
            assert all(0 <= float(line.get(end, "")) <= 252 for end in ("y1", "y2"))
    assert page.count("<tr>") == count + 1


def test_a_better_list_stands_higher_on_the_page() -> None:
    lists, _ = drawings(page_of(rounds(2, gain=0.1)))
    heights = {
        group.get("class"): [float(circle.get("cy", "")) for circle in group.iter("circle")]
        for group in lists.iter("g")
    }

    assert all(own < other for own, other in zip(heights["personalized"], heights["plain"], strict=True))


def test_the_page_says_what_is_no_chance_and_what_may_be() -> None:
    sure, unsure = page_of(rounds(3, gain=0.1), 1), page_of(rounds(1), 2)

    assert 'class="card gain"' in sure
    assert "may be chance" not in sure
    assert 'class="card "' in unsure
    assert "may be chance" in unsure


def test_the_page_is_read_again_until_the_visits_have_ended_and_asks_nobody_for_anything() -> None:
    for ended in (False, True):
        page = page_of(rounds(2), ended=ended)
        assert ('http-equiv="refresh"' in page) == (not ended)
        assert "src=" not in page
        assert re.findall(r'href="([^"]*)"', page) == [SHOP, "other.html"]
        assert "http://" not in page.replace(SHOP, "")
        assert "https://" not in page


def test_before_the_first_round_the_page_says_so() -> None:
    page = page_of([])

    assert "Not every shopper has been there yet" in page
    assert drawings(page) == []


@pytest.mark.parametrize("learnt", [[], rounds(1), rounds(3, gain=0.1)])
def test_each_page_has_words_of_one_language_only(learnt: list[Round]) -> None:
    english, chinese = (page_of(learnt, language=language) for language in ("en", "zh-Hans"))

    assert re.findall("[\u4e00-\u9fff]+", english) == ["中文"]
    said = re.sub(r"<style>.*?</style>|<[^>]*>", " ", chinese, flags=re.DOTALL)
    labels = re.findall('aria-label="([^"]*)"', chinese)
    assert set(re.findall("[A-Za-z]{2,}", " ".join([said, *labels]))) == {"NDCG", "English"}
    assert '<html lang="en">' in english
    assert '<html lang="zh-Hans">' in chinese


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080/"),
        ("https://shop.example/millrace/", "https://shop.example/millrace/"),
        ("https://me:secret@shop.example/@home", "https://shop.example/@home/"),
        ("https://me:s@cret@shop.example", "https://shop.example/"),
        ("https://shop.example/a//b@c", "https://shop.example/a//b@c/"),
    ],
)
def test_the_way_back_to_the_shop_tells_no_password(url: str, address: str) -> None:
    assert ShopClient(url).address == address
