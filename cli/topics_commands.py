"""`millrace topics apply|list`: the broker's topics against the table."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from cli.output import CONFIG_HELP, JSON_HELP, Output
from cli.settings import SettingsError, load_settings
from topics.admin import BrokerError, TopicAdmin, TopicReport
from topics.catalogue import TopicSpec, topics_on_broker

app = typer.Typer(no_args_is_help=True, help="The topics that Millrace reads and writes.")

Config = Annotated[Path | None, typer.Option(help=CONFIG_HELP)]
Json = Annotated[bool, typer.Option("--json", help=JSON_HELP)]


@app.command("list")
def list_command(config: Config = None, as_json: Json = False) -> None:
    """Show each topic of the table beside what the broker has; changes nothing.

    Exit code 1 when a topic is missing or kept otherwise than the table says.

    Example: millrace topics list

    With --json: topics, each with name, state (present, missing), partitions, differences.
    """
    _tell(Output(as_json), config, create=False)


@app.command("apply")
def apply_command(config: Config = None, as_json: Json = False) -> None:
    """Create the topics that are missing. What is there is reported and never changed, so a repeat is harmless.

    Example: millrace topics apply

    With --json: topics, each with name, state (created, present), partitions, differences.
    """
    _tell(Output(as_json), config, create=True)


def _tell(output: Output, config: Path | None, create: bool) -> None:
    with output.failing_on(SettingsError, BrokerError):
        kafka = load_settings(config).kafka
        specs = topics_on_broker(kafka)
        admin = TopicAdmin(kafka)
        reports = admin.apply(specs) if create else admin.inspect(specs)
    output.show(_table(specs, reports))
    facts = {
        "topics": [
            {
                "name": report.name,
                "state": report.state,
                "partitions": report.partitions,
                "differences": report.differences,
            }
            for report in reports
        ]
    }
    if any(report.state == "missing" for report in reports):
        output.fail("topics are missing: make them with `millrace topics apply`", facts)
    if any(report.differences for report in reports):
        output.fail("topics differ from the table: change them with Kafka's kafka-configs.sh, or accept it", facts)
    output.finish(facts)


def _table(specs: Sequence[TopicSpec], reports: Sequence[TopicReport]) -> Table:
    purposes = {spec.name: spec for spec in specs}
    table = Table("topic", "state", "partitions", "key", "kept", "purpose")
    for report in reports:
        spec = purposes[report.name]
        kept = "newest of each key" if spec.cleanup_policy == "compact" else f"{spec.retention_days} days"
        state = "\n".join([report.state, *report.differences])
        table.add_row(report.name, state, str(report.partitions or "-"), spec.key, kept, spec.purpose)
    return table
