"""Finds letterheads of official documents (红头文件), which a reader of text leaves in part unread.

The glyphs of a letterhead are several times as large as text and often set wide apart: the
detector drops some of them, and the name of the own unit is then no longer found as text. Here the
row is found by its ink. That it is a letterhead is told by what stands around it: a document
number, the red rule below it, the word 文件 at its end (numpy and cv2, pure).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from rapidfuzz.distance import LCSseq

from redactor import geometry
from redactor.channels import Grey, darkest
from redactor.finders.document_numbers import NUMBER
from redactor.identity import Identity
from redactor.normal_text import normalise
from redactor.page import Finding, Image, Kind, Line, Quad, Reading
from redactor.reduction import reduced

FINDER = "letterheads"
WORKING_SIDE = 1000
"""Longest side on which rows are looked for, pixels."""
SHORT_SIDE_MM = 210.0
"""Documents are A4."""
RED = 45
"""Grey levels by which the red channel of red ink is above the others."""
INK = 60
"""Grey levels below the paper from which on a pixel is ink."""
RED_MM, OTHER_MM, HIGHEST_MM = 6.0, 9.0, 32.0
"""Height of a letterhead's glyphs, millimetres: least in red, least in a grey copy, most. Headings
in black have up to 8 (22 point)."""
HEAD = 0.5
"""Share of the page's height, from the top, in which letterheads stand."""
LEAST_WIDTH = 0.22
"""Share of the page's width that a letterhead takes at least."""
GAP = 2.5
"""Gap between two glyphs of a row, in heights."""
MOSTLY = 0.6
"""Share of a row's ink that is red."""
UNREAD = 0.5
"""Width of ink outside of read lines, in heights of its row, from which a glyph was left out."""
RULE = 0.45
"""Share of the page's width that a ruled line takes at least."""
BELOW = 0.3
"""How far below a letterhead its rule and document number stand, share of the page's height."""

_ENDINGS = "文件|函|会议纪要|工作纪要|纪要|通报|简报|公报|公告|令|专报|信息"
_ORGANS = (
    "局|厅|委员会|委|政府|办公室|办|研究院|医院|法院|检察院|院|大学|学院|学校|中学|小学|中心|站|所"
    "|公司|集团|协会|学会|联合会|工会|部|处|科|大队|支队|队|馆|党组|党委|支部|场|社|厂|组|会"
)
_LETTERHEAD = re.compile(rf"(?:{_ORGANS})(?:\(.*\))?(?:{_ENDINGS})?$")
_SAYS_SO = re.compile("(?:文件|会议纪要)$")
_TITLE = re.compile("^关于|的(?:通知|函|批复|决定|意见|报告|通报|请示|公告)$")
_LABEL_END = re.compile(rf"(?:{_ENDINGS})$")

SAME_PART, SAME_WHOLE = 0.7, 0.85
"""Share of the characters of a letterhead, read in part or whole, that the own unit has in the same
order: cut glyphs are misread, and boxes that overlap give some twice."""
READ, UNSURE = 0.9, 0.5
"""Scores of a letterhead whose text is known, and of one that was read in part."""

Inks = tuple[float, Grey, Grey]
"""(scale, red ink, ink of any colour)."""
Box = tuple[int, int, int, int]
"""(x0, y0, x1, y1) in pixels of the working size."""


@dataclass(frozen=True, eq=False)
class Row:
    """Large glyphs side by side. `quad`: page pixels. `text`: what was read of it, normalised.

    `whole`: no glyph of it lies outside of the lines that were read.
    """

    quad: Quad
    red: bool
    text: str
    whole: bool


