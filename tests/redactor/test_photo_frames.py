"""A photo in which no face was found must be reported, never passed in silence."""

from __future__ import annotations

import numpy as np
import pytest

from redactor.finders.photo_frames import (
    find_empty_photo_frames,
    id_photo_likeness,
    is_photo_label,
)
from redactor.finders.pictures import Picture
from redactor.geometry import rectangle
from redactor.page import Finding, Image, Kind, Line

DPI = 200.0
PAGE: Image = np.full((2339, 1654, 3), 255, np.uint8)


def photo(x_mm: float, y_mm: float, w_mm: float, h_mm: float, fill: float = 0.9) -> Picture:
    x0, y0, x1, y1 = (round(v / 25.4 * DPI) for v in (x_mm, y_mm, x_mm + w_mm, y_mm + h_mm))
    return Picture(x0, y0, x1, y1, fill)


def line(text: str, x_mm: float, y_mm: float) -> Line:
    x, y = x_mm / 25.4 * DPI, y_mm / 25.4 * DPI
    return Line((), rectangle(x, y, x + 80, y + 30), 0.9) if not text else _spelt(text, x, y)


def _spelt(text: str, x: float, y: float) -> Line:
    from redactor.page import Char

    chars = tuple(
        Char(c, rectangle(x + 30 * i, y, x + 30 * i + 30, y + 30), 0.9) for i, c in enumerate(text)
    )
    return Line(chars, rectangle(x, y, x + 30 * len(text), y + 30), 0.9)


@pytest.mark.parametrize("size", [(25, 35), (35, 49), (33, 48), (26, 32), (35, 25)])
def test_id_photo_without_face_is_reported(size: tuple[int, int]) -> None:
    picture = photo(150, 30, *size)
    (found,) = find_empty_photo_frames(PAGE, DPI, (), pictures=[picture])
    assert found.kind is Kind.FACE
    assert 0.5 <= found.score <= 1
    assert np.array_equal(found.quad, picture.quad)


def test_photo_with_a_face_is_not_reported() -> None:
    picture = photo(150, 30, 25, 35)
    eyes = Finding(Kind.EYES, picture.quad, "", 0.9, "", "faces")
    assert find_empty_photo_frames(PAGE, DPI, [eyes], pictures=[picture]) == ()


def test_face_elsewhere_does_not_excuse_a_photo() -> None:
    picture = photo(150, 30, 25, 35)
    eyes = Finding(Kind.EYES, photo(20, 200, 20, 10).quad, "", 0.9, "", "faces")
    assert len(find_empty_photo_frames(PAGE, DPI, [eyes], pictures=[picture])) == 1


@pytest.mark.parametrize(
    "picture",
    [
        photo(20, 30, 120, 160),
        photo(20, 30, 8, 11),
        photo(20, 30, 40, 40),
        photo(20, 30, 60, 15),
        photo(20, 30, 25, 35, fill=0.2),
    ],
)
def test_other_pictures_are_left(picture: Picture) -> None:
    assert id_photo_likeness(picture, DPI) == 0.0
    assert find_empty_photo_frames(PAGE, DPI, (), pictures=[picture]) == ()


def test_label_makes_any_picture_a_photo_frame() -> None:
    picture = photo(140, 30, 40, 40, fill=0.3)
    near, far = line("贴照片处", 150, 72), line("照片", 20, 200)
    assert len(find_empty_photo_frames(PAGE, DPI, (), [near], [picture])) == 1
    assert find_empty_photo_frames(PAGE, DPI, (), [far], [picture]) == ()


def test_cell_with_a_label_and_no_picture_is_left() -> None:
    assert find_empty_photo_frames(PAGE, DPI, (), [line("照 片", 150, 40)]) == ()


def test_photo_on_the_pixels_is_found() -> None:
    page = PAGE.copy()
    rng = np.random.default_rng(3)
    coarse = rng.integers(30, 170, (7, 5, 1), dtype=np.uint8)
    page[200:476, 1200:1397] = np.kron(coarse, np.ones((40, 40, 3), np.uint8))[:276, :197]
    assert len(find_empty_photo_frames(page, DPI, ())) == 1


@pytest.mark.parametrize("text", ["照片", "照 片", "贴照片处", "近期一寸免冠", "相片"])
def test_labels(text: str) -> None:
    assert is_photo_label(text)


@pytest.mark.parametrize("text", ["姓名", "会议的照片由办公室统一整理后上报归档", "时间"])
def test_no_labels(text: str) -> None:
    assert not is_photo_label(text)
