"""The judge of the recall measurement: what it must call hidden, and how it must not be fooled."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.judge import Judged, covered, eye_quads, ink_covered, judge_mask, judge_page
from redactor import geometry
from redactor.masking import encode, paint
from redactor.page import Image
from sample_scans.canvas import Canvas, Span, Style, box
from sample_scans.fonts import Fonts
from sample_scans.marks import seal
from sample_scans.truth import Face, Item, PageTruth

NAME, STAYS = "欧阳晓岚", "同志承担胡杨林更新项目成绩优秀"


def truth_of(canvas: Canvas) -> PageTruth:
    return PageTruth("a.jpg", 0, 1, "drawn", canvas.image.size, 0, canvas.dpi, ("clean",),
                     tuple(canvas.items), tuple(canvas.keep), tuple(canvas.faces))  # fmt: skip


def bgr(canvas: Canvas) -> Image:
    return np.ascontiguousarray(np.asarray(canvas.image, dtype=np.uint8)[:, :, ::-1])


@pytest.fixture(scope="module")
def sheet() -> Canvas:
    """A sheet with a name and a seal, and print that must stay."""
    canvas = Canvas(Fonts(debian=False), Random(1), 150, 150, 110)
    canvas.line(15, 12, ["经审核，", Span(NAME, "name", applicant=1), STAYS], Style(size=14))
    canvas.line(15, 60, "本页材料与原件相符特此证明", Style(size=14))
    seal(canvas, 55, 62, "库尔勒市第三中学", 1, size=40)
    return canvas


def jpeg(pixels: Image) -> Image:
    """As the redactor writes it, read again."""
    data = np.frombuffer(encode(pixels, "jpg", 150), np.uint8)
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), dtype=np.uint8)


def glyphs(item: Item) -> list[np.ndarray]:
    return [np.array(q, dtype=float) for q in item.quads]


def judged(canvas: Canvas, output: Image) -> Judged:
    return judge_page(truth_of(canvas), bgr(canvas), output, np.eye(3))


def by_kind(result: Judged) -> dict[str, tuple[str, int]]:
    return {i.kind: (i.outcome, i.left) for i in result.items}


def test_nothing_done_hides_nothing_and_loses_nothing(sheet: Canvas) -> None:
    result = judged(sheet, jpeg(bgr(sheet)))
    assert by_kind(result) == {"name": ("leaked", 4), "seal": ("leaked", 8)}
    assert result.lost == 0
    assert result.kept > 20
    assert result.placed


def test_all_black_hides_all_and_loses_all(sheet: Canvas) -> None:
    result = judged(sheet, np.zeros_like(bgr(sheet)))
    assert by_kind(result) == {"name": ("hidden", 0), "seal": ("hidden", 0)}
    assert result.lost == result.kept


@given(chosen=st.sets(st.integers(0, 3)))
@settings(max_examples=8, deadline=None)
def test_the_glyphs_that_stay_are_counted(sheet: Canvas, chosen: set[int]) -> None:
    (name,) = (i for i in sheet.items if i.kind == "name")
    quads = [geometry.grown(q, 1, 1) for n, q in enumerate(glyphs(name)) if n in chosen]
    outcome, left = by_kind(judged(sheet, jpeg(paint(bgr(sheet), quads))))["name"]
    assert left == 4 - len(chosen)
    assert outcome == ("hidden" if left == 0 else "leaked" if left == 4 else "partly")


@given(share=st.floats(0.05, 0.9))
@settings(max_examples=6, deadline=None)
def test_a_glyph_half_covered_is_not_hidden(sheet: Canvas, share: float) -> None:
    (name,) = (i for i in sheet.items if i.kind == "name")
    *whole, last = glyphs(name)
    quads = [geometry.grown(q, 1, 1) for q in whole] + [geometry.between(last, 0, share)]
    assert by_kind(judged(sheet, paint(bgr(sheet), quads)))["name"] == ("partly", 1)


@pytest.mark.parametrize("way", ["blur", "mosaic", "grey", "pale", "hatch"])
def test_what_is_not_solid_is_not_hidden(sheet: Canvas, way: str) -> None:
    output = bgr(sheet)
    for item in sheet.items:
        for quad in glyphs(item):
            x0, y0, x1, y1 = (int(v) for v in geometry.bounds(quad))
            part = output[y0:y1, x0:x1]
            if way == "blur":
                part[:] = cv2.GaussianBlur(part, (0, 0), 2)
            elif way == "mosaic":
                small = cv2.resize(part, (4, 4), interpolation=cv2.INTER_AREA)
                part[:] = cv2.resize(small, part.shape[1::-1], interpolation=cv2.INTER_NEAREST)
            elif way == "grey":
                part[:] = 110
            elif way == "pale":
                part[:] = 200 + part // 5
            else:
                part[::3] = 0
    assert by_kind(judged(sheet, output))["name"][0] == "leaked"


def test_a_wrong_matrix_makes_every_item_leak(sheet: Canvas) -> None:
    """A tool that says the page lies elsewhere must not have its masks counted there."""
    output = bgr(sheet)
    moved = np.roll(output, 220, axis=1)
    moved[:150] = 0
    result = judge_page(truth_of(sheet), bgr(sheet), moved, np.eye(3))
    assert not result.placed
    assert {i.outcome for i in result.items} == {"leaked"}


def test_another_page_in_its_place_makes_every_item_leak(sheet: Canvas) -> None:
    other = Canvas(Fonts(debian=False), Random(2), 150, 150, 110)
    other.paragraph(10, 20, 120, "建议在同类地区扩大示范面积，完善技术规程。" * 5, Style(size=12))
    assert not judged(sheet, bgr(other)).placed


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_a_turned_output_is_judged_where_its_matrix_says(sheet: Canvas, rotation: int) -> None:
    quads = [geometry.grown(q, 1, 1) for i in sheet.items for q in glyphs(i)]
    output = np.ascontiguousarray(np.rot90(paint(bgr(sheet), quads), -rotation // 90))
    matrix = geometry.quarter_turn(rotation, sheet.image.size)
    result = judge_page(truth_of(sheet), bgr(sheet), output, matrix)
    assert result.placed
    assert by_kind(result) == {"name": ("hidden", 0), "seal": ("hidden", 0)}


@given(
    x=st.floats(-80, 280), y=st.floats(-80, 180), w=st.floats(1, 60), h=st.floats(1, 60),
)  # fmt: skip
def test_cover_is_a_share_and_nothing_off_the_page_is_covered(
    x: float, y: float, w: float, h: float
) -> None:
    black = np.ones((100, 200), dtype=bool)
    quad = geometry.rectangle(x, y, x + w, y + h)
    share = covered(black, quad)
    assert 0 <= share <= 1
    assert covered(~black, quad) == 0
    wide, high = min(200, x + w) - max(0, x), min(100, y + h) - max(0, y)
    if wide <= 0 or high <= 0:
        # Whole pixels are counted: one may be touched that the quad does not reach.
        assert share == 0 or max(wide, high) > -1
    if x >= 0 and y >= 0 and x + w <= 200 and y + h <= 100:
        assert share == 1


def test_an_item_off_the_output_is_not_hidden(sheet: Canvas) -> None:
    """A tool that cuts the page must have cut what it says: the rest is compared first."""
    output = bgr(sheet)[:, 300:]
    result = judge_page(truth_of(sheet), bgr(sheet), output, np.eye(3))
    assert all(i.outcome != "hidden" for i in result.items)


def test_slivers_at_the_edge_and_items_without_glyphs_are_no_evidence() -> None:
    quad = box(198, 10, 200, 30)
    page = PageTruth("a", 0, 1, "drawn", (200, 100), 0, 150, (), (
        Item("seal", "中学", "round", 1, False, (quad,), box(190, 0, 200, 60)),
        Item("seal", "中学", "round", 1, False, (), box(190, 0, 200, 60)),
        Item("name", "一", "plain", 1, False, (box(50, 20, 70, 22),)),
    ), (), ())  # fmt: skip
    result = judge_mask(page, np.ones((100, 200), dtype=bool), np.eye(3))
    assert [i.kind for i in result.items] == ["name"]


def test_each_eye_needs_a_quarter_of_their_distance() -> None:
    face = Face(((60.0, 50.0), (100.0, 50.0)), 40.0, box(40, 20, 120, 100), 1)
    page = PageTruth("a", 0, 1, "drawn", (200, 120), 0, 150, (), (), (), (face,))

    def outcome(x0: int, y0: int, x1: int, y1: int) -> tuple[str, int]:
        mask = np.zeros((120, 200), dtype=bool)
        mask[y0:y1, x0:x1] = True
        (item,) = judge_mask(page, mask, np.eye(3)).items
        assert item.form == ">=25 px"
        return item.outcome, item.left

    assert outcome(50, 40, 110, 60) == ("hidden", 0)
    assert outcome(50, 40, 102, 60) == ("partly", 1)
    assert outcome(50, 46, 110, 54) == ("partly", 2)
    assert outcome(50, 40, 70, 60) == ("partly", 1)
    assert outcome(0, 70, 200, 120) == ("leaked", 2)


def test_an_eye_off_the_page_is_not_asked_for() -> None:
    face = Face(((-5.0, 50.0), (35.0, 50.0)), 40.0, box(0, 20, 60, 100), 1)
    (only,) = eye_quads(face, (200, 120))
    assert only[0] == (25.0, 40.0)
    assert eye_quads(replace(face, centres=((-5.0, 50.0), (35.0, 130.0))), (200, 120)) == []


def test_heavy_print_is_not_taken_for_a_mask() -> None:
    """Not even a bold bar, which is a solid block by itself."""
    canvas = Canvas(Fonts(debian=False), Random(3), 150, 160, 100)
    heavy = Style("sans", 54, (0, 0, 0), bold=True)
    canvas.line(5, 5, [Span("王一", "name", applicant=1), "业绩"], heavy)
    canvas.line(5, 60, "经审核本页材料与原件相符", Style(size=14))
    result = judged(canvas, jpeg(bgr(canvas)))
    assert by_kind(result)["name"] in (("leaked", 2), ("partly", 2))
    quads = [geometry.grown(q, 3, 3) for i in canvas.items for q in glyphs(i)]
    result = judged(canvas, jpeg(paint(bgr(canvas), quads)))
    assert by_kind(result)["name"] == ("hidden", 0)


def test_a_box_that_sticks_out_of_the_mask_without_ink_is_hidden() -> None:
    """A glyph's box is wider than what a fax left of it; one whose ink sticks out is not hidden."""
    source = np.full((100, 200, 3), 255, np.uint8)
    source[30:70, 60:90] = 0
    quad = np.array([[50, 30], [90, 30], [90, 70], [50, 70]], dtype=float)
    mask = np.zeros((100, 200), bool)
    mask[25:75, 58:95] = True
    assert covered(mask, quad) < 0.97
    assert ink_covered(source, mask, quad, np.eye(3)) == 1.0
    source[30:70, 52:90] = 0
    assert ink_covered(source, mask, quad, np.eye(3)) < 0.9
    assert ink_covered(np.full_like(source, 255), mask, quad, np.eye(3)) == 0.0
