import grpc
import pytest
from pymilvus.exceptions import DataNotMatchException, MilvusException, ParamError

from index.base import IndexRefused, IndexUnavailable
from index.milvus_errors import is_connection_lost, is_not_loaded, translated


class Timeout(grpc.RpcError):  # type: ignore[misc]
    """gRPC raises subclasses of its own that cannot be built from outside."""


@pytest.mark.parametrize(
    "error",
    [
        MilvusException(6, "unknown field"),
        MilvusException(1100, "invalid parameter"),
        MilvusException(65535, "bad row", is_input_error=True),
        ParamError(message="no such parameter"),
        DataNotMatchException(message="a field is missing"),
        MilvusException(1, "Unexpected error, message=<cannot convert>"),
    ],
    ids=str,
)
def test_what_never_succeeds_is_refused(error: MilvusException) -> None:
    assert isinstance(translated(error, "http://m:1"), IndexRefused)


@pytest.mark.parametrize(
    "error",
    [
        MilvusException(2, "Fail connecting to server"),
        MilvusException(1, "no space left on device"),
        MilvusException(8, "rate limit"),
        MilvusException(101, "not loaded"),
        MilvusException(100, "collection not found"),
        MilvusException(grpc.StatusCode.UNAVAILABLE, "gone"),
        Timeout("deadline exceeded"),
    ],
    ids=str,
)
def test_what_may_succeed_later_is_unavailable_and_names_the_address(error: Exception) -> None:
    translation = translated(error, "http://m:1")
    assert isinstance(translation, IndexUnavailable)
    assert "http://m:1" in str(translation)


def test_the_two_errors_that_are_repaired_at_once_are_told_apart() -> None:
    assert is_not_loaded(MilvusException(101))
    assert not is_not_loaded(MilvusException(100))
    assert not is_not_loaded(Timeout())
    assert is_connection_lost(MilvusException(2))
    assert not is_connection_lost(MilvusException(101))
