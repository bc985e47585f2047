"""The storefront's files, and the addresses of the pictures that it shows."""

import re
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from encoders.hash import HashEncoder
from index.base import TEXT_FIELD, ContentHashes, ProductRow
from index.documents import document, keywords
from index.memory import MemoryIndex
from index.text_analysis import Analyser
from monitoring.metrics import create_metrics
from ranking.search import Search
from ranking.settings import RankingSettings
from serving import page_routes
from serving.media_routes import MediaLinks
from serving.settings import ServerSettings
from topics.events import Product

MakeClient = Callable[..., TestClient]
PAGE = Path(page_routes.__file__).parent / "page"
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
FILES = {f"/page/{file.name}": file for file in sorted(PAGE.iterdir()) if file.name != "index.html"}
FILES["/"] = PAGE / "index.html"
SVG_NAMESPACE = "http://www.w3.org/2000/svg"


@pytest.mark.parametrize("address", FILES)
def test_a_file_of_the_page_comes_with_its_type_and_its_policy(client: TestClient, address: str) -> None:
    answer = client.get(address)
    assert answer.status_code == 200
    assert answer.content == FILES[address].read_bytes()
    assert answer.headers["content-type"] == TYPES[FILES[address].suffix]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-cache"
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'self'"
    assert policy["img-src"].split() == ["'self'", "http:", "https:", "data:", "blob:"]
    assert not {"script-src", "style-src", "connect-src"} & policy.keys()
    assert policy["frame-ancestors"] == "'none'"


def test_every_file_is_loaded_by_the_page_at_once(client: TestClient) -> None:
    loaded = set(re.findall(r'(?:src|href)="([^"]+)"', client.get("/").text)) - {".", "learning"}
    assert {f"/{name}" for name in loaded} == FILES.keys() - {"/"}


@pytest.mark.parametrize("address", FILES)
def test_a_browser_that_has_the_file_need_not_load_it_again(client: TestClient, address: str) -> None:
    etag = client.get(address).headers["etag"]
    for known in (etag, f"W/{etag}", f'"older", {etag}'):
        again = client.get(address, headers={"If-None-Match": known})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
    assert client.get(address, headers={"If-None-Match": '"older"'}).status_code == 200


def test_the_page_says_whether_a_shopper_is_erased_without_a_key(client: TestClient, make_client: MakeClient) -> None:
    assert "data-asks-for-key" not in client.get("/").text
    keyed = make_client(ServerSettings(more_api_keys=(SecretStr("secret"),)))
    assert '<body class="start" data-asks-for-key>' in keyed.get("/").text


@pytest.mark.parametrize("address", ["/page/", "/page/other.js", "/page/index.html", "/page/..%2Fapp.py"])
def test_the_page_has_no_other_files(client: TestClient, address: str) -> None:
    answer = client.get(address)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


def test_the_page_can_be_asked_for_its_head(client: TestClient) -> None:
    assert client.head("/").status_code == 200


