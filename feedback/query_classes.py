"""Which queries are counted together."""

import unicodedata
from hashlib import blake2b


def query_class(text: str) -> str:
    """The same for texts of the same words, however ordered and capitalized; empty for a text without any."""
    words = sorted(unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold()).split())
    return blake2b(" ".join(words).encode(), digest_size=8).hexdigest() if words else ""
