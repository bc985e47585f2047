"""The command `millrace`: every subcommand in one place, imported when it is called."""

from typing import ClassVar

import typer

from cli.lazy_group import LazyCommand, LazyGroup


class Millrace(LazyGroup):
    lazy_commands: ClassVar = {
        "worker": LazyCommand(
            "cli.process_commands:worker_command",
            "Index products from catalog.products as they change, until SIGTERM or Ctrl-C.",
        ),
        "click-loop": LazyCommand(
            "cli.process_commands:click_loop_command",
            "Join what was shown with what shoppers did, until SIGTERM or Ctrl-C: profiles, statistics, the example"
            " log.",
        ),
        "serve": LazyCommand(
            "cli.process_commands:serve_command",
            "Answer searches and take products over HTTP, until SIGTERM or Ctrl-C.",
        ),
        "demo": LazyCommand(
            "cli.demo:demo_command",
            "A shop to try Millrace on: everything runs on this machine, with parts that pip installed.",
        ),
        "shoppers": LazyCommand(
            "cli.shoppers:shoppers_command",
            "Let simulated shoppers visit a running shop, and say how well what it shows them fits their hidden"
            " tastes.",
        ),
        "real-data": LazyCommand(
            "cli.real_data:real_data_command",
            "Stream the Icecat catalogue through broker, worker and Milvus Lite, then measure how well it is searched.",
        ),
        "import": LazyCommand(
            "cli.import_products:import_command",
            "Send products from a file to catalog.products, where workers index them.",
        ),
        "search": LazyCommand(
            "cli.search:search_command",
            "Search the index as a shopper would, and see why each product is there.",
        ),
        "erase-user": LazyCommand(
            "cli.erase_user:erase_user_command",
            "Take a person out of profiles, open lists and the example log, and prove it.",
        ),
        "doctor": LazyCommand(
            "cli.doctor:doctor_command",
            "Check settings, broker, processes, models, index, pictures, profiles; say what to do. Changes nothing.",
        ),
        "lag-exporter": LazyCommand(
            "cli.lag_exporter:lag_exporter_command",
            "Serve the lag of every consumer group to Prometheus, or print it once. Joins no group, commits nothing.",
        ),
        "settings": LazyCommand(
            "cli.sample_settings:settings_command",
            "Print every setting with its meaning and default, as a TOML file to start from.",
        ),
        "topics": LazyCommand("cli.topics_commands:app", "The topics that Millrace reads and writes."),
        "dead-letters": LazyCommand(
            "cli.dead_letters:app",
            "Messages that could not be used: look at them, send them again as they are or fixed, or put them aside.",
        ),
    }


class Evaluate(LazyGroup):
    lazy_commands: ClassVar = {
        "relevance": LazyCommand(
            "cli.evaluate:relevance_command",
            "Ask queries whose right answers are known, and show how well they are answered, with 95 % bootstrap"
            " intervals.",
        ),
        "ranking": LazyCommand(
            "cli.ranking_commands:ranking_command",
            "Replay a log through the click loop, train rankers on its earlier lists, and measure them on the later"
            " ones.",
        ),
        "compare": LazyCommand(
            "cli.compare_runs:compare_command",
            "Write a page with both lists of every query side by side, gains first and losses last.",
        ),
        "propensities": LazyCommand(
            "cli.propensity_evaluation:propensities_command",
            "Estimate propensities from the real Open Bandit logs, and compare them with those that the logs hold.",
        ),
        "drawn-clip": LazyCommand(
            "cli.drawn_clip:evaluate_drawn_clip",
            "Measure how a model finds drawn products that it never saw, through the encoder that serves.",
        ),
    }


class Train(LazyGroup):
    lazy_commands: ClassVar = {
        "drawn-clip": LazyCommand(
            "cli.drawn_clip:train_drawn_clip", "Draw products and train the small CLIP on them, on the CPU."
        ),
        "ranker": LazyCommand(
            "cli.ranking_commands:train_ranker_command",
            "Train a ranker on a log of events, and say how much better than the order shown it is on lists that it"
            " never saw.",
        ),
        "retrieval-weights": LazyCommand(
            "cli.train_weights:train_retrieval_weights",
            "Choose weights by judged queries: the best mean of NDCG@10 over the judged products alone and over the"
            " whole index, with what to expect of other queries by cross-validation.",
        ),
    }


app = typer.Typer(
    cls=Millrace,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Search and recommendations that are as fresh as a shop's event stream. Start with `millrace demo`.",
)
app.add_typer(
    typer.Typer(cls=Evaluate, no_args_is_help=True, help="Measure quality against what people said."), name="evaluate"
)
app.add_typer(
    typer.Typer(cls=Train, no_args_is_help=True, help="Make models, and choose weights by what people judged."),
    name="train",
)


def main() -> None:
    app()


if __name__ == "__main__":
    main()