def find_letterheads(
    pixels: Image, reading: Reading, identity: Identity, others: bool
) -> tuple[Finding, ...]:
    """Letterheads with their document numbers on an upright page.

    With `others` (profile strict) those of every organ; else only what may be the own unit's.
    """
    inks = _inks(pixels)
    rows = _rows(inks, reading)
    if not rows:
        return ()
    numbers = list(_numbers(reading))
    rules = _rules(inks)
    findings: list[Finding] = []
    heads = [r for r in rows if _is_letterhead(r, rows, numbers, rules, reading.size[1])]
    for row in heads:
        why = _why(row, identity, others)
        if why:
            findings.append(
                Finding(Kind.UNIT, row.quad, row.text, READ if row.whole else UNSURE, why, FINDER)
            )
    if others and findings:
        lowest = max(geometry.bounds(row.quad)[3] for row in heads)
        for quad, text in numbers:
            if geometry.bounds(quad)[1] - lowest < BELOW * reading.size[1]:
                why = "document number of a letterhead"
                findings.append(Finding(Kind.DOCUMENT_NUMBER, quad, text, 0.9, why, FINDER))
    return tuple(findings)


def _why(row: Row, identity: Identity, others: bool) -> str:
    """Why a letterhead must go, "" when it may stay."""
    if others:
        return "letterhead of an official document"
    name = _LABEL_END.sub("", row.text)
    if not name and not row.whole:
        return "letterhead that cannot be read"
    for term in identity.of(Kind.UNIT):
        shared = LCSseq.similarity(name, term.text)
        alike = shared >= (SAME_WHOLE if row.whole else SAME_PART) * len(name)
        if name and alike and (not row.whole or shared >= SAME_WHOLE * len(term.text)):
            return "letterhead of the own unit, as far as it was read"
    return ""


def _is_letterhead(
    row: Row,
    rows: Sequence[Row],
    numbers: Sequence[tuple[Quad, str]],
    rules: Sequence[Quad],
    tall: float,
) -> bool:
    """Whether what stands around a row of large glyphs makes it a letterhead."""
    if _TITLE.search(row.text) or (row.whole and not _LETTERHEAD.search(row.text)):
        return False
    says = any(
        _SAYS_SO.search(other.text)
        for other in rows
        if abs(_middle(other.quad) - _middle(row.quad)) < 0.15 * tall
    )
    x0, _, x1, bottom = geometry.bounds(row.quad)
    numbered = any(-0.02 < (_middle(quad) - bottom) / tall < BELOW for quad, _ in numbers)
    ruled = row.red and any(
        0 < (_middle(quad) - bottom) / tall < BELOW
        and geometry.bounds(quad)[0] < (x0 + x1) / 2 < geometry.bounds(quad)[2]
        for quad in rules
    )
    if row.whole or row.red:
        return says or numbered or ruled
    return numbered


def _middle(quad: Quad) -> float:
    return float(quad[:, 1].mean())


def _numbers(reading: Reading) -> Iterator[tuple[Quad, str]]:
    """Document numbers of all organs in the upper half of the page."""
    for line in reading.lines:
        if line.vertical or _middle(line.quad) > (HEAD + 0.1) * reading.size[1]:
            continue
        normal = normalise(line.text)
        for match in NUMBER.finditer(normal.text) if len(line.text) == len(line.chars) else ():
            chars = line.chars[normal.origin[match.start()] : normal.origin[match.end() - 1] + 1]
            text = "".join(char.text for char in chars)
            yield geometry.around([char.quad for char in chars], line.quad), text


def _rows(inks: Inks, reading: Reading) -> list[Row]:
    """Rows of large glyphs in the head of the page, from the top."""
    scale, red, ink = inks
    per_mm = min(red.shape) / SHORT_SIDE_MM
    head = ink[: round(HEAD * ink.shape[0])]
    rows = []
    for x0, y0, x1, y1 in _glyph_rows(head, per_mm):
        patch = ink[y0:y1, x0:x1]
        total = max(1, cv2.countNonZero(patch))
        is_red = cv2.countNonZero(red[y0:y1, x0:x1]) > MOSTLY * total
        least = RED_MM if is_red else OTHER_MM
        if not least * per_mm <= y1 - y0 <= HIGHEST_MM * per_mm:
            continue
        quad = geometry.rectangle(x0 - 1, y0 - 1, x1 + 1, y1 + 1) / scale
        lines = _lines_in(quad, reading)
        left = patch.copy()
        for line in lines:
            points = np.round(line.quad * scale - (x0, y0)).astype(np.int32)
            cv2.fillConvexPoly(left, points, (0,))
        full, open_ = patch.sum(axis=0, dtype=np.int64), left.sum(axis=0, dtype=np.int64)
        whole = int(((full > 0) & (2 * open_ > full)).sum()) < UNREAD * (y1 - y0)
        text = normalise("".join(line.text for line in lines)).text
        rows.append(Row(quad, is_red, text, whole))
    return rows


