"""A lifted seal leaves the print readable and nothing of itself; a bad lift is refused."""

from __future__ import annotations

from functools import cache
from random import Random

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rapidfuzz.distance import Levenshtein

from redactor.finders.seal_text import names_unit, read_strip, seal_strips
from redactor.finders.seals import SealRegion, find_seals
from redactor.geometry import bounds
from redactor.identity import Identity
from redactor.lifting import lift, residue
from redactor.page import Image
from redactor.reading import shared_reader
from redactor.unit_forms import unit_terms
from sample_scans.canvas import RED, Canvas, Style
from sample_scans.fonts import Fonts
from sample_scans.marks import seal

DPI = 200
UNIT, OTHER = "巴音郭楞蒙古自治州林业和草原局", "库尔勒市种苗管理站"
OWN = Identity(1, tuple(unit_terms(UNIT, "unit")))
FONTS = Fonts(debian=False)
ROWS = ("开展防风固沙林营造技术研究", "三年完成造林面积一千二百亩", "苗木成活率达到百分之九十二")
BLUE, GREY = (40, 60, 160), (120, 120, 120)


def stamped(
    unit: str = UNIT,
    colour: tuple[int, int, int] = RED,
    shape: str = "round",
    rows: tuple[str, ...] = ROWS,
    paper: tuple[int, int, int] = (253, 252, 250),
    grain: float = 2.0,
) -> Image:
    """A page at 200 dpi with a seal over three lines of print, softened, from a JPEG."""
    canvas = Canvas(FONTS, Random(1), DPI, 100, 80, paper)
    for row, text in enumerate(rows):
        canvas.line(20, 28 + 10 * row, text, Style("song", 12))
    seal(canvas, 50, 40, unit, 1, shape, 38, colour, turn=20)
    rgb = np.asarray(canvas.image, np.uint8)
    noise = np.random.default_rng(2).normal(0, grain, rgb.shape[:2])[:, :, None]
    soft = cv2.GaussianBlur(rgb[:, :, ::-1], (0, 0), 0.6)
    pixels = np.clip(soft + noise, 0, 255).astype(np.uint8)
    return np.asarray(cv2.imdecode(cv2.imencode(".jpg", pixels)[1], cv2.IMREAD_COLOR), np.uint8)


def the_seal(pixels: Image) -> SealRegion:
    (region,) = find_seals(pixels, DPI)
    return region


@cache
def page_and_lift(colour: tuple[int, int, int], shape: str) -> tuple[Image, SealRegion, Image]:
    """(the page, its seal, the page without it)."""
    pixels = stamped(colour=colour, shape=shape)
    region = the_seal(pixels)
    lifted = lift(pixels, region)
    assert lifted is not None
    return pixels, region, lifted.pixels


def read(picture: Image) -> str:
    return read_strip(shared_reader(), picture)


def unread(picture: Image) -> str:
    raise AssertionError("read although nothing was left")


KINDS = [(RED, "round"), (RED, "oval"), (RED, "square"), (BLUE, "round")]


@pytest.mark.parametrize(("colour", "shape"), KINDS)
def test_print_under_a_lifted_seal_is_read_and_the_seal_is_not(
    colour: tuple[int, int, int], shape: str
) -> None:
    pixels, region, lifted = page_and_lift(colour, shape)
    wanted = "".join(ROWS)
    text = read(lifted).replace(" ", "")
    assert Levenshtein.distance(text, wanted) <= 2
    for strip, _ in seal_strips(lifted, region):
        assert not names_unit(read(strip), OWN)
    assert residue(pixels, lifted, region, read) is None


def test_the_reader_does_find_the_unit_before_the_lift() -> None:
    pixels, region, _ = page_and_lift(RED, "round")
    assert any(names_unit(read(strip), OWN) for strip, _ in seal_strips(pixels, region))


