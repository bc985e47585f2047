"""Examples of the API's description; a test sends the requests and holds the answers against their schemas."""

from typing import Any

PRODUCT: dict[str, Any] = {
    "id": "sku-1",
    "title": "Red linen dress",
    "description": "Knee-length, with pockets",
    "brand": "Loom",
    "categories": ["Clothing", "Dresses"],
    "price": 49.9,
    "currency": "EUR",
    "rating": 4.5,
    "rating_count": 112,
    "image_links": ["https://shop.example/sku-1.jpg"],
    "attributes": {"colour": "red", "size": ["S", "M"]},
}
NEIGHBOUR: dict[str, Any] = {
    "id": "sku-2",
    "title": "Blue linen shirt",
    "brand": "Loom",
    "categories": ["Clothing"],
    "price": 35,
    "currency": "EUR",
    "attributes": {"colour": "blue"},
}
_SHOWN = PRODUCT | {"updated_at": "2026-11-20T09:30:00Z", "availability": "in_stock", "language": "en"}
_NEIGHBOUR_SHOWN = NEIGHBOUR | {"updated_at": "2026-11-20T09:30:00Z", "availability": "in_stock", "language": "en"}

_RED_PICTURE = (
    "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAFUlEQVR42mM8IafBgA0wMeAAg1MCANh8AR6FrdlEAAAAAElFTkSuQmCC"
)
SEARCH_TEXT = "red linen dress under 60"
SEARCH_QUERIES: dict[str, Any] = {
    "filtered": {"text": "dress", "filters": [{"field": "price", "at_most": 50}], "limit": 5},
    "explained": {"text": SEARCH_TEXT, "facets": ["brand", "price"], "limit": 1, "explain": True},
    "by picture": {"image_base64": _RED_PICTURE},
}
SEARCH_FORM: dict[str, Any] = {"text": "dress", "price_max": 50, "brand": ["Loom"]}
SEARCH_ANSWER: dict[str, Any] = {
    "query_id": "01a20851-15bd-7226-b63c-5ab791b7584a",
    "kind": "text",
    "results": [
        {
            "position": 1,
            "score": 1.0000003039836882,
            "product": _SHOWN,
            "explanation": {
                "text": {"rank": 1, "score": 1.0000003576278687, "contribution": 0.8500003039836883},
                "keywords": {
                    "rank": 1,
                    "score": 1.433303952217102,
                    "contribution": 0.15,
                    "terms": ["red", "linen", "dress"],
                },
            },
        }
    ],
    "total": {"matches": 2, "exact": True},
    "nearest": False,
    "facets": [
        {
            "field": "brand",
            "values": [{"value": "Loom", "count": 2}],
            "exact": True,
            "lowest": None,
            "highest": None,
        },
        {"field": "price", "values": [], "exact": True, "lowest": 35.0, "highest": 49.9},
    ],
    "understood": {
        "text": "red linen dress",
        "language": "en",
        "phrases": [
            {
                "text": "under 60",
                "filters": [{"field": "price", "any_of": [], "at_least": None, "at_most": 60.0}],
            }
        ],
        "corrections": [],
        "brands": [],
    },
    "notes": [],
    "note_codes": [],
    "took_ms": 7.925,
    "steps_ms": {
        "encode_text": 0.759,
        "encode_image": 0.431,
        "retrieve": 0.186,
        "fuse": 0.188,
        "documents": 0.021,
        "facets": 0.909,
    },
}
SIMILAR_ANSWER: dict[str, Any] = {
    "query_id": "01a20852-05ba-7cd6-8409-f134c386bbc4",
    "product": _SHOWN,
    "results": [{"position": 1, "score": 0.26804178953170776, "product": _NEIGHBOUR_SHOWN}],
    "took_ms": 0.592,
}
TRENDING_ANSWER: dict[str, Any] = {
    "query_id": "01a20852-f5b7-7414-9fb5-355e1e2feb89",
    "results": [
        {
            "position": 1,
            "score": 0.9507140150387502,
            "product": _SHOWN,
            "actions": {"click": 0.9507140150387502},
        }
    ],
    "notes": [],
    "took_ms": 0.249,
}
RANK_QUERIES: dict[str, Any] = {
    "explained": {
        "candidates": [{"product_id": "sku-1", "score": 12.5}, {"product_id": "sku-2", "score": 11.9}],
        "text": "linen",
        "client_id": "5e3b2a1c-8b7d-4f2e-a3d4-c9b2e1f3a4b5",
        "explain": True,
    },
    "in the order given": {"candidates": [{"product_id": "sku-2"}, {"product_id": "sku-1"}], "user_id": "ada"},
}
RANK_ANSWER: dict[str, Any] = {
    "query_id": "01a20853-e5b4-7c2c-9e39-44187311d8a3",
    "results": [
        {
            "product_id": "sku-1",
            "position": 1,
            "from_position": 1,
            "score": 12.499,
            "parts": {"score": 12.5, "position": -0.001},
        },
        {
            "product_id": "sku-2",
            "position": 2,
            "from_position": 2,
            "score": 11.898,
            "parts": {"score": 11.9, "position": -0.002},
        },
    ],
    "left_out": [],
    "ranker": "hand-set@9d1f0c3a",
    "notes": [],
    "took_ms": 0.211,
}
RECOMMENDATIONS: dict[str, Any] = {
    "query_id": "01a20854-d5b1-7a6c-b27a-7185612e7696",
    "results": [
        {
            "position": 1,
            "score": 0.2259,
            "product": _SHOWN,
            "sources": {"trending": 1},
            "reranking": {"score": 0.2259, "from_position": 1, "parts": {"score": 0.2269, "position": -0.001}},
        }
    ],
    "notes": [],
    "took_ms": 0.418,
}
ERASED: dict[str, Any] = {
    "removed": {"shopper": 1, "lists": 1, "counted": 4},
    "found_afterwards": {"shopper": 0, "lists": 0, "counted": 0},
    "follows": ["open lists", "example log"],
}
HEAT_MAP: dict[str, Any] = {  # of a picture of one colour
    "product_id": "sku-1",
    "similarity": 0.5559213757514954,
    "values": [[0.0] * 7] * 7,
    "took_ms": 225.851,
}
EVENT: dict[str, Any] = {
    "action_name": "click",
    "timestamp": "2026-11-21T10:15:00Z",
    "query_id": "01a20855-c5ae-735b-9f39-0b2018072e8c",
    "session_id": "84266fdbd31d4c2c6d0665f7e8380fa3",
    "event_attributes": {"object": {"object_id": "sku-1"}, "position": {"ordinal": 3}},
}
LOOKED_UP = _SHOWN
ACCEPTED = {"accepted": 1, "ids": ["sku-1"]}

