"""Photos of groceries as queries: which files, which right answers, and what is said of bad ones."""

import io
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from demo.grocery_photos import MEASURES, grocery_photos
from learning.qrels import RelevanceError
from learning.query_sets import QuerySet
from learning.relevance import RelevanceOptions

PRODUCTS = """class_id,class_name,coarse_id,coarse_name,icon_file,description
0,Golden-Delicious,0,Apple,a.jpg,
1,Granny-Smith,0,Apple,b.jpg,
2,Avocado,1,Avocado,c.jpg,
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "products.csv").write_text(PRODUCTS)
    Image.new("RGB", (8, 8), "green").save(tmp_path / "one.jpg")
    packed = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(packed, "PNG")
    with zipfile.ZipFile(tmp_path / "photos.zip", "w") as archive:
        archive.writestr("two.png", packed.getvalue())
        archive.writestr("broken.jpg", b"\xff\xd8\xffnothing")
    return tmp_path


def photos(folder: Path, table: str) -> QuerySet:
    (folder / "photos.csv").write_text(table)
    return grocery_photos(folder / "products.csv", folder / "photos.csv")


def test_photos_come_from_beside_the_table_or_out_of_an_archive(folder: Path) -> None:
    queries = photos(
        folder, "split,class_name,file\ntrain,Avocado,gone.jpg\ntest,Granny-Smith,one.jpg\ntest,Avocado,two.png\n"
    )

    assert [queries.label(query_id) for query_id in queries.judgments.answerable()] == ["one.jpg", "two.png"]
    assert queries.judgments.ratings["1"] == {"Golden-Delicious": 1, "Granny-Smith": 2}
    assert queries.pictures["2"].load().getpixel((4, 4)) == (255, 0, 0)


def test_fine_is_the_product_and_coarse_its_category(folder: Path) -> None:
    queries = photos(folder, "path,label\none.jpg,Granny Smith\ntwo.png,2\n")

    report = queries.report(
        {"1": [("Golden-Delicious", 1.0), ("Granny-Smith", 0.9)], "2": [("Avocado", 1.0)]},
        RelevanceOptions(resamples=10),
    )

    assert set(report.values) == set(MEASURES)
    assert list(report.values["R@1 fine"]) == [0, 1]
    assert list(report.values["R@5 fine"]) == [1, 1]
    assert list(report.values["R@1 coarse"]) == [1, 1]


@pytest.mark.parametrize(
    ("table", "complaint"),
    [
        ("file,class_name\none.jpg,Kumquat\n", "line 2: no product 'Kumquat'"),
        ("file,class_name\nnone.jpg,Avocado\n", "line 2: no photo 'none.jpg'"),
        ("file\none.jpg\n", "line 2: nothing in any column of class_name"),
        ("file,class_name,split\none.jpg,Avocado,train\n", "no photo is left"),
        ("", "no photo is left"),
    ],
)
def test_a_bad_table_is_refused_with_the_place(folder: Path, table: str, complaint: str) -> None:
    with pytest.raises(RelevanceError, match=complaint):
        photos(folder, table)


def test_a_photo_that_cannot_be_read_is_named(folder: Path) -> None:
    queries = photos(folder, "file,class_name\nbroken.jpg,Avocado\n")

    with pytest.raises(RelevanceError, match=r"line 2: broken"):
        queries.pictures["1"].load()


@pytest.mark.data
def test_the_shared_photos_are_all_there(shared_data: Path) -> None:
    shop = shared_data / "grocery_store"

    queries = grocery_photos(shop / "products.csv", shop / "photos.csv")

    assert len(queries.judgments.answerable()) == 567
    assert queries.pictures["567"].load().size[0] > 0
