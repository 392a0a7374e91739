"""A known portrait is found again where no face was: as a copy, dim, pale, small; nothing else is.

Source: one drawn portrait, pasted onto pages whose geometry is known.
"""

from __future__ import annotations

from functools import cache
from random import Random

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from redactor.finders.faces import find_faces
from redactor.finders.photo_twins import (
    PhotoPrint,
    describe_portraits,
    distinct_portraits,
    find_photo_twins,
    open_pictures,
)
from redactor.finders.pictures import Picture, find_pictures
from redactor.geometry import rectangle
from redactor.page import Finding, Kind
from sample_scans.canvas import Canvas, Style
from sample_scans.fonts import Fonts
from sample_scans.marks import barcode, emblem, fingerprint, qr, seal
from tests.redactor.photo_copies import DPI, EYES, PHOTO, copied, good_page, pasted

FONTS = Fonts(debian=False)
TEXT = "本项目在塔里木盆地北缘开展防风固沙林营造技术研究，三年完成造林面积一千二百亩。"


@cache
def known() -> PhotoPrint:
    page = good_page()
    (print_,) = describe_portraits(page, find_faces(page, DPI, True))
    return print_


def hidden(twin: Finding, eyes: npt.NDArray[np.float64]) -> bool:
    """Whether both eyes with a quarter of their distance around them lie in the mask."""
    room = 0.25 * float(np.linalg.norm(eyes[1] - eyes[0]))
    corners = [
        eye + room * np.array(way) for eye in eyes for way in ((-1, -1), (1, -1), (1, 1), (-1, 1))
    ]
    hull = twin.quad.astype(np.float32)
    return all(cv2.pointPolygonTest(hull, (float(x), float(y)), False) >= 0 for x, y in corners)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(
    way=st.sampled_from(
        ["black on white", "few blacks", "few whites", "dim", "pale", "blurred", "grey"]
    ),
    size=st.floats(0.45, 1.5),
    turn=st.floats(-3, 3),
    x=st.floats(0.1, 0.9),
    y=st.floats(0.1, 0.9),
)
def test_the_eyes_of_a_copy_are_hidden_at_any_place_size_and_slant(
    way: str, size: float, turn: float, x: float, y: float
) -> None:
    page, eyes, picture = pasted(size, turn, x, y)
    (twin,) = find_photo_twins(copied(page, way), DPI, [known()], [picture], ())
    assert twin.kind is Kind.EYES
    assert hidden(twin, eyes)
    assert np.ptp(twin.quad[:, 0]) < 4 * float(np.linalg.norm(eyes[1] - eyes[0]))


def test_a_copy_in_which_no_face_is_found_is_found_by_its_pictures() -> None:
    page, eyes, _ = pasted(0.9, 1.5, 0.4, 0.5)
    copy = copied(page, "few blacks")
    pictures = find_pictures(copy, DPI)
    assert find_faces(copy, DPI, True, pictures=pictures) == ()
    (twin,) = find_photo_twins(copy, DPI, [known()], pictures, ())
    assert hidden(twin, eyes)


@pytest.mark.parametrize("dpi", [100, 300])
def test_the_resolution_of_the_other_page_does_not_matter(dpi: int) -> None:
    page, eyes, picture = pasted(0.8, 0, 0.5, 0.5)
    scale = dpi / DPI
    other = cv2.resize(copied(page, "black on white"), None, fx=scale, fy=scale)
    box = Picture(
        *(round(v * scale) for v in (picture.x0, picture.y0, picture.x1, picture.y1)), 1.0
    )
    (twin,) = find_photo_twins(np.asarray(other, np.uint8), dpi, [known()], [box], ())
    assert hidden(twin, eyes * scale)


def test_two_copies_in_one_picture_are_both_found() -> None:
    one, first, _ = pasted(0.6, 0, 0.2, 0.4)
    two, second, _ = pasted(0.5, 2, 0.8, 0.6)
    page = np.minimum(one, two)
    whole = Picture(0, 0, page.shape[1], page.shape[0], 1.0)
    twins = find_photo_twins(copied(page, "black on white"), DPI, [known()], [whole], ())
    assert len(twins) == 2
    assert all(any(hidden(twin, eyes) for twin in twins) for eyes in (first, second))


