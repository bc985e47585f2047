import io
import ipaddress
from collections.abc import Iterator
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from encoders.addresses import is_public
from encoders.fusion import ConcatFusion, WeightedFusion
from encoders.hash import HashEncoder
from encoders.image_downloads import parse_link
from encoders.image_sources import ImageSource
from encoders.images import ImageError, decode_image
from encoders.settings import ImageLimits, ImageSourceSettings
from encoders.unit import by_length, to_unit_vectors

PRIVATE = [
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.2.0/24",
    "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
]  # fmt: skip
PRIVATE_6 = ["::/127", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8", "2001:db8::/32", "64:ff9b:1::/48", "100::/64"]
ENCODER = HashEncoder()
LINK_PARTS = [
    "http://",
    "https:",
    "//",
    "xn--",
    "xn--a",
    "[",
    "]",
    "::1",
    ":",
    "@",
    "/",
    "?",
    "#",
    "%",
    "%00",
    ".",
    "\\",
    "data:",
    "file:",
    "ü",
    "。",
]
LINKS = st.one_of(
    st.text(),
    st.text().map("http://{}".format),
    st.lists(st.sampled_from(LINK_PARTS) | st.text(max_size=3)).map("".join),
)
VECTORS = arrays(np.float64, 8, elements=st.floats(-1, 1, width=16)).filter(lambda vector: np.abs(vector).max() > 0.01)


def inside(networks: list[str]) -> st.SearchStrategy[str]:
    return st.sampled_from(networks).flatmap(
        lambda network: st.ip_addresses(network=network, v=6 if ":" in network else 4).map(str)
    )


@given(inside(PRIVATE + PRIVATE_6))
def test_no_address_of_a_private_range_is_public(address: str) -> None:
    assert not is_public(address)


@given(inside(PRIVATE))
def test_a_private_address_stays_private_inside_ipv6(address: str) -> None:
    number = int(ipaddress.IPv4Address(address))
    mapped, compatible, nat64 = (ipaddress.IPv6Address(top << 32 | number) for top in (0xFFFF, 0, 0x64FF9B << 64))
    sixtofour = ipaddress.IPv6Address(0x2002 << 112 | number << 80 | 1)
    assert not any(is_public(str(wrapped)) for wrapped in (mapped, compatible, nat64, sixtofour))


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_means_the_same_inside_ipv6(address: ipaddress.IPv4Address) -> None:
    assert is_public(f"::ffff:{address}") == is_public(str(address)) == is_public(f"64:ff9b::{address}")


@given(arrays(np.float32, st.tuples(st.integers(0, 5), st.integers(1, 9)), elements=st.floats(-1e6, 1e6, width=32)))
def test_what_leaves_an_encoder_has_length_one(raw: np.ndarray) -> None:
    assume((np.abs(raw).max(axis=1, initial=0) > 1e-6).all())
    vectors = to_unit_vectors(raw, "m@1")
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)


@given(st.lists(st.integers(0, 1_000), max_size=50), st.integers(1, 9))
def test_every_position_is_in_one_batch(lengths: list[int], batch_size: int) -> None:
    batches = by_length(lengths, batch_size)
    assert sorted(position for batch in batches for position in batch) == list(range(len(lengths)))
    assert all(len(batch) <= batch_size for batch in batches)


@given(st.lists(st.text(st.characters(codec=None), max_size=60), max_size=8))
def test_hash_vectors_do_not_depend_on_the_batch_or_the_run(texts: list[str]) -> None:
    together = ENCODER.encode_texts(texts)
    alone = [HashEncoder().encode_texts([text])[0] for text in texts]
    assert all(np.array_equal(first, second) for first, second in zip(together, alone, strict=True))
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-6)


@given(st.binary(max_size=200), st.integers(0, 400), st.sampled_from(["JPEG", "PNG", "WEBP", "GIF", "BMP", "AVIF"]))
@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
def test_broken_bytes_give_a_picture_or_a_reason(noise: bytes, at: int, kind: str) -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (16, 16), "red").save(buffer, kind, exif=Image.Exif())
    data = buffer.getvalue()
    broken = data[:at] + noise + data[at + len(noise) :]
    with suppress(ImageError):
        assert decode_image(broken, ImageLimits(max_pixels=10_000)).mode == "RGB"


def unknown_host(host: str, port: int) -> list[str]:
    raise OSError(f"{host} is not known")


@pytest.fixture(scope="module")
def source() -> Iterator[ImageSource]:
    """No host is known to it."""
    with ImageSource(ImageSourceSettings(retries=0), resolve=unknown_host) as source:
        yield source


@given(link=LINKS)
@example(link="https://xn--/")
@example(link="http://xn--a")
def test_any_text_as_a_link_gives_bytes_or_a_reason(source: ImageSource, link: str) -> None:
    with suppress(ImageError):
        assert isinstance(source.fetch(link), bytes)


@given(LINKS)
@example("http:////]::")
def test_any_text_as_a_redirect_gives_a_link_or_a_reason(location: str) -> None:
    with suppress(ImageError):
        assert parse_link(location, base=parse_link("https://shop.example/a.jpg")).host


@given(VECTORS, VECTORS, VECTORS, VECTORS, st.floats(0.1, 5), st.floats(0.1, 5))
def test_the_product_of_concatenations_is_the_weighted_mean_of_products(
    text_1: np.ndarray, image_1: np.ndarray, text_2: np.ndarray, image_2: np.ndarray, weight_1: float, weight_2: float
) -> None:
    fusion = ConcatFusion({"text": 8, "image": 8}, {"text": weight_1, "image": weight_2})
    one, two, three, four = (to_unit_vectors(v[np.newaxis], "m@1")[0] for v in (text_1, image_1, text_2, image_2))
    fused = fusion.fuse({"text": one, "image": two}) @ fusion.fuse({"text": three, "image": four})
    expected = (weight_1 * (one @ three) + weight_2 * (two @ four)) / (weight_1 + weight_2)
    assert fused == pytest.approx(expected, abs=1e-4)


@given(VECTORS, st.floats(0.1, 5))
def test_one_vector_alone_stays_as_it_is(vector: np.ndarray, weight: float) -> None:
    unit = to_unit_vectors(vector[np.newaxis], "m@1")[0]
    np.testing.assert_allclose(WeightedFusion({"text": weight, "image": 1}).fuse({"text": unit}), unit, atol=1e-6)