@pytest.mark.parametrize(("colour", "shape"), KINDS)
@pytest.mark.parametrize("removed", [0.7, 0.9, 0.97])
def test_a_lift_that_leaves_ink_is_refused(
    colour: tuple[int, int, int], shape: str, removed: float
) -> None:
    pixels, region, lifted = page_and_lift(colour, shape)
    bad = np.round(pixels * (1 - removed) + lifted * removed).astype(np.uint8)
    assert residue(pixels, bad, region, read) is not None


@pytest.mark.parametrize("channel", [0, 1, 2])
def test_a_trace_in_one_channel_alone_is_refused(channel: int) -> None:
    pixels, region, lifted = page_and_lift(RED, "round")
    bad = lifted.copy()
    ink = pixels[:, :, 2] > pixels[:, :, 1].astype(int) + 60
    bad[:, :, channel] = np.where(ink, lifted[:, :, channel] - 12, lifted[:, :, channel])
    assert residue(pixels, bad, region, read) is not None


def test_ring_text_kept_as_black_print_is_refused() -> None:
    """On dim paper, where no channel is clipped, so that only the strokes' shape tells."""
    pixels = stamped(paper=(215, 214, 212))
    region = the_seal(pixels)
    lifted = lift(pixels, region)
    assert lifted is not None
    bad = lifted.pixels.copy()
    bad[(pixels[:, :, 2] > pixels[:, :, 1].astype(int) + 60) & (bad[:, :, 1] > 160)] -= 150
    assert residue(pixels, bad, region, read) is not None


def test_an_untouched_page_is_refused() -> None:
    pixels, region, _ = page_and_lift(RED, "round")
    assert residue(pixels, pixels, region, read) is not None


@settings(max_examples=8, deadline=None)
@given(
    paper=st.tuples(*[st.integers(225, 253)] * 3),
    strength=st.integers(0, 3),
    units=st.permutations([UNIT, OTHER, "新疆农业大学", "尉犁县国有林管理局"]),
)
def test_nothing_tells_whose_seal_was_lifted_from_bare_paper(
    paper: tuple[int, int, int], strength: int, units: list[str]
) -> None:
    """Two seals with different text in the same place leave the very same pixels."""
    one, other = (stamped(unit, rows=(), paper=paper, grain=float(strength)) for unit in units[:2])
    region = the_seal(one)
    x0, y0, x1, y1 = (int(v) for v in bounds(region.quad))
    # The same surroundings for both, which the two JPEGs differ in by the ripples of their rings.
    frame = np.ones(one.shape[:2], bool)
    frame[y0 : y1 + 1, x0 : x1 + 1] = False
    other[frame] = one[frame]
    first, second = lift(one, region), lift(other, region)
    assert first is not None
    assert second is not None
    assert np.array_equal(first.pixels, second.pixels)
    assert residue(one, first.pixels, region, unread) is None


def test_pixels_beside_the_seal_stay() -> None:
    pixels, region, lifted = page_and_lift(RED, "round")
    x0, y0, x1, y1 = (int(v) for v in bounds(region.quad))
    changed = (pixels != lifted).any(axis=2)
    changed[max(0, y0 - 1) : y1 + 2, max(0, x0 - 1) : x1 + 2] = False
    assert not changed.any()
    assert (pixels != lifted).any()


def test_grey_and_black_seals_cannot_be_lifted() -> None:
    for colour in (GREY, (30, 30, 30)):
        pixels = stamped(colour=colour)
        assert lift(pixels, the_seal(pixels)) is None


def test_a_seal_on_a_coloured_ground_cannot_be_lifted() -> None:
    pixels, region, _ = page_and_lift(RED, "round")
    pink = np.minimum(pixels, np.array([150, 150, 255], np.uint8))
    assert lift(pink, region) is None


def test_a_seal_on_a_picture_cannot_be_lifted() -> None:
    pixels, region, _ = page_and_lift(RED, "round")
    dim = pixels.copy()
    x0, y0, x1, y1 = (int(v) for v in bounds(region.quad))
    dim[y0 : (y0 + y1) // 2, x0:x1] //= 4
    assert lift(dim, region) is None
