"""Names of people that only the holder of the key can tell apart from chance."""

import secrets
from hashlib import blake2b

_LENGTH = 16  # bytes; 32 hexadecimal digits


class Pseudonyms:
    """A keyed hash (BLAKE2, RFC 7693): the same name gives the same pseudonym, and no pseudonym gives its name."""

    def __init__(self, key: str) -> None:
        """Without a key a random one, which ends with the process."""
        self._key = blake2b(key.encode() or secrets.token_bytes(), digest_size=32).digest()

    def of(self, name: str) -> str:
        return blake2b(name.encode(), key=self._key, digest_size=_LENGTH).hexdigest()
