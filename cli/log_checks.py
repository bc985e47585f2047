"""What a person is told of a log that teaches less than it could."""

from learning.log_summary import LogSummary

_NAMED = 3


def unknown_products(summary: LogSummary) -> str | None:
    """A warning where lists show products that the log does not describe."""
    unknown = summary.without_product
    if not unknown:
        return None
    some = ", ".join([*unknown[:_NAMED], *["..."] * (len(unknown) > _NAMED)])
    return (
        f"warning: {len(unknown)} of {summary.shown} shown products are not described ({some}): nothing is known of "
        "their brands, prices, words and pictures. Add a line for each to the log; with --examples, give --products"
    )
