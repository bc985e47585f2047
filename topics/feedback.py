"""What `feedback.examples` says: a query with all that was shown, and what was done with it."""

from pydantic import BaseModel, ConfigDict, Field

from topics.behavior import ListPlace


class ShownProduct(BaseModel):
    """One product of a list."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    product_id: str
    position: ListPlace
    propensity: float | None = Field(None, description="the chance with which it was shown at this place, if known")
    retrieval_position: ListPlace | None = Field(
        None, description="its place before it was re-ranked; null: as it was shown"
    )
    retrieval_score: float | None = None


class ListAction(BaseModel):
    """One thing that was done with a product."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    event_id: str
    action: str
    product_id: str
    at: float = Field(description="seconds since 1970 (UTC), by the event")
    dwell_seconds: float | None = None
    by_other: bool = Field(False, description="somebody else than the list's shopper did it")


class JoinedList(BaseModel):
    """All that is known of one query as of `revision`: a higher one of the same `query_id` takes its place, unless only
    the lower one knows the query.

    A list whose query has not come (yet) has actions and `at` None; an event that belongs to no query is a list of its
    own. Of equal revisions all are equal, so that a repeat changes nothing.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    query_id: str
    revision: int = Field(
        ge=0,
        lt=2**31,
        description="how many things are or were known of it: the query, its actions, the late ones, a suspicion",
    )
    shopper: str = Field("", description="pseudonym; empty where nobody is named")
    session: str = ""
    at: float | None = Field(None, description="when it was shown: seconds since 1970 (UTC), by the query")
    text: str = ""
    kind: str = ""
    language: str = ""
    arm: str = ""
    releases: dict[str, str] = {}
    context: dict[str, str] = {}
    shown: tuple[ShownProduct, ...] = ()
    actions: tuple[ListAction, ...] = Field((), description="by time, then by event_id")
    late: int = Field(0, ge=0, lt=2**31, description="actions after the window of the join: counted, and kept apart")
    suspect: str = Field("", description="why it counts in no statistics and trains nothing; empty: it counts")
    query_erased: bool = Field(False, description="its query was known, and went with a person who was erased")

    @property
    def standing(self) -> tuple[bool, int]:
        """What takes the place of lower ones. A list without its query is of before the query came, or of after what
        was known of it was forgotten.
        """
        return self.at is not None or self.query_erased, self.revision


class ShopperErased(BaseModel):
    """What `shoppers.erased` says: whatever is kept of this person goes, as does what arrives of the time before."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    shopper: str = Field(description="pseudonym")
    at: float = Field(description="seconds since 1970 (UTC)")
