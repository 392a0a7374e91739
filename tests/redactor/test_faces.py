"""Eyes must be covered on whole pages, at any quarter turn and in bad copies; text must stay.

Source: scikit-image's `astronaut` (NASA, public domain), eyes measured by hand.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from redactor.finders.face_landmarks import Place, landmarks
from redactor.finders.faces import apart_from_print, find_faces
from redactor.finders.photo_frames import find_empty_photo_frames
from redactor.geometry import area, rectangle
from redactor.page import Char, Finding, Image, Kind, Line

data = pytest.importorskip("skimage.data")

EYES = np.array([[203.0, 101.0], [246.0, 103.0]])
CROP = (125, 0, 325, 280)


@pytest.fixture(scope="module")
def portrait() -> tuple[Image, np.ndarray]:
    """A portrait of 200 x 280 pixels and its eyes."""
    x0, y0, x1, y1 = CROP
    whole = np.asarray(data.astronaut())[:, :, ::-1]
    return np.ascontiguousarray(whole[y0:y1, x0:x1]), EYES - (x0, y0)


def text_page(dpi: int) -> Image:
    page = np.full((round(11.69 * dpi), round(8.27 * dpi), 3), 248, np.uint8)
    for i, y in enumerate(range(dpi, page.shape[0] - dpi // 2, dpi // 4)):
        text = f"{i} name @ work (unit) & seal 0996-2012345 review of titles"
        cv2.putText(page, text, (dpi // 2, y), 0, dpi / 220, (30, 30, 30), max(1, dpi // 100))
    return page


def pasted(
    page: Image, portrait: tuple[Image, np.ndarray], scale: float, turn: float, at: tuple[int, int]
) -> np.ndarray:
    """Paste the portrait, turned clockwise by `turn` degrees about `at`; its eyes on the page."""
    pixels, eyes = portrait
    height, width = pixels.shape[:2]
    matrix = np.array(cv2.getRotationMatrix2D((width / 2, height / 2), -turn, scale), np.float64)
    matrix[:, 2] += np.array(at) - (width / 2, height / 2)
    size = (page.shape[1], page.shape[0])
    inside = cv2.warpAffine(np.ones((height, width), np.uint8), matrix, size) > 0
    page[inside] = cv2.warpAffine(pixels, matrix, size, flags=cv2.INTER_AREA)[inside]
    return eyes @ matrix[:, :2].T + matrix[:, 2]


def covers(findings: tuple[Finding, ...], eyes: np.ndarray) -> bool:
    """Whether +-0.25 inter-ocular distances around each eye lie inside one of the findings."""
    reach = 0.25 * float(np.linalg.norm(eyes[1] - eyes[0]))
    square = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * reach
    quads = [f.quad.astype(np.float32) for f in findings]
    return all(
        any(
            all(cv2.pointPolygonTest(q, (float(x), float(y)), False) >= 0 for x, y in eye + square)
            for q in quads
        )
        for eye in eyes
    )


def photocopied(page: Image) -> Image:
    """A grey copy of high contrast."""
    grey = cv2.cvtColor(page, cv2.COLOR_BGR2GRAY).astype(np.float32)
    copy = (255 / (1 + np.exp(-(grey - 125) / 25))).astype(np.uint8)
    return np.asarray(cv2.cvtColor(copy, cv2.COLOR_GRAY2BGR), np.uint8)


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
@pytest.mark.parametrize("dpi", [100, 200])
def test_eyes_of_one_inch_photo_are_covered(
    portrait: tuple[Image, np.ndarray], dpi: int, turn: int
) -> None:
    page = text_page(dpi)
    eyes = pasted(page, portrait, dpi / 203, turn + 4, (dpi * 6, dpi * 3))
    findings = find_faces(page, dpi, upright=True)
    assert [f.kind for f in findings] == [Kind.EYES]
    assert covers(findings, eyes)


def test_bar_leaves_mouth_and_hair(portrait: tuple[Image, np.ndarray]) -> None:
    page = text_page(200)
    eyes = pasted(page, portrait, 1.0, 0, (1200, 600))
    (bar,) = find_faces(page, 200, upright=True)
    distance = float(np.linalg.norm(eyes[1] - eyes[0]))
    assert area(bar.quad) < 3.2 * 1.4 * distance**2
    mouth = eyes.mean(axis=0) + np.array([0, distance])
    assert cv2.pointPolygonTest(bar.quad.astype(np.float32), tuple(map(float, mouth)), False) < 0


@pytest.mark.parametrize("turn", [90, 180])
def test_page_without_upright_text_is_searched_at_all_turns(
    portrait: tuple[Image, np.ndarray], turn: int
) -> None:
    page = np.full((1654, 2339, 3), 255, np.uint8)
    eyes = pasted(page, portrait, 2.0, turn, (1100, 800))
    assert covers(find_faces(page, 200, upright=False), eyes)


def test_high_contrast_copy(portrait: tuple[Image, np.ndarray]) -> None:
    page = text_page(200)
    eyes = pasted(page, portrait, 1.0, 180, (1200, 600))
    assert covers(find_faces(photocopied(page), 200, upright=True), eyes)


def test_pale_ghost_image(portrait: tuple[Image, np.ndarray]) -> None:
    page = np.full((1169, 827, 3), 245, np.uint8)
    pixels, eyes_in = portrait
    pale = (pixels * 0.35 + 0.65 * 245).astype(np.uint8)
    eyes = pasted(page, (pale, eyes_in), 0.7, 0, (500, 400))
    assert covers(find_faces(page, 100, upright=True), eyes)


@pytest.mark.parametrize("turn", [0, 90, 180])
@pytest.mark.parametrize("iod", [12, 18])
def test_small_face_in_a_photocopy(portrait: tuple[Image, np.ndarray], iod: int, turn: int) -> None:
    page = text_page(200)
    eyes = pasted(page, portrait, iod / 43, turn, (1480, 420))
    assert covers(find_faces(photocopied(page), 200, upright=True), eyes)


def test_portrait_and_ghost_on_a_tinted_card(portrait: tuple[Image, np.ndarray]) -> None:
    page = text_page(200)
    cv2.rectangle(page, (300, 400), (977, 830), (238, 224, 214), -1)
    pixels, eyes_in = portrait
    pale = (pixels * 0.35 + 0.65 * 235).astype(np.uint8)
    large = pasted(page, portrait, 0.9, 0, (850, 600))
    ghost = pasted(page, (pale, eyes_in), 0.3, 0, (380, 700))
    findings = find_faces(page, 200, upright=True)
    assert covers(findings, large)
    assert covers(findings, ghost)


def test_red_stamp_across_the_face(portrait: tuple[Image, np.ndarray]) -> None:
    """Lines of stamp ink from the forehead to the chin."""
    page = text_page(200)
    eyes = pasted(page, portrait, 0.6, 0, (1480, 420))
    x, y = (int(v) for v in eyes.mean(axis=0))
    for i in range(6):
        line = (x - 51, int(y - 31 + 12.04 * i))
        cv2.putText(page, "HWHWHW", line, 0, 0.737, (40, 30, 200), 2)
    assert covers(find_faces(page, 200, upright=True), eyes)


def test_face_that_may_stand_in_several_ways_is_masked_for_all(
    portrait: tuple[Image, np.ndarray],
) -> None:
    page = text_page(200)
    pixels, eyes_in = portrait
    blurred = np.asarray(cv2.GaussianBlur(pixels, (0, 0), 8), np.uint8)
    eyes = pasted(page, (blurred, eyes_in), 1.0, 0, (1200, 600))
    findings = find_faces(page, 200, upright=True)
    assert covers(findings, eyes)
    mouth = eyes + (0, 43)  # where the eyes would be if the face stood on its head
    assert any(
        all(
            cv2.pointPolygonTest(f.quad.astype(np.float32), (float(x), float(y)), False) >= 0
            for x, y in mouth
        )
        for f in findings
    )


@pytest.mark.parametrize("blur", [6, 10, 20])
def test_ruined_portrait_is_masked_or_reported(
    portrait: tuple[Image, np.ndarray], blur: int
) -> None:
    """Whether or not a face is seen in it, the photo never passes in silence."""
    page = text_page(200)
    pixels, eyes_in = portrait
    ruined = np.asarray(cv2.GaussianBlur(pixels, (0, 0), blur), np.uint8)
    eyes = pasted(page, (ruined, eyes_in), 1.0, 0, (1200, 600))
    findings = find_faces(page, 200, upright=True)
    frames = find_empty_photo_frames(page, 200, findings)
    assert covers((*findings, *frames), eyes)


def test_all_faces_of_a_group(portrait: tuple[Image, np.ndarray]) -> None:
    page = text_page(200)
    places = [(400 + 160 * i, 500 + 220 * j) for i in range(5) for j in range(2)]
    all_eyes = [pasted(page, portrait, 0.75, 0, at) for at in places]
    findings = find_faces(page, 200, upright=True)
    assert all(covers(findings, eyes) for eyes in all_eyes)


def test_full_mode_covers_the_whole_face(portrait: tuple[Image, np.ndarray]) -> None:
    page = text_page(200)
    eyes = pasted(page, portrait, 1.0, 90, (1200, 600))
    faces = find_faces(page, 200, upright=True, mode="full")
    assert {f.kind for f in faces} == {Kind.FACE}
    across = eyes[1] - eyes[0]
    down = np.array([-across[1], across[0]])
    points = [*eyes, eyes.mean(axis=0) + 0.9 * down, eyes.mean(axis=0) + 1.3 * down]  # mouth, chin
    assert any(
        all(
            cv2.pointPolygonTest(f.quad.astype(np.float32), (float(x), float(y)), False) >= 0
            for x, y in points
        )
        for f in faces
    )


@pytest.mark.parametrize("dpi", [100, 200, 300])
def test_page_of_text_holes_and_seals_has_no_face(dpi: int) -> None:
    page = text_page(dpi)
    for i in range(4):
        cv2.circle(page, (dpi // 4, dpi * (2 + 2 * i)), dpi // 8, (50, 50, 50), -1)
        cv2.putText(page, "@", (dpi * (1 + i), dpi * 9), 0, dpi / 60, (0, 0, 0), dpi // 40)
    cv2.circle(page, (dpi * 6, dpi * 8), round(dpi * 0.8), (40, 30, 200), dpi // 20)
    cv2.circle(page, (dpi * 4, dpi // 2), round(dpi * 0.4), (30, 20, 190), -1)
    cv2.circle(page, (dpi * 4, dpi // 2), round(dpi * 0.15), (60, 200, 230), -1)
    cv2.ellipse(page, (dpi * 3, dpi * 5), (dpi // 2, dpi // 4), 5, 0, 360, (0, 0, 220), dpi // 60)
    assert find_faces(page, dpi, upright=True) == ()


def test_landmarks_follow_a_turned_look(portrait: tuple[Image, np.ndarray]) -> None:
    pixels, eyes = portrait
    turned = np.ascontiguousarray(np.rot90(pixels, -1))
    height = pixels.shape[0]
    truth = np.array([[height - y, x] for x, y in eyes])
    middle = truth.mean(axis=0)
    marks = landmarks(turned, Place(float(middle[0]) - 25, float(middle[1]), 120, np.pi / 2))
    assert np.abs(marks.left - truth[0]).max() < 6
    assert np.abs(marks.right - truth[1]).max() < 6
    assert marks.flag > 0.5


def test_a_hardly_readable_face_that_is_print_is_left() -> None:
    hit = np.array([[375.0, 230.0], [376.0, 260.0], [336.0, 261.0], [336.0, 231.0]])
    weak = Finding(Kind.EYES, hit, "", 0.4, "hardly readable face, all of the hit masked", "faces")
    face = replace(weak, why="face, eyes placed by landmarks")

    def logo(score: float) -> Line:
        quads = [rectangle(331 + 30 * i, 223, 361 + 30 * i, 263) for i in range(2)]
        chars = tuple(Char(c, q, score) for c, q in zip("旅局", quads, strict=True))
        return Line(chars, rectangle(331, 223, 391, 263), score)

    assert apart_from_print([weak, face], [logo(0.99)]) == (face,)
    assert apart_from_print([weak], [logo(0.6)]) == (weak,)
    assert apart_from_print([weak], [replace(logo(0.99), layer="pale")]) == (weak,)
    beside = replace(weak, quad=hit + (40, 0))
    assert apart_from_print([beside], [logo(0.99)]) == (beside,)