@pytest.mark.parametrize("file", sorted(PAGE.iterdir()), ids=lambda file: file.name)
def test_the_page_needs_nothing_from_elsewhere_and_nothing_inline(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert not re.search(r"(https?:)?//[a-z0-9-]+\.[a-z]", text.replace(SVG_NAMESPACE, ""), re.IGNORECASE)
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function", text)
    if file.suffix == ".html":
        assert not re.search(r"\son\w+=|\sstyle=|<style|<script(?![^>]*\ssrc=)|javascript:", text, re.IGNORECASE)


def test_both_languages_have_every_word_that_the_page_asks_for() -> None:
    texts = (PAGE / "words.js").read_text(encoding="utf-8")
    english, chinese = re.findall(r"^  (?:en|zh): \{\n(.*?)^  \},$", texts, re.DOTALL | re.MULTILINE)
    names = [set(re.findall(r"\b([a-z]\w*): [\"{(]", part, re.IGNORECASE)) for part in (english, chinese)]
    assert names[0] == names[1]
    asked = re.findall(r'data-(?:word|label|sort)="(\w+)"', (PAGE / "index.html").read_text(encoding="utf-8"))
    for script in PAGE.glob("*.js"):
        asked += re.findall(r"\bwords\.(?!js\b)(\w+)", script.read_text(encoding="utf-8"))
    assert len(asked) > 20
    assert set(asked) <= names[0]


@pytest.mark.parametrize(
    ("link", "address"),
    [
        ("file://{root}/dress.png", "/media/dress.png"),
        ("file:{root}/sub/dress.JPG", "/media/sub/dress.JPG"),
        ("file://localhost{root}/dress.png", "/media/dress.png"),
        ("FILE:dress.png", "/media/dress.png"),
        ("file:a%20b%25%3F%23.png", "/media/a%20b%25%3F%23.png"),
        ("file:%E8%A3%99.webp", "/media/%E8%A3%99.webp"),
        ("https://shop.example/a.png?b=c", "https://shop.example/a.png?b=c"),
        ("http://shop.example/a", "http://shop.example/a"),
        ("data:image/png;base64,AAAA", "data:image/png;base64,AAAA"),
        ("file:///etc/passwd", None),
        ("file:///elsewhere/a.png", None),
        ("file://other.example{root}/dress.png", None),
        ("file:../secret.png", None),
        ("file:%2e%2e/secret.png", None),
        ("file://{root}/../secret.png", None),
        ("file:notes.txt", None),
        ("file:page.svg", None),
        ("file:{root}", None),
        ("file:", None),
        ("file://", None),
    ],
)
def test_links_become_addresses_that_a_browser_can_open(pictures: Path, link: str, address: str | None) -> None:
    assert MediaLinks(pictures).address(link.format(root=pictures.resolve())) == address


def test_a_link_may_name_the_folder_by_another_name(pictures: Path, tmp_path: Path) -> None:
    other_name = tmp_path / "shop-pictures"
    other_name.symlink_to(pictures)
    links = MediaLinks(other_name)
    assert links.address((other_name / "dress.png").as_uri()) == "/media/dress.png"
    assert links.address((pictures.resolve() / "dress.png").as_uri()) == "/media/dress.png"


def test_without_a_folder_no_file_has_an_address() -> None:
    links = MediaLinks(None)
    assert links.address("file:dress.png") is None
    assert links.address("https://shop.example/a.png") == "https://shop.example/a.png"


@pytest.mark.parametrize("name", ["dress.png", "100% linen #1?.png", "裙 子.png"])
def test_a_search_answer_gives_pictures_that_can_be_fetched(
    make_client: MakeClient, pictures: Path, analyser: Analyser, name: str
) -> None:
    (pictures / name).write_bytes((pictures / "dress.png").read_bytes())
    links = [f"file://{quote(str(pictures / name))}", "file:///srv/secret/a.png", "https://shop.example/a.png"]
    with closing(_search(analyser, links)) as search:
        client = make_client(search=search, links=MediaLinks(pictures))
        product = client.get("/v1/search?q=dress").json()["results"][0]["product"]
    assert product["image_links"] == [f"/media/{quote(name)}", "https://shop.example/a.png"]
    picture = client.get(product["image_links"][0])
    assert (picture.status_code, picture.headers["content-type"]) == (200, "image/png")


def _search(analyser: Analyser, links: list[str]) -> Search:
    """Over one product with these pictures."""
    encoder = HashEncoder()
    index = MemoryIndex(encoder.dimension, encoder.dimension)
    product = Product.model_validate(
        {"id": "dress", "title": "Linen dress", "image_links": links, "updated_at": "2026-11-21T12:00:00Z"}
    )
    vectors = {TEXT_FIELD: encoder.encode_texts([product.title])[0]}
    words = keywords(product, analyser)
    index.apply([ProductRow(product.id, product.version, document(product), words, ContentHashes(), vectors)])
    metrics = create_metrics(CollectorRegistry())
    return Search(index, encoder, encoder, analyser, RankingSettings(), metrics)
