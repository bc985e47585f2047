"""A folder of TREC runs with all that a page about them shows: qrels, queries, and the products with their pictures."""

import io
import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from PIL.Image import Image

from cli.wiring import Parts
from encoders.images import ImageError, decode_image
from learning.qrels import (
    Judgments,
    RankedRun,
    RelevanceError,
    read_trec_qrels,
    read_trec_run,
    write_trec_qrels,
    write_trec_run,
)
from learning.query_sets import QuerySet

SHOWN = 10
_TAG = "millrace"
_THUMBNAIL_SIDE = 112
_THUMBNAIL_QUALITY = 78
_DOCUMENTS_AT_ONCE = 500
_FIELDS = ("title", "brand", "price", "currency")


@dataclass(frozen=True, slots=True)
class StoredRun:
    """A run file with what lies beside it, where stored: documents by product, data: links of pictures by query."""

    name: str
    run: RankedRun
    judgments: Judgments
    products: Mapping[str, Mapping[str, Any]]
    pictures: Mapping[str, str]
    encoders: Sequence[str] = ()


def write_runs(folder: Path, queries: QuerySet, runs: Mapping[str, RankedRun], parts: Parts) -> None:
    """`SET.SYSTEM.run`, `SET.qrels`, `SET.queries`, and what the runs show. Raises RelevanceError."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = folder / _word(queries.name)
    for system, run in runs.items():
        write_trec_run(run, run_file(folder, queries.name, system), _TAG)
    labels = {query_id: queries.label(query_id) for query_id in queries.judgments.ratings}
    judgments = Judgments(queries.judgments.ratings, labels)
    write_trec_qrels(judgments, stem.with_suffix(".qrels"), stem.with_suffix(".queries"))
    if queries.pictures:
        pictured = (query_id for query_id in queries.judgments.answerable() if query_id in queries.pictures)
        lines = ({"id": query_id, "picture": _thumbnail(queries.pictures[query_id].load())} for query_id in pictured)
        _write_lines(Path(f"{stem}.pictures.jsonl"), lines)
    ids = {product for run in runs.values() for ranked in run.values() for product, _ in ranked[:SHOWN]}
    _write_lines(Path(f"{stem}.products.jsonl"), _products(sorted(ids), parts))
    encoders = (parts.text_encoder.release, parts.image_encoder.release)
    _write_lines(Path(f"{stem}.encoders.jsonl"), [{"release": release} for release in encoders])


def run_file(folder: Path, queries: str, system: str) -> Path:
    """Where `write_runs` puts the run of a set of queries by one system."""
    return folder / f"{_word(queries)}.{_word(system)}.run"


def read_run(path: Path) -> StoredRun:
    """A run file, or a folder that holds only one. Raises RelevanceError."""
    if path.is_dir():
        runs = sorted(path.glob("*.run"))
        if len(runs) != 1:
            there = ", ".join(run.name for run in runs) or "none"
            raise RelevanceError(f"{path}: name one of its run files; there are: {there}")
        path = runs[0]
    run = read_trec_run(path)
    whole = path.with_suffix("")
    stem = whole if whole.with_suffix(f"{whole.suffix}.qrels").exists() else whole.with_suffix("")
    judgments = read_trec_qrels(Path(f"{stem}.qrels"), Path(f"{stem}.queries"))
    products = {line["id"]: line for line in _read_lines(Path(f"{stem}.products.jsonl"))}
    pictures = {line["id"]: line["picture"] for line in _read_lines(Path(f"{stem}.pictures.jsonl"))}
    encoders = [line["release"] for line in _read_lines(Path(f"{stem}.encoders.jsonl"))]
    return StoredRun(
        f"{path.parent.name}/{path.name.removesuffix('.run')}", run, judgments, products, pictures, encoders
    )


def _word(name: str) -> str:
    return re.sub(r"\W+", "-", name).strip("-")


def _products(ids: Sequence[str], parts: Parts) -> Iterator[dict[str, Any]]:
    for start in range(0, len(ids), _DOCUMENTS_AT_ONCE):
        chunk = ids[start : start + _DOCUMENTS_AT_ONCE]
        documents = parts.index.documents(chunk)
        for product_id in chunk:
            document = documents.get(product_id, {})
            links = document.get("image_links") or ()
            shown = {name: document[name] for name in _FIELDS if name in document}
            yield {"id": product_id, **shown, "picture": _product_picture(links, parts)}


def _product_picture(links: Sequence[str], parts: Parts) -> str:
    """Empty where there is none that can be read."""
    try:
        limits = parts.settings.encoders.image_sources.limits
        return _thumbnail(decode_image(parts.images.fetch(links[0]), limits)) if links else ""
    except ImageError:
        return ""


def _thumbnail(picture: Image) -> str:
    """As a data: link."""
    small = picture.copy()
    small.thumbnail((_THUMBNAIL_SIDE, _THUMBNAIL_SIDE))
    packed = io.BytesIO()
    small.save(packed, "WEBP", quality=_THUMBNAIL_QUALITY)
    return f"data:image/webp;base64,{b64encode(packed.getvalue()).decode()}"


def _write_lines(path: Path, lines: Iterable[Mapping[str, Any]]) -> None:
    with path.open("wb") as file:
        file.writelines(orjson.dumps(line) + b"\n" for line in lines)


def _read_lines(path: Path) -> Iterator[dict[str, Any]]:
    """Nothing where there is no such file."""
    if not path.exists():
        return
    try:
        for line in path.read_bytes().splitlines():
            yield orjson.loads(line)
    except (OSError, orjson.JSONDecodeError) as error:
        raise RelevanceError(f"{path}: {error}") from None
