"""A photo in which no face was found must be reported, never passed in silence."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from redactor.finders.photo_frames import (
    find_empty_photo_frames,
    find_false_codes,
    id_photo_likeness,
    is_photo_label,
    masked_share,
    widest_gap,
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


def test_the_rest_of_a_portrait_whose_face_was_found_is_left() -> None:
    """A fax breaks a portrait at the white of the neck; the shoulders are a picture then."""
    eyes = Finding(Kind.EYES, photo(152, 40, 18, 8).quad, "", 0.9, "", "faces")
    shoulders, beside = photo(148, 53, 25, 18), photo(176, 53, 25, 18)
    assert find_empty_photo_frames(PAGE, DPI, [eyes], pictures=[shoulders]) == ()
    assert len(find_empty_photo_frames(PAGE, DPI, [], pictures=[shoulders])) == 1
    assert len(find_empty_photo_frames(PAGE, DPI, [eyes], pictures=[beside])) == 1


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


def test_picture_full_of_legible_text_is_left() -> None:
    """A plaque, or a shaded cell: text across all of it leaves no room for a portrait."""
    picture = photo(100, 30, 30, 40)
    lines = [line("荣誉奖牌授于", 103, y) for y in (34, 43, 52, 61)]
    assert find_empty_photo_frames(PAGE, DPI, (), lines, [picture]) == ()


@pytest.mark.parametrize("rows", [(), (34,), (34, 38), (60, 64)])
def test_text_beside_room_for_a_portrait_excuses_nothing(rows: tuple[int, ...]) -> None:
    picture = photo(100, 30, 30, 40)
    lines = [line("荣誉奖牌授于", 103, y) for y in rows]
    assert len(find_empty_photo_frames(PAGE, DPI, (), lines, [picture])) == 1


def test_labelled_picture_full_of_text_is_reported() -> None:
    picture = photo(100, 30, 30, 40)
    lines = [line("近期免冠照片", 103, y) for y in (34, 43, 52, 61)]
    assert len(find_empty_photo_frames(PAGE, DPI, (), lines, [picture])) == 1


def test_masked_picture_is_left() -> None:
    picture = photo(150, 30, 25, 35)
    whole, half = photo(149, 29, 27, 37).quad, photo(150, 30, 25, 17).quad
    assert find_empty_photo_frames(PAGE, DPI, (), (), [picture], [whole]) == ()
    assert len(find_empty_photo_frames(PAGE, DPI, (), (), [picture], [half])) == 1


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_masked_share_is_a_share(x0: float, y0: float, w: float, h: float) -> None:
    picture = Picture(100, 100, 200, 300, 1.0)
    mask = rectangle(100 + 100 * x0, 100 + 200 * y0, 100 + 100 * (x0 + w), 100 + 200 * (y0 + h))
    expected = (min(1, x0 + w) - x0) * (min(1, y0 + h) - y0)
    assert masked_share(picture, mask) == pytest.approx(expected, abs=1e-6)


@given(st.lists(st.tuples(st.floats(-1, 2), st.floats(0, 1)), max_size=8), st.data())
def test_widest_gap(spans: list[tuple[float, float]], data: st.DataObject) -> None:
    """No point is further from the spans and ends than half the widest gap; none at all is 1."""
    closed = [(low, low + length) for low, length in spans]
    gap = widest_gap(0.0, 1.0, closed)
    assert 0 <= gap <= 1
    assert widest_gap(0.0, 1.0, []) == 1
    point = data.draw(st.floats(0, 1))
    edges = [0.0, 1.0, *(edge for span in closed for edge in span)]
    if not any(low <= point <= high for low, high in closed):
        assert min(abs(point - edge) for edge in edges) <= gap / 2 + 1e-9


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


@pytest.mark.parametrize(
    ("title", "reported"),
    [
        ("申报人照片采集表", True),
        ("相 片 页", True),
        ("年度考核登记表", False),
        ("照片须清晰", False),
    ],
)
def test_half_a_portrait_on_a_sheet_of_photos_is_reported(title: str, reported: bool) -> None:
    """A fax leaves the shoulders of a ghost: too small and too flat for an ID photo anywhere."""
    half = photo(30, 120, 12, 8, 0.5)
    found = find_empty_photo_frames(PAGE, DPI, (), [line(title, 60, 18)], [half])
    assert bool(found) is reported
    assert all(finding.score >= 0.8 for finding in found)


def test_undecoded_code_on_a_sheet_of_photos_is_perhaps_a_portrait() -> None:
    title = [line("申报人照片采集表", 60, 18)]
    unread = Finding(Kind.CODE, photo(30, 120, 12, 8).quad, "", 0.8, "", "codes")
    read = Finding(Kind.CODE, photo(30, 160, 20, 20).quad, "url", 1.0, "", "codes")
    (found,) = find_false_codes(title, [unread, read], [])
    assert found.quad[:, 1].min() < unread.quad[:, 1].min() - 60
    assert find_false_codes([line("年度考核登记表", 60, 18)], [unread], []) == ()
    eyes = Finding(Kind.EYES, photo(32, 118, 8, 3).quad, "", 0.9, "", "faces")
    assert find_false_codes(title, [unread], [eyes]) == ()
    bar = photo(20, 45, 60, 30).quad
    assert find_false_codes(title, [unread], [Finding(Kind.EYES, bar, "", 0.9, "", "faces")]) == ()
    why = "hardly readable face, all of the portrait-shaped picture masked"
    whole = Finding(Kind.EYES, bar, "", 0.6, why, "faces")
    assert len(find_false_codes(title, [unread], [whole])) == 1