def _inks(pixels: Image) -> Inks:
    """(scale, red ink, ink of any colour) at the working size."""
    scale = min(1.0, WORKING_SIDE / max(pixels.shape[:2]))
    small = reduced(pixels, scale)
    blue, green, full = cv2.split(small)
    _, red = cv2.threshold(cv2.subtract(full, cv2.max(blue, green)), RED, 1, cv2.THRESH_BINARY)
    grey = darkest(small)
    paper = float(np.percentile(grey[::4, ::4], 80))
    ink = (grey < paper - INK).astype(np.uint8)
    both = cv2.bitwise_or(ink, np.asarray(red, np.uint8))
    return scale, np.asarray(red, np.uint8), np.asarray(both, np.uint8)


def _glyph_rows(ink: Grey, per_mm: float) -> list[Box]:
    """Boxes around glyphs of one height that stand side by side, ruled lines left out."""
    wide = round(RULE * ink.shape[1])
    across = cv2.morphologyEx(ink, cv2.MORPH_OPEN, np.ones((1, wide), np.uint8))
    plain = cv2.subtract(ink, cv2.dilate(across, np.ones((3, 3), np.uint8)))
    # The parts of one glyph are joined, rows are not: they lie further apart.
    joined = cv2.dilate(plain, np.ones((3, max(3, round(1.5 * per_mm))), np.uint8))
    count, _, stats, _ = cv2.connectedComponentsWithStats(joined)
    low, high = 0.5 * RED_MM * per_mm, HIGHEST_MM * per_mm
    glyphs = sorted(
        (int(x), int(y), int(x + w), int(y + h))
        for x, y, w, h, _ in stats[1:count]
        if low <= h <= high
    )
    rows: list[Box] = []
    for box in sorted(glyphs, key=lambda b: b[0]):
        for at, row in enumerate(rows):
            tall = max(row[3] - row[1], box[3] - box[1])
            shared = min(row[3], box[3]) - max(row[1], box[1])
            if (
                shared > 0.6 * min(row[3] - row[1], box[3] - box[1])
                and box[0] - row[2] < GAP * tall
            ):
                rows[at] = (row[0], min(row[1], box[1]), max(row[2], box[2]), max(row[3], box[3]))
                break
        else:
            rows.append(box)
    least = LEAST_WIDTH * ink.shape[1]
    return sorted((r for r in rows if r[2] - r[0] >= least), key=lambda r: r[1])


def _rules(inks: Inks) -> list[Quad]:
    """Ruled lines in red across much of the page."""
    scale, red, _ = inks
    joined = cv2.morphologyEx(red, cv2.MORPH_CLOSE, np.ones((3, 9), np.uint8))
    wide = round(RULE * red.shape[1])
    across = cv2.morphologyEx(joined, cv2.MORPH_OPEN, np.ones((1, wide // 3), np.uint8))
    count, _, stats, _ = cv2.connectedComponentsWithStats(
        cv2.dilate(across, np.ones((5, 3), np.uint8))
    )
    return [
        geometry.rectangle(x, y, x + w, y + h) / scale
        for x, y, w, h, _ in stats[1:count]
        if w >= wide and h < 0.03 * red.shape[0]
    ]


def _lines_in(quad: Quad, reading: Reading) -> list[Line]:
    """The read lines in a row, from left to right, each place once."""
    x0, y0, x1, y1 = geometry.bounds(quad)
    found = []
    for line in reading.lines:
        x, y = line.quad.mean(axis=0)
        if line.layer == "ink" and x0 <= x <= x1 and y0 <= y <= y1 and line.chars:
            found.append(line)
    return sorted(found, key=lambda line: float(line.quad[:, 0].min()))
