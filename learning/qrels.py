"""Relevance judgments: what people said of query-product pairs, from TREC qrels or CSV; and TREC run files."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

MAX_RATING = 20  # gains are 2^rating - 1
RankedRun: TypeAlias = Mapping[str, Sequence[tuple[str, float]]]
"""Products and scores by query id, best first."""


class RelevanceError(Exception):
    """Judgments or runs that cannot be used; the message names the place and says what to do."""


@dataclass(frozen=True, slots=True)
class Judgments:
    """`ratings` by query id and product id, 0 = irrelevant; `texts` is what is searched for, by query id."""

    ratings: Mapping[str, Mapping[str, int]]
    texts: Mapping[str, str]

    def answerable(self) -> list[str]:
        """Ids of the queries with a rating above 0, in the order of the file."""
        return [query_id for query_id, rated in self.ratings.items() if max(rated.values()) > 0]


@dataclass(frozen=True, slots=True)
class RatingColumns:
    """Which columns of a CSV file hold what."""

    query: str = "query"
    product: str = "docid"
    rating: str = "rating"


def read_csv_ratings(path: Path, columns: RatingColumns | None = None) -> Judgments:
    """Ratings by query text; query ids are numbers in the order of the file. Raises RelevanceError."""
    columns = columns or RatingColumns()
    ids: dict[str, str] = {}
    ratings: dict[str, dict[str, int]] = {}
    for line, row in _csv_rows(path, columns):
        query_id = ids.setdefault(row[columns.query], str(len(ids) + 1))
        place = f"{path}, line {line}"
        _rate(ratings.setdefault(query_id, {}), row[columns.product], row[columns.rating], place)
    return _checked(Judgments(ratings, {query_id: text for text, query_id in ids.items()}), path)


def read_trec_qrels(path: Path, queries: Path) -> Judgments:
    """TREC qrels (`query_id 0 product rating`) and the texts (`query_id<tab>text`). Raises RelevanceError."""
    texts: dict[str, str] = {}
    for line, text in _lines(queries):
        query_id, separator, query = text.partition("\t")
        if not separator or not query.strip():
            raise RelevanceError(f"{queries}, line {line}: write the query's id, a tab and its text")
        texts[query_id.strip()] = query.strip()
    ratings: dict[str, dict[str, int]] = {}
    for line, text in _lines(path):
        cells = text.split()
        place = f"{path}, line {line}"
        if len(cells) != 4:
            raise RelevanceError(f"{place}: write `query_id 0 product rating`")
        if cells[0] not in texts:
            raise RelevanceError(f"{place}: query {cells[0]!r} has no text in {queries}")
        _rate(ratings.setdefault(cells[0], {}), cells[2], cells[3], place)
    return _checked(Judgments(ratings, {query_id: texts[query_id] for query_id in ratings}), path)


def write_trec_qrels(judgments: Judgments, path: Path, queries: Path) -> None:
    """The judgments as TREC tools read them. Raises RelevanceError for an id with white space."""
    with path.open("w", encoding="utf-8") as file:
        for query_id, rated in judgments.ratings.items():
            file.writelines(f"{query_id} 0 {_word(product)} {rating}\n" for product, rating in rated.items())
    with queries.open("w", encoding="utf-8") as file:
        file.writelines(f"{query_id}\t{' '.join(text.split())}\n" for query_id, text in judgments.texts.items())


def write_trec_run(run: RankedRun, path: Path, tag: str) -> None:
    """`query_id Q0 product rank score tag`, best first. Raises RelevanceError for an id with white space."""
    with path.open("w", encoding="utf-8") as file:
        for query_id, ranked in run.items():
            for rank, (product, score) in enumerate(ranked, start=1):
                file.write(f"{query_id} Q0 {_word(product)} {rank} {score!r} {tag}\n")


def _word(product: str) -> str:
    if product.split() != [product]:
        raise RelevanceError(f"product id {product!r}: TREC files cannot hold an id with white space")
    return product


def read_trec_run(path: Path) -> RankedRun:
    """A run file, each query in the order of its ranks. Raises RelevanceError."""
    ranked: dict[str, dict[str, tuple[int, float]]] = {}
    for line, text in _lines(path):
        cells = text.split()
        try:
            query_id, _, product, rank, score, _ = cells
            entry = (int(rank), float(score))
        except ValueError:
            raise RelevanceError(f"{path}, line {line}: write `query_id Q0 product rank score tag`") from None
        if product in ranked.setdefault(query_id, {}):
            raise RelevanceError(f"{path}, line {line}: {product!r} is there twice for query {query_id!r}")
        ranked[query_id][product] = entry
    return {
        query_id: [(product, score) for product, (_, score) in sorted(found.items(), key=lambda item: item[1][0])]
        for query_id, found in ranked.items()
    }


def _csv_rows(path: Path, columns: RatingColumns) -> Iterator[tuple[int, dict[str, str]]]:
    wanted = (columns.query, columns.product, columns.rating)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            missing = [name for name in wanted if name not in (reader.fieldnames or ())]
            if missing:
                there = ", ".join(reader.fieldnames or ()) or "nothing"
                raise RelevanceError(f"{path}: no column {missing[0]!r}; the first line has {there}")
            for row in reader:
                if not all(row[name] for name in wanted):
                    raise RelevanceError(f"{path}, line {reader.line_num}: a cell of {', '.join(wanted)} is empty")
                yield reader.line_num, {name: row[name].strip() for name in wanted}
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise RelevanceError(f"{path}: {error}") from None


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    try:
        with path.open(encoding="utf-8-sig") as file:
            for line, text in enumerate(file, start=1):
                if text.strip():
                    yield line, text.rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise RelevanceError(f"{path}: {error}") from None


def _rate(rated: dict[str, int], product: str, text: str, place: str) -> None:
    """Negative ratings (spam, in some TREC tracks) count as 0."""
    try:
        rating = float(text)
    except ValueError:
        rating = 0.5
    if not rating.is_integer() or rating > MAX_RATING:
        raise RelevanceError(f"{place}: rating {text!r} is no whole number up to {MAX_RATING}")
    if rated.setdefault(product, max(0, int(rating))) != max(0, int(rating)):
        raise RelevanceError(f"{place}: {product!r} has two different ratings for one query; keep one")


def _checked(judgments: Judgments, path: Path) -> Judgments:
    if not judgments.answerable():
        raise RelevanceError(f"{path}: no query has a rating above 0, there is nothing to measure")
    return judgments
