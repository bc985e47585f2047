"""What the address in a problem's `type` says: what happened, and what to do about it."""

from serving.problems import PROBLEMS

_AGAIN = "Send the same request again after the seconds that the header Retry-After names."

WHAT_TO_DO = {
    "invalid-json": "Send JSON, or a search as a form of multipart/form-data. `detail` says where reading it ended.",
    "unauthorized": "Send a key of this shop in the header X-API-Key. Searches and events need none.",
    "unknown-product": "Check the id. What was sent a moment ago is found once a worker has indexed it.",
    "no-picture": "Ask for a product whose first picture the server can fetch: `detail` says what is missing here.",
    "too-slow": "Send the whole body within the time that `detail` names (server.body_timeout_seconds), or less.",
    "too-large": "Send less at once: `detail` names the most that is taken, which server.max_body_bytes, "
    "server.max_product_bytes and server.max_event_bytes set.",
    "unsupported-media-type": "Send Content-Type: application/json; a search also takes multipart/form-data.",
    "invalid-fields": "Change what `errors` lists or, without them, what `detail` says: `pointer` leads to the field "
    "in the body (RFC 6901, # is the whole body), `parameter` names one of the query, path, header or form. Nothing of "
    "the request was taken. /openapi.json describes every field.",
    "unusable-picture": "Send a JPEG, PNG, WebP, GIF, BMP or AVIF file, or a link to one that the server can reach: "
    "`detail` says what is wrong with this one.",
    "too-many-requests": "Wait for the seconds that the header Retry-After names. RateLimit tells what is left.",
    "index-unavailable": _AGAIN,
    "broker-unavailable": f"{_AGAIN} Some of what was sent may have arrived: it does not count twice.",
    "too-many-streams": f"{_AGAIN} Searches work without the stream of news.",
    "too-many-image-urls": f"{_AGAIN} A picture that is sent along needs no fetching.",
    "too-many-heat-maps": _AGAIN,
    "heat-map-too-slow": f"{_AGAIN} A server with a smaller picture model answers in time.",
    "not-ready": f"`detail` names the parts that do not answer. {_AGAIN}",
}


def problem_page(name: str) -> str:
    """Plain text; `name` is a key of PROBLEMS."""
    status, title = PROBLEMS[name]
    return f"{name} ({status}): {title}.\n\n{WHAT_TO_DO[name]}\n"
