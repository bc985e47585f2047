"""What shops send by mistake: messages that no product can be read from, and products with something odd."""

import base64
from typing import Any


def link(content: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(content).decode()


# name (its key) -> message, reason of its dead letter
BAD_EVENTS: dict[str, tuple[bytes | dict[str, Any], str]] = {
    "broken json": (b"{broken", "not_json"),
    "no object": (b"[1, 2]", "invalid_fields"),
    "no title": ({"updated_at": 1}, "invalid_fields"),
    "no version": ({"title": "x"}, "invalid_version"),
    "a version that is none": ({"title": "x", "updated_at": "yesterday"}, "invalid_version"),
    "an absurd price": ({"title": "x", "updated_at": 1, "price": 1e30, "currency": "EUR"}, "invalid_fields"),
    "a negative price": ({"title": "x", "updated_at": 1, "price": -1, "currency": "EUR"}, "invalid_fields"),
    "a long title": ({"title": "x" * 100_000, "updated_at": 1}, "invalid_fields"),
    "a huge title": ({"title": "x" * 1_500_000, "updated_at": 1}, "too_large"),
    "a number no index holds": ({"title": "x", "updated_at": 1, "attributes": {"n": 10**30}}, "invalid_fields"),
    "a text no index holds": (
        {"title": "红", "updated_at": 1, "description": "红" * 20_000, "attributes": {"n": "红" * 9_000}},
        "index_refused",
    ),
    "another key": ({"id": "somebody else", "title": "x", "updated_at": 1}, "key_mismatch"),
}
# id -> fields, what is reported to be left out (nothing where it is empty)
ODD_PRODUCTS: dict[str, tuple[dict[str, Any], str]] = {
    "emoji": ({"title": "👗🔥 dress 🎒"}, ""),
    "right to left": ({"title": "فستان أحمر מעיל\u202e", "language": "ar"}, ""),
    "an unknown language": ({"title": "ulaluv tukwi", "language": "xq-Zzzz"}, ""),
    "no letters": ({"title": "\u200b!?"}, ""),
    "control characters": ({"title": "a\x00b\x1b[31m"}, ""),
    "a picture that is html": ({"title": "page", "image_links": [link(b"<html>not found</html>")]}, "not_an_image"),
    "a private address": ({"title": "inside", "image_links": ["http://127.0.0.1:9/a.png"]}, "private_address"),
    "the cloud's metadata": ({"title": "cloud", "image_links": ["http://169.254.169.254/x"]}, "private_address"),
    "a file outside": ({"title": "file", "image_links": ["file:../../../etc/passwd"]}, "forbidden_file"),
    "no host": ({"title": "nowhere", "image_links": ["http://[::1"]}, "invalid_link"),
}
