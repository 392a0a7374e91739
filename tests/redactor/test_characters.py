"""Character extents are ordered, inside the line, and lie over the glyphs that were decoded."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redactor.characters import Decoded, extents, is_han

TEXT = st.text(alphabet="李明阿布都 abcXYZ0189，。·()-", min_size=1, max_size=30)


def decoded(text: str, centres: list[float]) -> Decoded:
    n = len(text)
    return Decoded(text, tuple(centres), (0.9,) * n, ((),) * n)


@st.composite
def lines(draw: st.DrawFn) -> tuple[Decoded, float, float]:
    """Any decoded line; centres ascend, as a decoder's columns do."""
    text = draw(TEXT)
    centres = sorted(draw(st.lists(st.floats(0, 1), min_size=len(text), max_size=len(text))))
    return decoded(text, centres), draw(st.floats(3, 4000)), draw(st.floats(3, 200))


@given(lines())
def test_extents_lie_inside_the_line_and_cover_both_ends(
    line: tuple[Decoded, float, float],
) -> None:
    found = extents(*line)
    assert len(found) == len(line[0].text)
    for start, end in found:
        assert 0 <= start <= 1
        assert 0 <= end <= 1
        assert start <= end
    assert found[0][0] == 0
    assert found[-1][1] == 1


@given(lines())
def test_middles_never_go_back(line: tuple[Decoded, float, float]) -> None:
    middles = [(a + b) / 2 for a, b in extents(*line)]
    thickness = 0.6 * line[2] / line[1]
    assert all(b >= a - thickness - 1 / line[1] for a, b in pairwise(middles))


@pytest.mark.parametrize("jitter", [0.0, 0.15, 0.2])
def test_evenly_set_han_glyphs_are_covered_despite_jitter(jitter: float) -> None:
    """Decoder columns jitter by up to 0.2 em; an edge may be off by an eighth of an em at most."""
    n, em = 12, 40.0
    signs = (1, -1, -1, 1, 1, -1, 1, -1, 1, -1, -1, 1)
    centres = [(i + 0.5 + jitter * s / 2) / n for i, s in enumerate(signs)]
    for i, (start, end) in enumerate(extents(decoded("同" * n, centres), n * em, em)):
        assert start * n == pytest.approx(i, abs=0.125)
        assert end * n == pytest.approx(i + 1, abs=0.125)


def test_a_letter_spaced_name_keeps_a_box_over_each_glyph() -> None:
    """李    明: two glyphs, 3 em apart; each box covers its glyph and not the other."""
    (a0, a1), (b0, b1) = extents(decoded("李明", [0.125, 0.875]), 160, 40)
    assert a0 == 0
    assert a1 >= 0.24
    assert b0 <= 0.76
    assert b1 == 1
    assert a1 < b0


def test_an_empty_line_has_no_extents() -> None:
    assert extents(decoded("", []), 100, 20) == []
    assert decoded("", []).score == 0


@pytest.mark.parametrize(("char", "han"), [("李", True), ("〇", True), ("a", False), ("·", False)])
def test_which_characters_are_full_width(char: str, han: bool) -> None:
    assert is_han(char) == han
