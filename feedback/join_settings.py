"""How lists are joined with what was done with them."""

from pydantic import BaseModel, ConfigDict, Field

from feedback.join import MOST_ACTIONS


class JoinSettings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    window_hours: float = Field(
        default=24,
        gt=0,
        le=8760,
        description="an action so long after its query is late: counted as such, and a list of its own",
    )
    keep_days: float = Field(
        default=3,
        gt=0,
        le=400,
        description="how long after its last event an open list is kept: longer than events may be on their way",
    )
    max_actions: int = Field(
        default=500, ge=1, le=MOST_ACTIONS, description="a list with more of them is no shopper's: none is kept"
    )

    @property
    def window_seconds(self) -> float:
        return self.window_hours * 3600

    @property
    def keep_seconds(self) -> float:
        return self.keep_days * 86_400
