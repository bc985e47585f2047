"""What pymilvus raises, in the words of the seam."""

import grpc  # type: ignore[import-untyped]
from pymilvus.exceptions import DataNotMatchException, MilvusException, ParamError

from index.base import IndexRefused, IndexUnavailable, VectorIndexError

PYMILVUS_ERRORS = (MilvusException, grpc.RpcError)

_CONNECTION_LOST = 2
_NOT_LOADED = 101
# A request that is wrong in itself: milvus-lite says 6, Milvus 1100 to 1199.
_REFUSALS = frozenset({6, *range(1100, 1200)})
_RAISED_IN_PYMILVUS = "Unexpected error, message=<"


def is_not_loaded(error: BaseException) -> bool:
    """A milvus-lite that was started again has its collections, but does not search them."""
    return isinstance(error, MilvusException) and error.code == _NOT_LOADED


def is_connection_lost(error: BaseException) -> bool:
    return isinstance(error, MilvusException) and error.code == _CONNECTION_LOST


def translated(error: BaseException, address: str) -> VectorIndexError:
    """IndexRefused for what will never succeed, else IndexUnavailable."""
    if isinstance(error, MilvusException):
        refused = (
            error.is_input_error
            or error.code in _REFUSALS
            or isinstance(error, ParamError | DataNotMatchException)
            or error.message.startswith(_RAISED_IN_PYMILVUS)
        )
        if refused:
            return IndexRefused(error.message[:500])
        return IndexUnavailable(f"Milvus at {address}: {error.message[:500]} (code {error.code})")
    reason = error.details() if isinstance(error, grpc.Call) else error  # the whole text has five lines
    return IndexUnavailable(f"Milvus at {address}: {reason}")
