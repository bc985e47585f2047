"""`train_drawn_clip` and `evaluate_drawn_clip`: the small CLIP of drawn products, made anew and measured."""

import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from cli.output import JSON_HELP, Output
from demo.drawn_shop.clip_training import TrainingRecord, fit
from demo.drawn_shop.evaluation import evaluate
from demo.drawn_shop.evaluation_table import table_rows
from demo.drawn_shop.looks import all_looks, split_looks
from demo.drawn_shop.rendering import training_pool
from encoders.base import EncoderError
from encoders.factory import create_image_encoder
from encoders.settings import EncoderSettings, ImageEncoderSettings
from learning.contrastive import Step
from learning.settings import ClipArchitecture, ContrastiveSettings

_DEFAULT_CACHE = Path.home() / ".cache" / "millrace"
_DIGITS = 4
_DEFAULTS = ContrastiveSettings()


def train_drawn_clip(  # noqa: PLR0913 - each is an option of the command
    out: Annotated[Path, typer.Argument(help="Folder for the model; files of an earlier model in it are replaced.")],
    steps: Annotated[int, typer.Option(min=1, help="Batches of 256 pairs.")] = _DEFAULTS.steps,
    seed: Annotated[int, typer.Option(min=0, help="Another one gives another model.")] = _DEFAULTS.seed,
    threads: Annotated[int, typer.Option(min=1, help="CPU threads of the training.")] = _DEFAULTS.threads,
    pictures: Annotated[int, typer.Option(min=1, help="Training pictures of each of the 512 looks; 6 MB each.")] = 48,
    processes: Annotated[int, typer.Option(min=1, help="Processes that draw the pictures.")] = 2,
    cache: Annotated[Path, typer.Option(help="Folder where the drawn pictures are kept.")] = _DEFAULT_CACHE,
    as_json: Annotated[bool, typer.Option("--json", help=JSON_HELP)] = False,
) -> None:
    """Draw products and train the small CLIP on them, on the CPU.

    The pictures are drawn once (2 to 4 minutes of two cores) and kept; 1800 steps take half an hour of one core.

    Example: millrace train drawn-clip my-clip --steps 1800 --threads 2

    With --json: folder, seconds, losses (by step), parameters, vocabulary, size_bytes.
    """
    output = Output(as_json)
    settings = ContrastiveSettings(steps=steps, seed=seed, threads=threads)
    with output.progress("drawing", len(split_looks().trained)) as advance:
        pool = training_pool(
            cache, pictures, ClipArchitecture().image_size, processes, lambda done: advance(done, f"{done} looks")
        )
    with output.progress("training", steps) as advance:

        def on_step(step: Step) -> None:
            advance(step.number, f"step {step.number}, loss {step.loss:.3f}")

        record = fit(out, pool, settings, on_step)
    _tell_training(out, record, output)


def evaluate_drawn_clip(
    model: Annotated[
        str, typer.Option(help="drawn-clip, the one that comes along, or a model's folder.")
    ] = "drawn-clip",
    processes: Annotated[int, typer.Option(min=1, help="Processes that draw the pictures.")] = 2,
    threads: Annotated[int, typer.Option(min=1, help="CPU threads of the model.")] = 1,
    save: Annotated[Path | None, typer.Option(help="Also write the JSON object to this file.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help=JSON_HELP)] = False,
) -> None:
    """Measure how a model finds drawn products that it never saw, through the encoder that serves.

    Queries are the 128 looks that no training saw; candidates are new pictures of all 640: noisy ones of 64 pixels
    and clean ones of 256. About two minutes on two cores.

    Example: millrace evaluate drawn-clip --model my-clip --json

    With --json: model, release, looks, held_out, seconds, galleries (noisy, clean), each with picture_to_picture and
    languages (en, zh); see demo.drawn_shop.evaluation.LanguageReport for what each figure means.
    """
    output = Output(as_json)
    started = time.perf_counter()
    with output.failing_on(EncoderError):
        settings = EncoderSettings(image=ImageEncoderSettings(model=model, device="cpu"), threads=threads)
        with output.waiting(f"loading {model}"):
            encoder = create_image_encoder(settings)
        looks = len(all_looks())
        with output.progress("drawing and encoding", 2 * looks) as advance:
            reports = evaluate(encoder, processes, lambda done, name: advance(done, f"{name} pictures"))
    facts: dict[str, Any] = {
        "model": model,
        "release": encoder.release,
        "looks": looks,
        "held_out": len(split_looks().held_out),
        "seconds": round(time.perf_counter() - started, 1),
        "galleries": {name: rounded(asdict(report)) for name, report in reports.items()},
    }
    if save is not None:
        save.write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    output.show(_table(facts["galleries"]))
    output.finish(facts)


def rounded(figures: Any) -> Any:
    """Every share in a report with four digits."""
    if isinstance(figures, dict):
        return {name: rounded(part) for name, part in figures.items()}
    return round(figures, _DIGITS)


def _tell_training(out: Path, record: TrainingRecord, output: Output) -> None:
    facts: dict[str, Any] = {
        "folder": str(out),
        "seconds": record.seconds,
        "losses": {str(step): loss for step, loss in record.losses.items()},
        "parameters": record.parameters,
        "vocabulary": record.vocabulary,
        "size_bytes": sum(file.stat().st_size for file in out.iterdir() if file.is_file()),
    }
    table = Table(show_header=False, box=None)
    for label in ("folder", "seconds", "parameters", "vocabulary", "size_bytes"):
        table.add_row(label.replace("_", " "), str(facts[label]))
    output.show(table)
    output.finish(facts)
    output.note(f"measure it: millrace evaluate drawn-clip --model {out}")


def _table(galleries: dict[str, Any]) -> Table:
    table = Table("128 looks never seen, among all 640", *(f"{name} pictures" for name in galleries))
    for label, cells in table_rows(galleries).items():
        table.add_row(label, *cells)
    return table
