import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.base import ContentHashes, IndexRefused, Tombstone
from index.limits import MAX_TEXT_BYTES, check_change, cut_keywords

TOKENS = st.lists(st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=30), max_size=30)


@given(TOKENS, st.sampled_from([1, 500, 3_000]))
def test_keywords_are_cut_after_whole_tokens(tokens: list[str], times: int) -> None:
    tokens = tokens * times
    cut = cut_keywords(" ".join(tokens))
    assert len(cut.encode()) <= MAX_TEXT_BYTES
    kept = cut.split(" ") if cut else []
    assert kept == tokens[: len(kept)]
    if len(kept) < len(tokens):
        assert len(cut.encode()) + 1 + len(tokens[len(kept)].encode()) > MAX_TEXT_BYTES


def test_one_endless_token_is_left_out() -> None:
    assert cut_keywords("x" * 70_000) == ""


@pytest.mark.parametrize(("product_id", "version"), [("", 1), ("\ud800", 1), ("é" * 401, 1), ("a", -1), ("a", 2**63)])
def test_a_deletion_needs_an_id_and_a_version_that_can_be_held(product_id: str, version: int) -> None:
    with pytest.raises(IndexRefused):
        check_change(Tombstone(product_id, version), {})


def test_what_fits_passes() -> None:
    check_change(Tombstone("é" * 400, 2**63 - 1), {})
    assert ContentHashes() == ContentHashes("", "", "")
