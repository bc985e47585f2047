"""What the example log raises; apart, since Parquet takes its time to load."""


class LogUnavailable(Exception):
    """The folder cannot be read or written; the message says why."""
