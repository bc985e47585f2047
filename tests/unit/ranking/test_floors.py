"""Which floor a model has."""

from math import inf

from ranking.matching import image_floor, text_floor


def test_a_model_that_comes_with_millrace_has_what_was_measured_whatever_its_build() -> None:
    assert text_floor("all-MiniLM-L6-v2@53aa5117+bfloat16", None) == text_floor("all-MiniLM-L6-v2@0", None) > 0
    assert image_floor("drawn-clip@00ab791c", None) > 0


def test_another_model_has_none_unless_the_settings_say_one() -> None:
    assert text_floor("e5@1", None) == image_floor("SigLIP2@1", None) == -inf
    assert text_floor("e5@1", 0.8) == image_floor("drawn-clip@1", 0.8) == 0.8
