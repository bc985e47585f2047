"""Judgments from CSV and TREC files: what is there is read, what is wrong is named by file and line."""

from pathlib import Path

import pytest

from learning.qrels import (
    Judgments,
    RatingColumns,
    RelevanceError,
    read_csv_ratings,
    read_trec_qrels,
    read_trec_run,
    write_trec_qrels,
    write_trec_run,
)


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_csv_ratings(tmp_path: Path) -> None:
    text = "\ufeffquery,docid,rating\nred mouse,a,3\nred mouse,b,0\n键盘,a,1.0\nred mouse,c,-1\n"

    judgments = read_csv_ratings(written(tmp_path, "ratings.csv", text))

    assert judgments.ratings == {"1": {"a": 3, "b": 0, "c": 0}, "2": {"a": 1}}
    assert judgments.texts == {"1": "red mouse", "2": "键盘"}


def test_csv_columns_can_have_other_names(tmp_path: Path) -> None:
    path = written(tmp_path, "ratings.csv", "product,grade,words\na,2,mouse\n")

    assert read_csv_ratings(path, RatingColumns("words", "product", "grade")).ratings == {"1": {"a": 2}}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("query,doc,rating\nx,a,1\n", "no column 'docid'; the first line has query, doc, rating"),
        ("", "no column 'query'; the first line has nothing"),
        ("query,docid,rating\nx,a,good\n", "line 2: rating 'good' is no whole number"),
        ("query,docid,rating\nx,a,1.5\n", "line 2: rating '1.5' is no whole number"),
        ("query,docid,rating\nx,a,21\n", "line 2: rating '21' is no whole number up to 20"),
        ("query,docid,rating\nx,a,nan\n", "line 2: rating 'nan'"),
        ("query,docid,rating\nx,a,inf\n", "line 2: rating 'inf'"),
        ("query,docid,rating\nx,a,1\nx,,2\n", "line 3: a cell of query, docid, rating is empty"),
        ("query,docid,rating\nx,a\n", "line 2: a cell"),
        ("query,docid,rating\nx,a,1\nx,a,2\n", "line 3: 'a' has two different ratings"),
        ("query,docid,rating\nx,a,0\n", "no query has a rating above 0"),
        ("query,docid,rating\n", "no query has a rating above 0"),
    ],
)
def test_csv_mistakes_are_named(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(RelevanceError) as caught:
        read_csv_ratings(written(tmp_path, "ratings.csv", text))
    assert "ratings.csv" in str(caught.value)
    assert complaint in str(caught.value)


def test_trec_files_come_back_as_they_were_written(tmp_path: Path) -> None:
    judgments = Judgments({"7": {"a": 3, "b": 0}, "9": {"c": 1}}, {"7": "red mouse", "9": "键盘"})

    write_trec_qrels(judgments, tmp_path / "run.qrels", tmp_path / "run.queries")

    assert read_trec_qrels(tmp_path / "run.qrels", tmp_path / "run.queries") == judgments


def test_queries_without_judgments_are_not_asked(tmp_path: Path) -> None:
    queries = written(tmp_path, "queries.tsv", "1\tmouse\n2\tscreen\n")
    qrels = written(tmp_path, "qrels", "1 0 a 2\n\n")

    assert read_trec_qrels(qrels, queries).texts == {"1": "mouse"}


@pytest.mark.parametrize(
    ("qrels", "queries", "complaint"),
    [
        ("1 0 a\n", "1\tmouse\n", "qrels, line 1: write `query_id 0 product rating`"),
        ("1 0 a 1\n2 0 a 1\n", "1\tmouse\n", "qrels, line 2: query '2' has no text"),
        ("1 0 a 1\n", "1 mouse\n", "queries, line 1: write the query's id, a tab"),
        ("1 0 a x\n", "1\tmouse\n", "qrels, line 1: rating 'x'"),
    ],
)
def test_trec_mistakes_are_named(tmp_path: Path, qrels: str, queries: str, complaint: str) -> None:
    with pytest.raises(RelevanceError) as caught:
        read_trec_qrels(written(tmp_path, "qrels", qrels), written(tmp_path, "queries", queries))
    assert complaint in str(caught.value)


def test_runs_come_back_in_the_order_of_their_ranks(tmp_path: Path) -> None:
    run = {"1": [("b", 0.5), ("a", 0.5), ("c", 1e-9)], "2": [("a", -3.25)]}

    write_trec_run(run, tmp_path / "a.run", "test")

    assert (tmp_path / "a.run").read_text().splitlines()[0] == "1 Q0 b 1 0.5 test"
    assert read_trec_run(tmp_path / "a.run") == run


def test_an_id_that_trec_files_cannot_hold_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RelevanceError, match=r"'red dress'.*space"):
        write_trec_run({"1": [("red dress", 1.0)]}, tmp_path / "a.run", "test")


@pytest.mark.parametrize("text", ["1 Q0 a first 0.5 t\n", "1 a 1\n", "1 Q0 a 1 0.5 t\n1 Q0 a 2 0.4 t\n"])
def test_run_mistakes_are_named(tmp_path: Path, text: str) -> None:
    with pytest.raises(RelevanceError, match=r"a\.run, line \d"):
        read_trec_run(written(tmp_path, "a.run", text))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(RelevanceError, match=r"none\.csv"):
        read_csv_ratings(tmp_path / "none.csv")
    with pytest.raises(RelevanceError, match=r"none\.run"):
        read_trec_run(tmp_path / "none.run")
