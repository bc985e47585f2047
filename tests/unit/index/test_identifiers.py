"""Article and model numbers in queries."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.identifiers import find_identifiers, is_gtin, normalise_identifier


def found(text: str) -> list[tuple[str, str]]:
    return [(identifier.kind, identifier.normalised) for identifier in find_identifiers(text)]


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        *(("4006381333931", "4006381333931"), ("ean 4 006381 333931", "4006381333931"), ("96385074", "96385074")),
        *(("0 36000 29145 2 soap", "036000291452"), ("9638-5074", "96385074"), ("10012345678902", "10012345678902")),
        *(("978-3-16-148410-0", "9783161484100"), ("４００６３８１３３３９３１", "4006381333931")),
        *(("iphone 12 4006381333931", "4006381333931"), ("墨盒4006381333931原装", "4006381333931")),
    ],
)
def test_a_gtin_is_found_by_its_check_digit(text: str, digits: str) -> None:
    assert found(text) == [("gtin", digits)]


@pytest.mark.parametrize(
    "text",
    ["4006381333932", "00000000", "sku4006381333931", "963 850 74", "1234567", "140063813339310", "96385074.5"],
)
def test_other_digits_are_no_gtin(text: str) -> None:
    assert not [kind for kind, _ in found(text) if kind == "gtin"]


@given(st.sampled_from([7, 11, 12, 13]).flatmap(lambda length: st.text("0123456789", min_size=length, max_size=length)))
def test_one_check_digit_in_ten_is_right(digits: str) -> None:
    right = [check for check in "0123456789" if is_gtin(digits + check)]
    assert len(right) == (1 if digits.strip("0") else 0)


@pytest.mark.parametrize(
    ("text", "normalised"),
    [
        *(("hp dv7-1211ea battery", "dv71211ea"), ("xerox 006R90321", "006r90321"), ("sony WH-1000XM4", "wh1000xm4")),
        *(("MacBookPro11,3 ssd", "macbookpro113"), ("华为p40pro手机壳", "p40pro"), ("RTX-3080", "rtx3080")),
        *(("MC123LL/A", "mc123lla"), ("ＷＨ－１０００ＸＭ４", "wh1000xm4"), ("EOS_5D", "eos5d")),
        *(("40Y7659", "40y7659"), ("0106B002", "0106b002"), ("HP-6730B", "hp6730b"), ("27B2H", "27b2h")),
    ],
)
def test_a_model_number_is_found(text: str, normalised: str) -> None:
    assert found(text) == [("model", normalised)]


@pytest.mark.parametrize(
    "text",
    [
        *("500gb", "27inch", "4k", "3d", "1080p", "2x", "5ghz", "100ml", "usb3", "mp3", "mp4", "a4", "i5", "3.5mm"),
        *("usb3.0", "usb-3.0", "1920x1080", "40x60cm", "27-inch", "2-in-1", "8gb/256gb", "4-port-hub", "h264"),
        *(
            "ddr5",
            "cat6",
            "ip68",
            "3-pack",
            "1st",
            "90s",
            "uk10",
            "5000mah",
            "50w-100w",
            "iphone 12",
            "size 50",
            "10x50",
        ),
    ],
)
def test_measures_and_standards_are_no_model_numbers(text: str) -> None:
    assert found(text) == []


def test_the_text_is_kept_as_written() -> None:
    (identifier,) = find_identifiers("Sony WH-1000XM4 black")
    assert identifier.text == "WH-1000XM4"


def test_ways_to_write_an_identifier_are_one() -> None:
    assert normalise_identifier("WH-1000 XM4") == normalise_identifier("wh1000xm4")
