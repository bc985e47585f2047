import pytest

from encoders.scripts import Script, mostly_in


@pytest.mark.parametrize(
    ("text", "scripts", "expected"),
    [
        ("red shoes", ("latin",), True),
        ("Größe überall, ñandú", ("latin",), True),
        ("红色运动鞋", ("latin",), False),
        ("红色运动鞋", ("latin", "han"), True),
        ("iPhone 15 手机壳", ("latin",), True),
        ("手机壳 iPhone", ("han",), False),
        ("красные кроссовки", ("latin", "han"), False),
        ("חולצה", ("latin",), False),
        ("ひらがな カタカナ", ("han",), False),
        ("ＦＵＬＬ ｗｉｄｔｈ", ("latin",), True),
        ("🙂 4711 !!", ("latin",), True),
        ("", ("latin",), True),
        ("คีย์บอร์ด", (), True),
    ],
)
def test_half_of_the_letters_decide(text: str, scripts: tuple[Script, ...], expected: bool) -> None:
    assert mostly_in(text, scripts) is expected
