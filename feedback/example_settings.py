"""Where the example log is kept, and how it is written."""

from pydantic import BaseModel, ConfigDict, Field


class ExampleLogSettings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str = Field(
        default="examples",
        min_length=1,
        description="a folder, or what fsspec reads, such as s3://bucket/examples (with the package for it installed)",
    )
    gather_seconds: float = Field(
        default=5.0,
        ge=0,
        le=300,
        description="how long lists may wait for others, so that not each is a file; at most half of "
        "`click_loop.stalled_seconds`",
    )
    gather_lists: int = Field(default=5_000, ge=1, le=100_000, description="a file is written at once with so many")
    compact_minutes: float = Field(
        default=10, gt=0, le=1440, description="how often a day's small files are put together, where it has many"
    )
    compact_files: int = Field(default=20, ge=2, le=10_000, description="so many files of a day are many")
