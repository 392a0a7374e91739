"""Embossed seals are found by light and shade alone; ink, print and photos are left."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from redactor import geometry
from redactor.finders.embossed import EmbossedSeals, ReliefRing, find_embossed
from redactor.page import Image, Kind

DPI = 150.0
MM = DPI / 25.4


def sheet(width_mm: float = 148, height_mm: float = 105, paper: int = 238) -> Image:
    """Paper with the noise of a scanner."""
    noise = np.random.default_rng(4).normal(0, 1.5, (round(height_mm * MM), round(width_mm * MM)))
    return np.repeat(np.clip(paper + noise, 0, 255).astype(np.uint8)[..., None], 3, axis=2)


def drawn(page: Image, x_mm: float, y_mm: float, size_mm: float) -> np.ndarray:
    """A seal's form as 0..1: ring, letters around, star."""
    form = np.zeros(page.shape[:2], np.uint8)
    centre, radius = (round(x_mm * MM), round(y_mm * MM)), round(size_mm * MM / 2)
    cv2.circle(form, centre, radius, (255,), max(2, round(0.8 * MM)), cv2.LINE_AA)
    for angle in np.linspace(0.9, 5.4, 9):
        x = centre[0] - 0.75 * radius * np.sin(angle)
        y = centre[1] + 0.75 * radius * np.cos(angle)
        at = (round(x - MM), round(y + MM))
        cv2.putText(form, "H", at, 0, radius / 190, (255,), 2, cv2.LINE_AA)
    cv2.drawMarker(form, centre, (255,), cv2.MARKER_STAR, radius // 2, 3)
    return form.astype(np.float32) / 255


def embossed(
    page: Image, x_mm: float, y_mm: float, size_mm: float, depth: float = 14, light: float = 45
) -> Image:
    """The page with a relief lit from `light` degrees, `depth` grey levels at its steepest."""
    form = cv2.GaussianBlur(drawn(page, x_mm, y_mm, size_mm), (0, 0), 0.15 * MM)
    gx, gy = cv2.Sobel(form, cv2.CV_32F, 1, 0), cv2.Sobel(form, cv2.CV_32F, 0, 1)
    angle = np.deg2rad(light)
    shade = gx * np.cos(angle) + gy * np.sin(angle)
    shade *= depth / np.abs(shade).max()
    return np.clip(page + shade[..., None], 0, 255).astype(np.uint8)


def inked(page: Image, x_mm: float, y_mm: float, size_mm: float, bgr: tuple[int, ...]) -> Image:
    form = drawn(page, x_mm, y_mm, size_mm)[..., None]
    return (page * (1 - form) + np.array(bgr) * form).astype(np.uint8)


def with_photo(page: Image) -> Image:
    """A portrait's tones, 25 x 35 mm at (20, 20): ground, head, dark shoulders."""
    out = page.copy()
    x0, y0, x1, y1 = (round(v * MM) for v in (20, 20, 45, 55))
    photo = np.full((y1 - y0, x1 - x0, 3), (170, 150, 120), np.uint8)
    middle = (x1 - x0) // 2
    cv2.ellipse(
        photo, (middle, round(33 * MM)), (middle, round(14 * MM)), 0, 0, 360, (60, 50, 45), -1
    )
    cv2.ellipse(photo, (middle, round(14 * MM)), (round(6 * MM), round(8 * MM)), 0, 0, 360,
                (130, 160, 205), -1)  # fmt: skip
    grain = np.random.default_rng(1).normal(0, 3, photo.shape)
    out[y0:y1, x0:x1] = np.clip(cv2.GaussianBlur(photo, (0, 0), 2) + grain, 0, 255)
    return out


def printed(page: Image) -> Image:
    out = page.copy()
    for row in range(12):
        at = (round(8 * MM), round((10 + 8 * row) * MM))
        cv2.putText(out, f"Graduated in 20{row} Q O O O 0 0", at, 0, 0.9, (20, 20, 20), 2)
    return out


def assert_one(found: EmbossedSeals, x_mm: float, y_mm: float, size_mm: float) -> None:
    (seal,) = found.sure
    assert seal.kind is Kind.SEAL
    assert found.doubtful == ()
    x0, y0, x1, y1 = geometry.bounds(seal.quad)
    half = size_mm / 2
    assert x0 <= (x_mm - half) * MM
    assert y0 <= (y_mm - half) * MM
    assert x1 >= (x_mm + half) * MM
    assert y1 >= (y_mm + half) * MM
    assert x1 - x0 <= (size_mm + 6) * MM


@pytest.mark.parametrize("light", [0, 45, 130, 200, 300])
def test_a_relief_is_found_from_wherever_the_light_comes(light: int) -> None:
    assert_one(find_embossed(embossed(sheet(), 70, 50, 42, light=light), DPI), 70, 50, 42)


@pytest.mark.parametrize("size", [20, 30, 38, 45])
@pytest.mark.parametrize("depth", [9, 20])
def test_sizes_and_depths(size: int, depth: int) -> None:
    assert_one(find_embossed(embossed(sheet(), 60, 50, size, depth), DPI), 60, 50, size)


def shaded(page: Image, darkest: float) -> Image:
    """The page in a shadow with a soft slanting edge that leaves `darkest` of the light."""
    ys, xs = np.mgrid[0 : page.shape[0], 0 : page.shape[1]]
    along = (xs / page.shape[1] - 0.5) + 0.4 * (ys / page.shape[0] - 0.5)
    light = 1 - (1 - darkest) / (1 + np.exp(-along / 0.06))
    return np.clip(page * light[..., None], 0, 255).astype(np.uint8)


@pytest.mark.parametrize("x", [40, 74, 108])
def test_a_relief_in_the_shade_is_found_like_one_in_the_light(x: int) -> None:
    page = embossed(sheet(), x, 50, 40, 9)
    assert_one(find_embossed(page, DPI), x, 50, 40)
    assert_one(find_embossed(shaded(page, 0.42), DPI), x, 50, 40)


@pytest.mark.parametrize("page", [sheet(), with_photo(sheet()), printed(with_photo(sheet()))])
def test_a_shadow_is_no_relief(page: Image) -> None:
    found = find_embossed(shaded(page, 0.45), DPI)
    assert (found.sure, found.doubtful) == ((), ())


@pytest.mark.parametrize(
    ("cover", "steady", "vote", "sure"),
    [(0.9, 0.9, 0.6, True), (0.72, 0.73, 0.72, True), (0.6, 0.6, 0.84, False),
     (0.9, 0.6, 0.84, False)],
)  # fmt: skip
def test_a_ring_that_stands_out_is_sure_with_few_votes(
    cover: float, steady: float, vote: float, sure: bool
) -> None:
    ring = ReliefRing(100, 100, 50, cover, steady, 0.7, 0.01, vote)
    assert ring.likeness >= 0.5
    assert ring.sure is sure


def test_a_seal_among_many_rings_is_found() -> None:
    """As on a sheet of portraits, whose collars and faces are rings, too."""
    page = sheet(210, 160)
    places = [(26 + 50 * (i % 4), 26 + 50 * (i // 4)) for i in range(12)]
    for x, y in places:
        page = embossed(page, x, y, 40)
    found = find_embossed(page, DPI).sure
    middles = [tuple(np.round(f.quad.mean(axis=0) / MM)) for f in found]
    assert len(middles) == len(places)
    assert all(any(abs(x - a) < 3 and abs(y - b) < 3 for a, b in middles) for x, y in places)


def test_over_the_edge_of_a_photo() -> None:
    page = embossed(with_photo(sheet()), 46, 52, 40, 24)
    assert_one(find_embossed(page, DPI), 46, 52, 40)


def test_a_pale_print_of_a_relief_is_found() -> None:
    assert_one(find_embossed(inked(sheet(), 70, 50, 40, (215, 215, 215)), DPI), 70, 50, 40)


def test_cut_at_the_edge_of_the_page() -> None:
    page = embossed(sheet(), 140, 50, 42, 18)
    (seal,) = find_embossed(page, DPI).sure
    x0, _, x1, _ = geometry.bounds(seal.quad)
    assert x0 <= 119 * MM
    assert x1 == page.shape[1]


@pytest.mark.parametrize("ink", [(30, 30, 200), (40, 40, 40), (190, 60, 40)])
def test_seals_of_ink_are_not_reliefs(ink: tuple[int, ...]) -> None:
    found = find_embossed(inked(sheet(), 70, 50, 42, ink), DPI)
    assert (found.sure, found.doubtful) == ((), ())


@pytest.mark.parametrize("page", [sheet(), with_photo(sheet()), printed(sheet()),
                                  printed(with_photo(sheet(paper=210)))])  # fmt: skip
def test_pages_without_a_relief_have_none(page: Image) -> None:
    found = find_embossed(page, DPI)
    assert (found.sure, found.doubtful) == ((), ())


def test_what_was_found_by_its_ink_is_not_found_again() -> None:
    page = embossed(sheet(), 70, 50, 42)
    known = geometry.rectangle(48 * MM, 28 * MM, 92 * MM, 72 * MM)
    assert find_embossed(page, DPI, [known]).sure == ()
    assert len(find_embossed(page, DPI, [known + 60 * MM]).sure) == 1


def test_a_page_too_small_to_tell() -> None:
    assert find_embossed(np.full((40, 900, 3), 240, np.uint8), DPI).sure == ()


@settings(max_examples=12, deadline=None)
@given(x=st.floats(25, 120), y=st.floats(25, 80), size=st.floats(24, 46), light=st.floats(0, 360))
def test_the_whole_disc_is_covered_wherever_it_is(
    x: float, y: float, size: float, light: float
) -> None:
    found = find_embossed(embossed(sheet(), x, y, size, 18, light), DPI)
    (seal,) = found.sure
    x0, y0, x1, y1 = geometry.bounds(seal.quad)
    half = size / 2
    assert x0 <= max(0, (x - half) * MM)
    assert y0 <= max(0, (y - half) * MM)
    assert x1 >= min(148, x + half) * MM - 1
    assert y1 >= min(105, y + half) * MM - 1
