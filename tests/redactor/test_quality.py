"""Flags must say what a clerk would say of the page, and stay silent on a good one."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from redactor.geometry import rectangle
from redactor.page import Char, Image, Line, Reading
from redactor.quality import (
    BLURRED_BELOW,
    BLURRED_PHOTO_BELOW,
    FLAGS,
    Quality,
    assess,
    quality_of,
    quality_values,
)


def sheet(paper: int = 245, ink: int = 30, size: tuple[int, int] = (1654, 1169)) -> Image:
    page = np.full(size, paper, np.uint8)
    for y in range(80, size[0] - 60, 44):
        words = "Certificate of continuing education 2024 No 0815"
        cv2.putText(page, words, (80, y), cv2.FONT_HERSHEY_SIMPLEX, 0.9, ink, 2, cv2.LINE_AA)
    return np.dstack([page] * 3)


def reading(
    *boxes: tuple[float, float, float, float],
    size: tuple[int, int],
    rotation: int = 0,
    score: float = 0.9,
) -> Reading:
    lines = []
    for box in boxes:
        quad = rectangle(*box)
        lines.append(Line((Char("字", quad, score),) * 3, quad, score))
    return Reading(lines=tuple(lines), cells=(), size=size, rotation=rotation, reader="test")


def lines_of(page: Image, rotation: int = 0, score: float = 0.9) -> Reading:
    """What a reader finds on a `sheet`: its rows."""
    rows = range(80, page.shape[0] - 60, 44)
    boxes = [(80.0, y - 24.0, 850.0, y + 8.0) for y in rows]
    return reading(*boxes, size=(page.shape[1], page.shape[0]), rotation=rotation, score=score)


def test_a_good_page_has_no_flags() -> None:
    quality = assess(sheet(), 150)
    assert quality.flags == ()
    assert quality.sharpness > 0.7
    assert quality.dpi == 150


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


def test_text_that_is_large_enough_outweighs_a_guessed_resolution() -> None:
    page = sheet(size=(640, 900))
    assert "small" in assess(page, 76).flags
    assert "small" not in assess(page, 76, lines_of(page)).flags


def test_a_one_inch_photo_is_not_too_small_but_its_thumbnail_is() -> None:
    photo = cv2.resize(sheet(), (295, 413), interpolation=cv2.INTER_AREA)
    assert "small" not in assess(photo, 300, reading(size=(295, 413))).flags
    thumbnail = cv2.resize(photo, (100, 140), interpolation=cv2.INTER_AREA)
    assert "small" in assess(thumbnail, 100, reading(size=(100, 140))).flags


def test_cropped_needs_three_lines_at_one_edge() -> None:
    size = (1169, 1654)
    at_edge = [(0.0, y, 400.0, y + 30.0) for y in (100, 200, 300)]
    assert "cropped" in assess(sheet(), 150, reading(*at_edge, size=size)).flags
    assert "cropped" not in assess(sheet(), 150, reading(*at_edge[:2], size=size)).flags
    # The upper and the lower edge cut one line all along, or a few words of the same line.
    for top, bottom in ((0.0, 17.0), (1640.0, 1654.0)):
        whole = (100.0, top, 1000.0, bottom)
        words = [(x, top, x + 130.0, bottom) for x in (100.0, 400.0)]
        assert "cropped" in assess(sheet(), 150, reading(whole, size=size)).flags
        assert "cropped" in assess(sheet(), 150, reading(*words, words[1], size=size)).flags
        assert "cropped" not in assess(sheet(), 150, reading(words[0], size=size)).flags
    inside = [(60.0, y, 400.0, y + 30.0) for y in (100, 200, 300)]
    assert "cropped" not in assess(sheet(), 150, reading(*inside, size=size)).flags


@settings(max_examples=15, deadline=None)
@given(st.integers(8, 300), st.integers(8, 300), st.integers(0, 255), st.floats(1, 1200))
def test_figures_stay_in_their_ranges(rows: int, columns: int, level: int, dpi: float) -> None:
    quality = assess(np.full((rows, columns, 3), level, np.uint8), dpi)
    assert 0 <= quality.sharpness <= 1
    assert set(quality.flags) <= set(FLAGS)
    assert 0 <= quality.figures["ink_share"] <= 1


@pytest.mark.parametrize(
    ("rotation", "flag"), [(180, "upside_down"), (90, "sideways"), (270, "sideways")]
)
def test_a_page_that_had_to_be_turned(rotation: int, flag: str) -> None:
    page = sheet()
    quality = assess(page, 150, lines_of(page, rotation))
    assert quality.flags == (flag,)
    assert quality.figures["rotation"] == rotation
    assert assess(page, 150, lines_of(page)).flags == ()


def test_what_could_not_be_read_proves_no_direction() -> None:
    page = sheet()
    assert assess(page, 150, lines_of(page, 180, score=0.5)).flags == ()
    one = reading((100, 100, 400, 130), size=(1169, 1654), rotation=180)
    assert assess(page, 150, one).flags == ()


def test_a_soft_portrait_is_not_blurred_but_the_same_softness_of_text_is() -> None:
    soft = cv2.GaussianBlur(sheet(), (0, 0), 3.4)
    assert BLURRED_PHOTO_BELOW < assess(soft, 150).sharpness < BLURRED_BELOW
    assert "blurred" in assess(soft, 150, lines_of(soft)).flags
    empty = reading(size=(1169, 1654))
    assert "blurred" not in assess(soft, 150, empty).flags
    assert "blurred" in assess(cv2.GaussianBlur(soft, (0, 0), 8), 150, empty).flags


def test_a_dark_suit_is_no_negative() -> None:
    negative = np.asarray(255 - sheet(), np.uint8)
    assert "negative" in assess(negative, 150, lines_of(negative)).flags
    assert "negative" not in assess(negative, 150, reading(size=(1169, 1654))).flags


def test_a_negative_is_told_from_a_dark_page_and_from_a_dark_photo() -> None:
    negative = np.asarray(255 - sheet(), np.uint8)
    negative[:1100] = 10  # little print: nine tenths of the page are dark
    assert assess(negative, 150).flags == ("negative",)
    assert assess(sheet(paper=80, ink=5), 150).flags == ("dark",)
    rng = np.random.default_rng(3)
    noise = rng.integers(0, 170, (207, 146), np.uint8)
    photo = np.dstack([cv2.resize(noise, (1169, 1654), interpolation=cv2.INTER_NEAREST)] * 3)
    assert "negative" not in assess(np.asarray(photo, np.uint8), 150).flags


def tinted(page: Image, paper: tuple[int, int, int]) -> Image:
    """The page under light of a colour, BGR of what is white."""
    return np.asarray(np.rint(page * (np.array(paper) / 255)), np.uint8)


def test_a_colour_cast_but_not_coloured_paper_or_a_red_cover() -> None:
    page = sheet()
    lamp = tinted(page, (110, 190, 255))
    quality = assess(lamp, 150, lines_of(page))
    assert quality.flags == ("colour_cast",)
    assert quality.figures["saturation"] == pytest.approx(1 - 110 / 255, abs=0.03)
    pink = tinted(page, (205, 190, 255))
    assert assess(pink, 150, lines_of(page)).flags == ()
    # Gold letters on a red cover: few lines, and dark only in the grey picture.
    cover = np.full((1654, 1169, 3), (40, 30, 170), np.uint8)
    cv2.putText(cover, "Zhengshu", (200, 700), cv2.FONT_HERSHEY_SIMPLEX, 4, (90, 190, 235), 12)
    few = reading((200, 600, 900, 720), (200, 900, 900, 960), size=(1169, 1654))
    assert set(assess(cover, 150, few).flags) <= {"overexposed"}


def test_a_grey_copy_is_no_fault() -> None:
    grey = np.dstack([cv2.cvtColor(sheet(), cv2.COLOR_BGR2GRAY)] * 3)
    assert assess(grey, 150, lines_of(sheet())).flags == ()


@given(
    st.floats(0, 1),
    st.integers(1, 1200),
    st.lists(st.sampled_from(FLAGS), unique=True),
    st.dictionaries(st.sampled_from(["paper", "width", "rotation"]), st.integers(0, 5000)),
)
def test_values_come_back_from_the_report(
    sharp: float, dpi: int, flags: list[str], figures: dict[str, int]
) -> None:
    quality = Quality(round(sharp, 3), dpi, tuple(flags), figures)
    assert quality_of(quality_values(quality)) == quality


def test_a_failed_page_has_no_quality() -> None:
    assert quality_of({}) == Quality(0.0, 0.0)
