"""Who asks, as requests say it; only pseudonyms go beyond this border."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field, StringConstraints

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

    def visit(self, query_id: str, at: datetime, *, explain: bool) -> Visit:
        return Visit(query_id, at.timestamp(), self.shopper, self.session_id, self.context, explain)


class AskerFields(BaseModel):
    """Who asks, and where. The names of people become pseudonyms before anything else sees them."""

    user_id: Name = Field(default="", description="of the shopper, where one is logged in; becomes a pseudonym")
    client_id: Name = Field(default="", description="of the browser or the app, as in its events; becomes a pseudonym")
    session_id: Name = Field(default="", description="of the visit, as in its events; becomes a pseudonym")
    place: Name = Field(default="", description="where the shopper is, in words of the shop's own")
    track: bool = Field(default=True, description="false where nobody sees the answer: it is published as no query")

    def asker(self, pseudonyms: Pseudonyms) -> Asker:
        user, client, session = (
            pseudonyms.of(name) if name else "" for name in (self.user_id, self.client_id, self.session_id)
        )
        return Asker(user, client, session, {"place": self.place} if self.place else {})
