"""Who asks, when and where, as requests say it; only pseudonyms go beyond this border."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone, tzinfo
from typing import Annotated

from pydantic import BaseModel, Field, StringConstraints

from feedback.contexts import DAYPART, PLACE, daypart_name
from ranking.queries import Visit
from serving.pseudonyms import Pseudonyms

Name = Annotated[str, StringConstraints(max_length=100)]


@dataclass(frozen=True, slots=True)
class Asker:
    """Pseudonyms, empty where the request names nobody; `context` is what else the request says of the situation."""

    user_id: str = ""
    client_id: str = ""
    session_id: str = ""
    context: Mapping[str, str] = field(default_factory=dict)

    @property
    def shopper(self) -> str:
        """The most lasting of the pseudonyms: events and queries of one person meet under it."""
        return self.user_id or self.client_id or self.session_id

    def visit(self, query_id: str, at: datetime, *, explain: bool, is_shown: bool) -> Visit:
        return Visit(query_id, at.timestamp(), self.shopper, self.session_id, self.context, explain, is_shown)


class VisitFields(BaseModel):
    """During which visit somebody asks, where, and at what time of day."""

    session_id: Name = Field(default="", description="of the visit, as in its events; becomes a pseudonym")
    place: Name = Field(
        default="",
        description="where the shopper is, in words of the shop's own, such as a city or a store: what is chosen there "
        "comes first",
    )
    utc_offset_minutes: Annotated[int, Field(ge=-720, le=840)] | None = Field(
        default=None,
        description="of the shopper's clock, east of UTC above 0: what is chosen at this time of day comes first; left "
        "out: by `server.time_zone`",
        examples=[60],
    )
    track: bool = Field(default=True, description="false where nobody sees the answer: it is published as no query")


class AskerFields(VisitFields):
    """Who asks, when and where. The names of people become pseudonyms before anything else sees them."""

    user_id: Name = Field(default="", description="of the shopper, where one is logged in; becomes a pseudonym")
    client_id: Name = Field(default="", description="of the browser or the app, as in its events; becomes a pseudonym")


class Askers:
    """Reads requests. `clock` gives the time with its zone; `zone` is that of shoppers who do not name theirs."""

    def __init__(self, pseudonyms: Pseudonyms, clock: Callable[[], datetime], zone: tzinfo) -> None:
        self._pseudonyms = pseudonyms
        self._clock = clock
        self._zone = zone

    def asker(self, fields: AskerFields) -> Asker:
        return self._asker(fields.user_id, fields.client_id, fields)

    def user(self, user_id: str, fields: VisitFields) -> Asker:
        return self._asker(user_id, "", fields)

    def _asker(self, user_id: str, client_id: str, fields: VisitFields) -> Asker:
        user, client, session = (
            self._pseudonyms.of(name) if name else "" for name in (user_id, client_id, fields.session_id)
        )
        return Asker(user, client, session, self._context(fields))

    def _context(self, fields: VisitFields) -> dict[str, str]:
        minutes = fields.utc_offset_minutes
        zone = self._zone if minutes is None else timezone(timedelta(minutes=minutes))
        context = {DAYPART: daypart_name(self._clock().astimezone(zone).hour)}
        return context | ({PLACE: fields.place} if fields.place else {})
