"""Which looks there are, and that the measured ones are new while each pair of their attributes is known."""

from itertools import combinations

from demo.drawn_shop.looks import COLOURS, KINDS, PATTERNS, Look, all_looks, split_looks


def _pairs(looks: tuple[Look, ...]) -> set[tuple[str, str]]:
    return {pair for look in looks for pair in combinations((look.kind, look.colour, look.pattern), 2)}


def test_there_are_640_looks_each_once() -> None:
    assert len(set(all_looks())) == len(all_looks()) == len(KINDS) * len(COLOURS) * len(PATTERNS) == 640


def test_the_split_takes_each_look_once() -> None:
    split = split_looks()
    assert sorted(map(str, split.trained + split.held_out)) == sorted(map(str, all_looks()))
    assert len(split.held_out) == 128


def test_each_kind_has_eight_held_out_looks() -> None:
    held_out = split_looks().held_out
    assert {kind: sum(look.kind == kind for look in held_out) for kind in KINDS} == dict.fromkeys(KINDS, 8)


def test_every_pair_of_attributes_is_seen_in_training() -> None:
    assert _pairs(split_looks().trained) == _pairs(all_looks())


def test_the_split_is_always_the_same() -> None:
    assert split_looks() == split_looks()
    assert split_looks().held_out[0] == Look("dress", "orange", "striped")
