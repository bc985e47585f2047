"""What an answer says beside its results, for whoever runs the shop; a page translates it by its code."""

from typing import Literal, NamedTuple

from ranking.fusion import Leg
from ranking.queries import SearchAnswer

NoteCode = Literal["contradiction", "keywords_left_out", "text_left_out", "image_left_out", "not_personal"]
_OF_LEGS: dict[Leg, NoteCode] = {
    Leg.KEYWORDS: "keywords_left_out",
    Leg.TEXT: "text_left_out",
    Leg.IMAGE: "image_left_out",
}


class SearchNote(NamedTuple):
    code: NoteCode
    text: str


def search_notes(answer: SearchAnswer) -> list[SearchNote]:
    return [
        *(SearchNote("contradiction", sentence) for sentence in answer.contradictions),
        *(SearchNote(_OF_LEGS[leg], f"{leg} was left out: {reason}") for leg, reason in answer.left_out.items()),
        *(SearchNote("not_personal", note) for note in answer.notes),
    ]
