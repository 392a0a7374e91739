"""Every copy of a watermark goes when one of them tells who it is."""

from __future__ import annotations

import numpy as np

from redactor import geometry
from redactor.finders.watermarks import find_copies, watermark_lines
from redactor.page import Finding, Kind, Line
from sample_scans.canvas import Canvas, Style
from tests.redactor.golden.pages import own, pixels_of, sheet

PALE = Style(face="sans", size=40, colour=(205, 205, 205))
PRINT = Style(size=12)


def page() -> Canvas:
    """Two copies, the lower one under print that cuts its strokes."""
    canvas = sheet(150, 110)
    canvas.line(20, 12, own("诸葛晓岚", form="watermark"), PALE)
    canvas.line(20, 72, own("诸葛晓岚", form="watermark"), PALE)
    for row in range(4):
        canvas.line(
            10, 70 + 6 * row, "试验采用随机区组设计设三个处理四次重复亩均增收群众反映良好", PRINT
        )
    return canvas


def read(canvas: Canvas) -> Finding:
    quads = [np.array(q, dtype=np.float64) for q in canvas.items[0].quads]
    quad = geometry.around(quads)
    return Finding(Kind.NAME, quad, "诸葛晓岚", 1.0, "roster name", "known")


def test_the_copy_under_print_is_found() -> None:
    canvas = page()
    (copy,) = find_copies(pixels_of(canvas), [read(canvas)])
    assert copy.kind is Kind.NAME
    x0, y0, x1, y1 = geometry.bounds(copy.quad)
    for quad in canvas.items[1].quads:
        left, top, right, bottom = geometry.bounds(np.array(quad, dtype=np.float64))
        assert x0 <= left + 3 and y0 <= top + 3 and right - 3 <= x1 and bottom - 3 <= y1


def test_a_copy_is_followed_over_letters_that_print_parts_from_it() -> None:
    canvas = sheet(150, 110)
    canvas.line(20, 6, own("诸葛", form="watermark"), PALE)
    canvas.line(20, 72, own("诸葛晓岚欧阳", form="watermark"), PALE)
    for x in (38, 66, 78):
        for row in range(6):
            canvas.line(x, 69 + 4 * row, "试验采用", Style(size=9))
    found = [geometry.bounds(f.quad) for f in find_copies(pixels_of(canvas), [read(canvas)])]
    x0, x1 = min(box[0] for box in found), max(box[2] for box in found)
    last, first = canvas.items[1].quads[-1], canvas.items[1].quads[0]
    assert x0 <= geometry.bounds(np.array(first, dtype=np.float64))[0] + 3
    assert x1 >= geometry.bounds(np.array(last, dtype=np.float64))[2] - 3


def dense(under: str) -> Canvas:
    """A clear watermark, and `under` as another below print that leaves no row of letters."""
    canvas = sheet(150, 110)
    canvas.line(20, 6, own("诸葛", form="watermark"), PALE)
    canvas.line(20, 72, own(under, form="watermark"), PALE)
    for row in range(4):
        canvas.line(
            10, 74 + 8 * row, "试验采用随机区组设计设三个处理四次重复亩均增收群众反映良好", PRINT
        )
    return canvas


def test_a_copy_broken_up_by_print_is_known_by_the_pattern_of_a_clear_one() -> None:
    canvas = dense("诸葛")
    (copy,) = find_copies(pixels_of(canvas), [read(canvas)])
    want = geometry.around([np.array(q, dtype=np.float64) for q in canvas.items[1].quads])
    assert geometry.overlap(copy.quad, want) > 0.9


def test_another_watermark_below_print_does_not_fit_the_pattern() -> None:
    canvas = dense("内部")
    assert find_copies(pixels_of(canvas), [read(canvas)]) == ()


def test_faded_print_is_no_pattern_of_a_watermark() -> None:
    canvas = sheet(150, 110)
    faded = Style(size=9, colour=(205, 205, 205))
    for row in range(9):
        canvas.line(10, 10 + 10 * row, own("诸葛晓岚", form="plain"), faded)
    assert find_copies(pixels_of(canvas), [read(canvas)]) == ()


def test_print_and_smaller_pale_text_are_no_copies() -> None:
    canvas = sheet(150, 110)
    canvas.line(20, 12, own("诸葛晓岚", form="watermark"), PALE)
    canvas.line(20, 60, "试验采用随机区组设计", PRINT)
    canvas.line(20, 80, "浅色的注释文字", Style(size=14, colour=(205, 205, 205)))
    assert find_copies(pixels_of(canvas), [read(canvas)]) == ()


def test_without_a_watermark_that_tells_nothing_is_sought() -> None:
    assert find_copies(pixels_of(page()), []) == ()


def row(text: str, layer: str, score: float, high: float = 30) -> Line:
    quad = geometry.rectangle(100, 100, 100 + high * len(text), 100 + high)
    return Line((), quad, score, False, layer)


def test_print_in_the_shade_that_is_read_as_pale_is_no_watermark() -> None:
    ink, pale = row("诸葛晓岚", "ink", 0.99), row("诸葛晓岚", "pale", 0.9)
    assert watermark_lines((ink, pale), (1547, 2187)) == ()
    assert watermark_lines((row("诸葛晓岚", "ink", 0.3), pale), (1547, 2187)) == (pale,)
    assert watermark_lines((row("诸", "ink", 0.99), pale), (1547, 2187)) == (pale,)
    large = row("诸葛晓岚", "pale", 0.9, 120)
    assert watermark_lines((row("诸葛晓岚", "ink", 0.9, 120), large), (1547, 2187)) == (large,)
