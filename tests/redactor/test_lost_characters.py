"""A unit is found though a reader lost one of its characters and left its place open."""

from __future__ import annotations

import pytest

from redactor.finders.lost_characters import LOST, find_with_lost, with_lost
from redactor.page import Line
from tests.redactor.golden.boxes import identity, line, reading, texts

WHO = identity("彭思岚", "库尔勒市第三中学")
LONG = "男，工程师，就职于库尔勒市三中，主要从事初中数学教学"


def without(text: str, place: int) -> Line:
    """A line of which one character was not read."""
    whole = line(text)
    chars = whole.chars[:place] + whole.chars[place + 1 :]
    return Line(chars, whole.quad, whole.score)


@pytest.mark.parametrize("lost", "勒市三")
def test_a_short_form_of_which_a_stroke_faded(lost: str) -> None:
    faded = without(LONG, LONG.index(lost))
    (finding,) = find_with_lost(reading(faded), WHO)
    assert finding.text.startswith("库尔勒市三中".replace(lost, LOST))
    x0, x1 = finding.quad[:, 0].min(), finding.quad[:, 0].max()
    place = LONG.index("库")
    assert x0 <= 100 + 40 * place + 1
    assert x1 >= 100 + 40 * (place + 6) - 1


def test_two_rows_of_which_one_lost_a_character() -> None:
    first, second = "本人自二〇一二年起一直就职于库尔勒市", "三中，主要从事初中数学教学工作多年"
    faded = without(first, first.index("尔"))
    below = line(second, y=160)
    assert texts(list(find_with_lost(reading(faded, below), WHO))) == ["三中", f"库{LOST}勒市"]


@pytest.mark.parametrize(
    "text",
    [
        "男，工程师，就职于库尔勒市中，主要从事初中数学教学",
        "男，工程师，就职于库尔勒市　　　中，主要从事初中数学教学",
        "男，工程师，就职于库尔勒市，中间从事初中数学教学的工作",
        "库 尔 勒 市 中 小 学 教 育 工 作 会 议",
    ],
)
def test_print_without_a_lost_character_stays(text: str) -> None:
    whole = line(text)
    chars = tuple(char for char in whole.chars if char.text.strip())
    assert not list(find_with_lost(reading(Line(chars, whole.quad, whole.score)), WHO))


def test_what_was_read_whole_is_not_found_twice() -> None:
    text = LONG + "，成绩显著"
    faded = without(text, text.index("著") - 1)
    assert LOST in with_lost(faded).text
    assert not list(find_with_lost(reading(faded), WHO))