def test_what_is_masked_already_is_not_found() -> None:
    page, _, picture = pasted(1.0, 0, 0.5, 0.5)
    (twin,) = find_photo_twins(page, DPI, [known()], [picture], ())
    assert find_photo_twins(page, DPI, [known()], [picture], [twin]) == ()
    code = Finding(Kind.CODE, picture.quad, "x", 1.0, "", "codes")
    assert open_pictures([picture], [code]) == ()
    far = Finding(Kind.EYES, rectangle(0, 0, 20, 9), "", 1.0, "", "faces")
    assert open_pictures([picture], [far]) == (picture,)


@pytest.mark.parametrize("grey", [False, True])
def test_nothing_else_is_taken_for_the_portrait(grey: bool) -> None:
    """Seals, codes, emblems, prints and text, each as one picture, and the whole page as one."""
    canvas = Canvas(FONTS, Random(1), DPI, 210, 150)
    seal(canvas, 40, 40, "巴音郭楞蒙古自治州林业和草原局", 1)
    seal(canvas, 95, 40, "新疆维吾尔自治区第三地质大队", 1, "oval")
    emblem(canvas, 150, 35, 30)
    qr(canvas, 20, 80, 30, "https://example.cn/7", 1)
    barcode(canvas, 60, 85, 50, 12, "XJ473246102780", 1)
    fingerprint(canvas, 130, 90, 1)
    for row in range(3):
        canvas.line(20, 120 + 8 * row, TEXT, Style("song", 12))
    page = np.ascontiguousarray(np.asarray(canvas.image)[:, :, ::-1])
    page = copied(page, "black on white") if grey else page
    whole = Picture(0, 0, page.shape[1], page.shape[0], 1.0)
    pictures = (*find_pictures(page, DPI), whole)
    assert len(pictures) > 3
    assert find_photo_twins(page, DPI, [known()], pictures, ()) == ()


def test_one_print_of_each_photo_the_sharpest() -> None:
    small, _, _ = pasted(0.6, 0, 0.5, 0.5)
    (other,) = describe_portraits(small, find_faces(small, DPI, True))
    (kept,) = distinct_portraits([other, known(), other])
    assert kept is known()
    upside_down = PhotoPrint(known().patch[::-1].copy(), known().corners, "eyes", 20.0)
    assert len(distinct_portraits([known(), upside_down])) == 2


def test_only_a_face_whose_eyes_are_sure_gives_a_print() -> None:
    page = good_page()
    (face,) = find_faces(page, DPI, True)
    for doubtful in (
        Finding(face.kind, face.quad, "", 0.6, face.why, face.finder),
        Finding(face.kind, face.quad, "", face.score, "uncertain face, larger mask", face.finder),
        Finding(face.kind, face.quad, "", face.score, face.why, "person"),
    ):
        assert describe_portraits(page, [doubtful]) == ()
    assert len(describe_portraits(page, [face])) == 1


@pytest.mark.parametrize("size", [(1, 1), (5, 900), (900, 5), (64, 64)])
@pytest.mark.parametrize("dpi", [20.0, 600.0])
def test_odd_sizes_hold_no_portrait(size: tuple[int, int], dpi: float) -> None:
    page = np.full((*size, 3), 240, np.uint8)
    whole = Picture(0, 0, size[1], size[0], 1.0)
    assert find_photo_twins(page, dpi, [known()], [whole], ()) == ()


def test_without_prints_or_pictures_there_is_nothing_to_do() -> None:
    page = np.full((300, 300, 3), 240, np.uint8)
    assert find_photo_twins(page, DPI, [], [Picture(0, 0, 300, 300, 1.0)], ()) == ()
    assert find_photo_twins(page, DPI, [known()], [], ()) == ()


def test_the_drawn_portrait_is_what_the_tests_take_it_for() -> None:
    (face,) = find_faces(good_page(), DPI, True)
    assert hidden(face, EYES)
    assert PHOTO.shape[0] > PHOTO.shape[1]
