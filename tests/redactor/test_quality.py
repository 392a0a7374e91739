"""Flags must say what a clerk would say of the page, and stay silent on a good one."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from redactor.geometry import rectangle
from redactor.page import Char, Image, Line, Reading
from redactor.quality import BLURRED_BELOW, FLAGS, Quality, advice, assess


def sheet(paper: int = 245, ink: int = 30, size: tuple[int, int] = (1654, 1169)) -> Image:
    page = np.full(size, paper, np.uint8)
    for y in range(80, size[0] - 60, 44):
        words = "Certificate of continuing education 2024 No 0815"
        cv2.putText(page, words, (80, y), cv2.FONT_HERSHEY_SIMPLEX, 0.9, ink, 2, cv2.LINE_AA)
    return np.dstack([page] * 3)


def reading(*boxes: tuple[float, float, float, float], size: tuple[int, int]) -> Reading:
    lines = []
    for box in boxes:
        quad = rectangle(*box)
        lines.append(Line((Char("字", quad, 0.9),), quad, 0.9))
    return Reading(lines=tuple(lines), cells=(), size=size, rotation=0, reader="test")


def test_a_good_page_has_no_flags() -> None:
    quality = assess(sheet(), 150)
    assert quality.flags == ()
    assert quality.sharpness > 0.7
    assert quality.dpi == 150
    assert advice(quality) == ()


def test_sharpness_falls_with_blur_until_the_flag() -> None:
    page = sheet()
    figures = [assess(page, 150).sharpness]
    figures += [assess(cv2.GaussianBlur(page, (0, 0), s), 150).sharpness for s in (1, 2, 3, 4)]
    assert figures == sorted(figures, reverse=True)
    assert figures[2] > BLURRED_BELOW > figures[4]
    assert assess(cv2.GaussianBlur(page, (0, 0), 5), 150).flags == ("blurred",)


def test_moved_pages_are_blurred_too() -> None:
    kernel = np.full((1, 17), 1 / 17)
    assert "blurred" in assess(cv2.filter2D(sheet(), -1, kernel), 150).flags


def test_noise_does_not_pass_for_sharpness() -> None:
    page = cv2.GaussianBlur(sheet(), (0, 0), 5).astype(np.float64)
    page += np.random.default_rng(1).normal(0, 2, page.shape)
    assert "blurred" in assess(np.clip(page, 0, 255).astype(np.uint8), 150).flags


@pytest.mark.parametrize(
    ("page", "flag"),
    [
        (sheet(paper=80, ink=5), "dark"),
        (sheet(paper=255, ink=200), "overexposed"),
        (np.full((1654, 1169, 3), 250, np.uint8), "blank"),
    ],
)
def test_light(page: Image, flag: str) -> None:
    assert assess(page, 150).flags == (flag,)


def test_a_blank_page_may_be_grained_and_have_an_edge() -> None:
    page = np.full((1654, 1169, 3), 240, np.float64)
    page += np.random.default_rng(2).normal(0, 5, page.shape)
    page[:, :12] = 30
    clipped = np.clip(page, 0, 255).astype(np.uint8)
    assert "blank" in assess(clipped, 150).flags
    cv2.putText(clipped, "Zhang", (400, 800), cv2.FONT_HERSHEY_SIMPLEX, 1.2, (30, 30, 30), 3)
    assert "blank" not in assess(clipped, 150).flags


def test_small() -> None:
    assert "small" in assess(sheet(), 80).flags
    assert "small" in assess(sheet()[:380], 150).flags
    size = (1169, 1654)
    low = reading((100, 100, 400, 111), (100, 140, 400, 151), size=size)
    assert "small" in assess(sheet(), 150, low).flags
    assert "small" not in assess(sheet(), 150, reading((100, 100, 400, 130), size=size)).flags
    # The height of a vertical line is its narrow side.
    assert "small" in assess(sheet(), 150, reading((100, 100, 110, 500), size=size)).flags


def test_cropped_needs_three_lines_at_one_edge() -> None:
    size = (1169, 1654)
    at_edge = [(0.0, y, 400.0, y + 30.0) for y in (100, 200, 300)]
    assert "cropped" in assess(sheet(), 150, reading(*at_edge, size=size)).flags
    assert "cropped" not in assess(sheet(), 150, reading(*at_edge[:2], size=size)).flags
    inside = [(60.0, y, 400.0, y + 30.0) for y in (100, 200, 300)]
    assert "cropped" not in assess(sheet(), 150, reading(*inside, size=size)).flags


@settings(max_examples=15, deadline=None)
@given(st.integers(8, 300), st.integers(8, 300), st.integers(0, 255), st.floats(1, 1200))
def test_figures_stay_in_their_ranges(rows: int, columns: int, level: int, dpi: float) -> None:
    quality = assess(np.full((rows, columns, 3), level, np.uint8), dpi)
    assert 0 <= quality.sharpness <= 1
    assert set(quality.flags) <= set(FLAGS)
    assert 0 <= quality.figures["ink_share"] <= 1


def test_every_flag_has_a_sentence_with_a_remedy() -> None:
    for sentence in advice(Quality(0.1, 80, FLAGS, {})):
        assert sentence.zh.endswith("。") and "请" in sentence.zh
        assert sentence.en.endswith(".")
    assert len(advice(Quality(0.1, 80, FLAGS, {}))) == len(FLAGS)
