import time

import httpcore
import pytest

from encoders.addresses import GuardedBackend, is_public, resolve_host
from encoders.images import ImageError, ImageFailure

NOWHERE = "192.0.2.1"  # reserved for documentation: nothing answers


def soon() -> float:
    return time.monotonic() + 0.2


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_addresses_of_the_internet_are_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "0.0.0.0", "10.1.2.3", "169.254.169.254", "100.100.100.200", "224.0.0.1", "255.255.255.255", "::",  # noqa: S104
        "::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::",
        "fe80::1", "fe80::1%eth0", "fd00:ec2::254", "ff02::1",
    ],
)  # fmt: skip
def test_every_other_address_is_not(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "127.1", "0", "localhost", "::1", "::"]
)
def test_no_spelling_of_this_machine_passes(host: str) -> None:
    backend = GuardedBackend(allowed=())
    with pytest.raises(ImageError) as refused:
        backend.connect_tcp(host, 80, time.monotonic() + 10)
    assert refused.value.reason is ImageFailure.PRIVATE_ADDRESS
    backend.close()


def test_one_private_address_among_public_ones_is_enough() -> None:
    backend = GuardedBackend(allowed=(), resolve=lambda host, port: ["8.8.8.8", "10.0.0.1"])
    with pytest.raises(ImageError, match=r"shop\.test is 10\.0\.0\.1, not a public address"):
        backend.connect_tcp("shop.test", 443, soon())
    backend.close()


def test_a_name_is_resolved_once_and_that_answer_is_connected_to() -> None:
    answers = iter([[NOWHERE], ["127.0.0.1"]])
    asked: list[str] = []

    def rebinding(host: str, port: int) -> list[str]:
        asked.append(host)
        return next(answers)

    backend = GuardedBackend(allowed=("shop.test",), resolve=rebinding)
    with pytest.raises((httpcore.ConnectTimeout, httpcore.ConnectError)):
        backend.connect_tcp("shop.test", 80, soon())
    assert asked == ["shop.test"]
    backend.close()


def test_a_host_allowed_on_one_port_is_not_allowed_on_another() -> None:
    backend = GuardedBackend(allowed=("localhost:81", "[::1]:81"), resolve=resolve_host)
    for host in ("localhost", "::1"):
        with pytest.raises(httpcore.ConnectError):
            backend.connect_tcp(host, 81, soon())
        with pytest.raises(ImageError) as refused:
            backend.connect_tcp(host, 82, soon())
        assert refused.value.reason is ImageFailure.PRIVATE_ADDRESS
    backend.close()


@pytest.mark.parametrize("host", ["no-such-host.invalid", "a" * 64 + ".test"])
def test_a_name_without_address_is_unreachable(host: str) -> None:
    backend = GuardedBackend(allowed=())
    with pytest.raises(ImageError) as refused:
        backend.connect_tcp(host, 80, time.monotonic() + 10)
    assert refused.value.reason is ImageFailure.UNREACHABLE
    backend.close()