_RESULT = SEARCH_ANSWER["results"][0]
_FIELD_ERROR = {"detail": "Input should be greater than or equal to 0", "parameter": "price_max"}
REQUEST_ID = "2f1c6f0a9d0b4a5e8c3d7e6f5a4b3c2d"
MODELS: dict[str, Any] = {
    "Accepted": ACCEPTED,
    "Alive": {"status": "alive"},
    "Ready": {"status": "ready", "products": 640},
    "SentEvent": EVENT,
    "SentAttributes": EVENT["event_attributes"],
    "EventObject": EVENT["event_attributes"]["object"],
    "EventsAccepted": {
        "accepted": 2,
        "notes": [
            "1 event without a query_id, good for recommendations and for leaving out what was bought or hidden, but "
            "for no click rate and no order of a search: send that of the answer that was acted upon"
        ],
    },
    "HeatMap": HEAT_MAP,
    "TrendingResponse": TRENDING_ANSWER,
    "TrendingResult": TRENDING_ANSWER["results"][0],
    "WordCorrection": {"text": "dres", "replacement": "dress"},
    "FacetCounts": SEARCH_ANSWER["facets"][0],
    "FacetValueCount": SEARCH_ANSWER["facets"][0]["values"][0],
    "FieldError": _FIELD_ERROR,
    "FilterInput": {"field": "price", "at_least": 20, "at_most": 50},
    "LegExplanation": _RESULT["explanation"]["keywords"],
    "MatchTotal": SEARCH_ANSWER["total"],
    "PhraseFilter": SEARCH_ANSWER["understood"]["phrases"][0],
    "LeftOutProduct": {"product_id": "sku-2", "reason": "bought"},
    "RankCandidate": RANK_QUERIES["explained"]["candidates"][0],
    "RankResponse": RANK_ANSWER,
    "RankedResult": RANK_ANSWER["results"][0],
    "Erased": ERASED,
    "RecommendationsResponse": RECOMMENDATIONS,
    "RecommendedProduct": RECOMMENDATIONS["results"][0],
    "Reranking": {"score": 1.12, "from_position": 2, "parts": {"score": 0.85, "taste": 0.27}},
    "SearchResponse": SEARCH_ANSWER,
    "SearchResult": _RESULT,
    "SimilarResponse": SIMILAR_ANSWER,
    "Understood": SEARCH_ANSWER["understood"],
}

PROBLEM_DETAILS = {
    "invalid-json": "unexpected end of data: line 1 column 2 (char 1)",
    "unauthorized": "send a key in the header X-API-Key",
    "unknown-product": "no product 'sku-9' is in the index",
    "no-picture": "product 'sku-9' has no picture",
    "too-slow": "a body may take 60 s",
    "too-large": "at most 10000000 bytes are taken",
    "unsupported-media-type": "send application/json, not text/plain",
    "invalid-fields": "price_max: Input should be greater than or equal to 0",
    "too-many-requests": "come back in 12 s",
    "index-unavailable": "search again in a moment",
    "broker-unavailable": "no broker answered within 10 s",
    "not-ready": "index: http://milvus:19530 does not answer",
    "too-many-heat-maps": "ask for it again in a moment",
    "heat-map-too-slow": "ViT-B-16-SigLIP2@1a2b3c4d takes too long for a map of a picture",
    "too-many-streams": "search without news, or try again later",
}
