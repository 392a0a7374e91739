"""Codes of all sizes, turns and states must be covered; ordinary pages must stay whole. The codes
are made by segno and zxing-cpp's own writer, the pages are drawn here."""

from __future__ import annotations

import math
from itertools import pairwise
from random import Random

import cv2
import numpy as np
import pytest
import segno
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st

from redactor import geometry
from redactor.finders.codes import find_codes
from redactor.geometry import area
from redactor.page import Char, Finding, Image, Kind, Line, Quad
from sample_scans.canvas import Canvas, Span, Style
from sample_scans.fonts import Fonts

LINK = "https://www.chsi.com.cn/xlcx/bg.do?vcode=AB12CD34EF56"
CENTER = (560, 560)
Format = zxingcpp.BarcodeFormat


LINEAR = (Format.Code128, Format.Code39, Format.EAN13)


def qr(scale: int) -> np.ndarray:
    modules = np.array(
        [[0 if m else 255 for m in row] for row in segno.make(LINK, error="m").matrix]
    )
    return np.kron(modules, np.ones((scale, scale))).astype(np.uint8)


def written(form: object, text: str, scale: int) -> np.ndarray:
    barcode = zxingcpp.create_barcode(text, form)
    image = np.array(
        zxingcpp.write_barcode_to_image(barcode, scale=scale, add_quiet_zones=False)
    ).squeeze()
    if form in LINEAR:
        image = np.repeat(image[:1], image.shape[1] // 4, axis=0)
    return image


def torn_data_matrix() -> np.ndarray:
    code = written(Format.DataMatrix, "CERT-2024-0012345", 8)
    side = len(code)
    cv2.line(code, (0, side // 2), (side, side // 3), 0, side // 12)
    code[:, int(side * 0.45) : int(side * 0.52)] = 255
    return code


def text_page() -> np.ndarray:
    page = np.full((1169, 1169), 250, np.uint8)
    for y in range(60, 1150, 36):
        words = "The quick brown fox jumps over 0123456789 lazy dogs"
        cv2.putText(page, words, (60, y), cv2.FONT_HERSHEY_SIMPLEX, 0.95, 30, 2)
    return page


def placed(code: np.ndarray, angle: float = 0.0, blur: float = 0.0) -> tuple[Image, Quad]:
    """A text page with the code in its middle, turned by `angle` degrees; and where it is."""
    page = text_page()
    h, w = code.shape
    reach = int(math.hypot(h, w) / 2) + 30
    corner, opposite = (CENTER[0] - reach,) * 2, (CENTER[0] + reach,) * 2
    cv2.rectangle(page, corner, opposite, 250, -1)
    matrix = cv2.getRotationMatrix2D((w / 2, h / 2), angle, 1)
    matrix[:, 2] += np.array(CENTER) - np.array([w / 2, h / 2])
    turned = cv2.warpAffine(code, matrix, page.shape[::-1], borderValue=255)
    inside = cv2.warpAffine(np.ones_like(code), matrix, page.shape[::-1]) > 0
    page[inside] = np.minimum(turned, 250)[inside]
    if blur:
        page = cv2.GaussianBlur(page, (0, 0), blur)
    noise = np.random.default_rng(7).normal(0, 4, page.shape)
    page = np.clip(page + noise, 0, 255).astype(np.uint8)
    corners = np.array([[[0, 0], [w, 0], [w, h], [0, h]]], dtype=np.float64)
    return np.dstack([page] * 3), cv2.transform(corners, matrix)[0]


def covered(truth: Quad, findings: tuple[Finding, ...]) -> float:
    shares = [
        cv2.intersectConvexConvex(truth.astype(np.float32), f.quad.astype(np.float32))[0]
        for f in findings
    ]
    return max(shares, default=0.0) / area(truth)


@settings(max_examples=12, deadline=None, derandomize=True)
@given(st.integers(3, 8), st.floats(0, 359), st.floats(0, 1.2))
def test_a_qr_code_is_covered_at_any_size_and_angle(scale: int, angle: float, blur: float) -> None:
    page, truth = placed(qr(scale), angle, blur)
    findings = find_codes(page)
    assert covered(truth, findings) > 0.99
    assert {f.text for f in findings} == {LINK}
    assert {f.kind for f in findings} == {Kind.CODE}
    assert sum(area(f.quad) for f in findings) < 1.6 * area(truth)


@pytest.mark.parametrize("angle", [0, 30, 45, 90])
@pytest.mark.parametrize("scale", [5, 8])
def test_a_damaged_qr_code_is_covered_but_not_decoded(scale: int, angle: int) -> None:
    code = qr(scale)
    side = len(code)
    code[int(side * 0.3) : int(side * 0.65), int(side * 0.25) :] = 255
    page, truth = placed(code, angle)
    findings = find_codes(page)
    assert covered(truth, findings) > 0.97
    assert [f.text for f in findings] == [""]


@pytest.mark.parametrize("angle", [0, 45, 90])
def test_a_torn_data_matrix_is_covered(angle: int) -> None:
    page, truth = placed(torn_data_matrix(), angle)
    findings = find_codes(page)
    assert covered(truth, findings) > 0.97
    assert findings[0].text == ""


@pytest.mark.parametrize(
    ("form", "text"),
    [
        (Format.DataMatrix, "CERT-2024-0012345"),
        (Format.Aztec, "AZTEC 12345"),
        (Format.PDF417, "XJ-2024-000123"),
        (Format.Code128, "XJ2024001234"),
        (Format.Code39, "XJ2024"),
        (Format.EAN13, "6901234567892"),
    ],
)
@pytest.mark.parametrize("angle", [0, 90, 180])
def test_every_kind_of_code_is_read_and_covered(form: object, text: str, angle: int) -> None:
    page, truth = placed(written(form, text, 4), angle)
    findings = find_codes(page)
    assert covered(truth, findings) > 0.97
    assert text in findings[0].text


@pytest.mark.parametrize("angle", [10, 45, 70])
def test_tilted_bars_are_covered_to_their_ends(angle: int) -> None:
    page, truth = placed(written(Format.Code128, "XJ2024001234", 3), angle)
    findings = find_codes(page)
    assert covered(truth, findings) > 0.97
    assert findings[0].text == "XJ2024001234"


SMALL = (
    (Format.DataMatrix, "CERT-2024-0012345"),
    (Format.Aztec, "AZTEC 12345"),
    (Format.PDF417, "XJ-2024-000123"),
    (Format.MicroQRCode, "123456789"),
    (Format.QRCode, LINK),
)


@pytest.mark.parametrize("angle", [0, 15, 33, 45, 100, 290])
@pytest.mark.parametrize(("form", "text"), SMALL)
def test_small_tilted_matrix_codes_are_covered(form: object, text: str, angle: int) -> None:
    page, truth = placed(written(form, text, 2), angle)
    assert covered(truth, find_codes(page, ())) > 0.97


@pytest.mark.parametrize("angle", [0, 45, 70])
@pytest.mark.parametrize(("form", "text"), [SMALL[0], (Format.Code128, "XJ2024001234")])
def test_codes_blurred_beyond_reading_are_covered(form: object, text: str, angle: int) -> None:
    page, truth = placed(written(form, text, 3), angle, blur=2.0)
    findings = find_codes(page, ())
    assert covered(truth, findings) > 0.97
    assert [f.text for f in findings] == [""]
    assert all(0.3 <= f.score < 1 for f in findings)


def read_as(text: str, quad: Quad, score: float = 0.99) -> Line:
    """A line of characters that share a quad evenly."""
    steps = [i / len(text) for i in range(len(text) + 1)]
    places = [geometry.between(quad, a, b) for a, b in pairwise(steps)]
    chars = tuple(Char(c, q, score) for c, q in zip(text, places, strict=True))
    return Line(chars, quad, score)


def test_what_was_read_as_print_is_no_code() -> None:
    page, truth = placed(written(Format.DataMatrix, "CERT-2024-0012345", 3), blur=2.0)
    assert find_codes(page, ()) != ()
    assert find_codes(page, [read_as("醒目", truth)]) == ()


@pytest.mark.parametrize("angle", [0, 45, 90])
def test_one_character_by_itself_does_not_hide_a_code(angle: int) -> None:
    """A matrix code is dense enough to be read as one sure character."""
    page, truth = placed(torn_data_matrix(), angle)
    assert covered(truth, find_codes(page, [read_as("國", truth)])) > 0.97
    assert find_codes(page, [read_as("國家", truth)]) == ()


def test_printed_characters_that_stand_by_themselves_are_no_codes() -> None:
    """Read, their looks must prove more."""
    sheet = Canvas(Fonts(debian=False), Random(1), 150, 150, 30)
    for i in range(8):
        sheet.line(5 + 17.3 * i, 8 + 0.7 * i, [Span("嗢")], Style("sans", 22, bold=True))
    page = np.asarray(sheet.image, dtype=np.uint8)
    assert find_codes(page, ()) != ()
    assert find_codes(page, [read_as("嗢", np.array(keep.quads[0])) for keep in sheet.keep]) == ()


def test_what_was_hardly_read_or_looks_like_a_code_proves_nothing() -> None:
    page, truth = placed(written(Format.DataMatrix, "CERT-2024-0012345", 3), blur=2.0)
    for line in (read_as("醒", truth, 0.5), read_as("回", truth)):
        assert covered(truth, find_codes(page, [line])) > 0.97


def test_a_code_that_can_be_decoded_stays_one_whatever_was_read_there() -> None:
    page, truth = placed(qr(5))
    findings = find_codes(page, [read_as("醒", truth)])
    assert covered(truth, findings) > 0.97
    assert findings[0].text == LINK


def test_bars_with_a_pen_stroke_across_are_covered() -> None:
    code = written(Format.Code128, "XJ2024001234", 3)
    h, w = code.shape
    cv2.line(code, (0, h // 3), (w, h // 2), 0, 8)
    code[:, int(w * 0.48) : int(w * 0.52)] = 255
    page, truth = placed(code)
    assert covered(truth, find_codes(page)) > 0.97


@pytest.mark.parametrize("angle", [0, 4, 90])
def test_a_frame_around_the_page_is_not_part_of_its_code(angle: int) -> None:
    page, truth = placed(written(Format.Code128, "XJ2024001234", 2), angle)
    cv2.rectangle(page, (10, 10), (1158, 1158), (30, 30, 30), 14)
    findings = find_codes(page)
    assert covered(truth, findings) > 0.97
    assert sum(area(f.quad) for f in findings) < 2.5 * area(truth)


def test_two_codes_on_a_page_are_two_findings() -> None:
    page = text_page()
    first, second = qr(4), written(Format.Code128, "XJ2024001234", 3)
    page[200:420, 100:900] = 250
    page[220 : 220 + len(first), 120 : 120 + len(first)] = first
    page[240 : 240 + len(second), 450 : 450 + second.shape[1]] = second
    findings = find_codes(np.dstack([page] * 3))
    assert {f.text for f in findings} == {LINK, "XJ2024001234"}


def halftone() -> np.ndarray:
    y, x = np.mgrid[0:1169, 0:1169]
    tone = 0.5 + 0.45 * np.sin(x / 150) * np.cos(y / 190)
    dots = 0.5 + 0.25 * (np.cos((x + y) * 0.9) + np.cos((x - y) * 0.9))
    return np.where(dots < tone, 240, 30).astype(np.uint8)


def table() -> np.ndarray:
    page = np.full((1169, 1169), 250, np.uint8)
    for at in range(60, 1120, 22):
        cv2.line(page, (60, at), (1110, at), 20, 2)
        cv2.line(page, (at, 60), (at, 1110), 20, 2)
    return page


def hatching() -> np.ndarray:
    page = np.full((1169, 1169), 250, np.uint8)
    for x in range(100, 1000, 8):
        cv2.line(page, (x, 200), (x, 600), 20, 3)
    return page


def photo() -> np.ndarray:
    noise = np.random.default_rng(3).normal(0, 1, (1169, 1169)).astype(np.float32)
    soft = cv2.GaussianBlur(noise, (0, 0), 6)
    return cv2.normalize(soft, None, 0, 255, cv2.NORM_MINMAX).astype(np.uint8)


def dense_text(thickness: int) -> np.ndarray:
    page = np.full((1169, 1169), 250, np.uint8)
    for y in range(40, 1150, 20):
        cv2.putText(page, "HMWE#8B&" * 14, (20, y), cv2.FONT_HERSHEY_DUPLEX, 0.6, 10, thickness)
    return page


@pytest.mark.parametrize(
    "page",
    [text_page(), halftone(), table(), hatching(), photo(), dense_text(1), dense_text(2)],
    ids=["text", "halftone", "table", "hatching", "photo", "dense", "bold"],
)
def test_ordinary_pages_have_no_codes(page: np.ndarray) -> None:
    assert find_codes(np.dstack([page] * 3)) == ()


def test_an_empty_and_a_tiny_page() -> None:
    assert find_codes(np.full((500, 400, 3), 255, np.uint8)) == ()
    assert find_codes(np.zeros((10, 12, 3), np.uint8)) == ()
