"""Pictures on a page that ought to show a person but in which no face was found.

A face that the detector misses must not pass in silence: a picture of a portrait's shape and an
ID photo's size, or one under a label such as 照片, is reported for a person to look at. What is
full of legible text (a plaque, a shaded cell) or masked anyway (a code) is not.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from redactor.finders.pictures import Picture, find_pictures, text_quads
from redactor.geometry import bounds, rectangle
from redactor.page import Finding, Image, Kind, Line, Quad

FINDER = "photo_frames"

# 25 x 35, 26 x 32, 33 x 48 and 35 x 49 mm have width / height from 0.69 to 0.81; a white ground
# takes a few millimetres off a side, so the limits are wider.
_NARROWEST, _WIDEST = 0.58, 0.92
_LEAST_MM, _MOST_MM = (14.0, 18.0), (46.0, 62.0)
_LEAST_FILL = 0.45
_LABEL = re.compile(r"照片|相片|免冠|[一1二2]寸")
_LONGEST_LABEL = 14
_LABEL_REACH_MM = 6.0
_LEAST_LABELLED_MM = 8.0
# A sheet for photos (照片采集表) may show them as small as ghosts, and a fax only their dark half.
_SHEET = re.compile(r"^.{0,10}[照相]片.{0,4}[表页册]$")
_LEAST_ON_SHEET_MM = 4.0

# A portrait around its eye bar, in lengths of the bar: aside, above, below.
_ASIDE, _UP, _DOWN = 1.2, 1.2, 2.2
HARDLY_READABLE, _AROUND = "hardly readable face", 0.5
"""How the reason of a mask begins that hides all of a face, and the room around it, in lengths."""
# A picture of which this share lies in the portrait of a face is a part of it.
_OWN_SHARE = 0.85

Box = tuple[float, float, float, float]
"""(x0, y0, x1, y1)."""
# Text on all of a picture leaves no room for a portrait: no gap is as wide as this share of it.
_FEWEST_LINES, _WIDEST_GAP = 2, 1 / 3
_LEAST_SHARE_OF_LINE = 0.3
_MASKED_SHARE = 0.8


def find_empty_photo_frames(
    pixels: Image,
    dpi: float,
    faces: Sequence[Finding],
    lines: Sequence[Line] = (),
    pictures: Sequence[Picture] | None = None,
    masks: Sequence[Quad] = (),
) -> tuple[Finding, ...]:
    """Places for review, kind FACE, score 0..1 (how much like an ID photo).

    `faces`: what `find_faces` gave for the page. `lines`: the page's text. `pictures`: from
    `find_pictures`, if the caller has them. `masks`: quads that will be painted solid (codes).
    """
    regions = find_pictures(pixels, dpi) if pictures is None else pictures
    labels = [line.quad for line in lines if is_photo_label(line.text)]
    sheet = _is_sheet(lines)
    portraits = [portrait_around(face) for face in faces]
    text = [bounds(quad) for quad in text_quads(lines)]
    found = []
    for picture in regions:
        if any(picture.holds(face.quad, 0.15) for face in faces):
            continue
        if any(masked_share(picture, mask) >= _MASKED_SHARE for mask in masks):
            continue
        shape = id_photo_likeness(picture, dpi)
        box = (picture.x0, picture.y0, picture.x1, picture.y1)
        if any(_common(picture, p) >= _OWN_SHARE * _common(picture, box) for p in portraits):
            continue  # a copy broke the portrait of a face that was found
        own = any(meet(box, portrait) for portrait in portraits)
        if sheet and not own and _is_large(picture, dpi):
            score, why = max(shape, 0.8), "picture on a sheet of photos, no face found"
        elif _is_labelled(picture, labels, dpi):
            score, why = max(shape, 0.8), "picture at a photo label, no face found"
        elif shape > 0 and not _is_full_of_text(picture, text):
            score, why = shape, "picture of an ID photo's size and shape, no face found"
        else:
            continue
        found.append(Finding(Kind.FACE, picture.quad, "", score, why, FINDER))
    return tuple(found)


def find_false_codes(
    lines: Sequence[Line], codes: Sequence[Finding], faces: Sequence[Finding]
) -> tuple[Finding, ...]:
    """Places for review, kind FACE: codes on a sheet of photos that nobody could decode.

    What a fax leaves of a portrait looks like a code's modules; it may be the shoulders alone, so
    that a place reaches as far above and below as it is long.
    """
    if not _is_sheet(lines):
        return ()
    portraits = [portrait_around(face) for face in faces]
    found = []
    for code in codes:
        x0, y0, x1, y1 = bounds(code.quad)
        if code.text or any(meet((x0, y0, x1, y1), portrait) for portrait in portraits):
            continue
        more = max(x1 - x0, y1 - y0)
        why = "a code on a sheet of photos that cannot be decoded, perhaps a portrait"
        quad = rectangle(x0, y0 - more, x1, y1 + more)
        found.append(Finding(Kind.FACE, quad, "", 0.8, why, FINDER))
    return tuple(found)


def portrait_around(face: Finding) -> Box:
    """Where the upright portrait of a face is at most: around its eye bar, or around the mask of
    all of a face that could hardly be read."""
    x0, y0, x1, y1 = bounds(face.quad)
    x, y, length = (x0 + x1) / 2, (y0 + y1) / 2, max(x1 - x0, y1 - y0)
    if face.why.startswith(HARDLY_READABLE):
        room = _AROUND * length
        return x0 - room, y0 - room, x1 + room, y1 + room
    return x - _ASIDE * length, y - _UP * length, x + _ASIDE * length, y + _DOWN * length


def meet(a: Box, b: Box) -> bool:
    """Whether two boxes share an area."""
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def masked_share(picture: Picture, mask: Quad) -> float:
    """The share of the picture's box that lies in the box around `mask`, 0..1."""
    return _common(picture, bounds(mask)) / max(1, picture.width * picture.height)


def _share_in(picture: Picture, box: Box) -> float:
    """The share of `box` that lies in the picture, 0..1."""
    x0, y0, x1, y1 = box
    return _common(picture, box) / max(1e-9, (x1 - x0) * (y1 - y0))


def _common(picture: Picture, box: Box) -> float:
    """The area that both cover, square pixels."""
    w = min(picture.x1, box[2]) - max(picture.x0, box[0])
    h = min(picture.y1, box[3]) - max(picture.y0, box[1])
    return max(0.0, w) * max(0.0, h)


def widest_gap(start: float, end: float, spans: Sequence[tuple[float, float]]) -> float:
    """The widest stretch from `start` to `end` that no span (from, to) touches, as a share."""
    reached, widest = start, 0.0
    for low, high in sorted(spans):
        widest = max(widest, min(low, end) - reached)
        reached = max(reached, min(high, end))
    return max(widest, end - reached) / max(end - start, 1e-9)


def _is_full_of_text(picture: Picture, text: Sequence[Box]) -> bool:
    """Whether legible lines are spread over all of the picture, across and down."""
    inside = [box for box in text if _share_in(picture, box) >= _LEAST_SHARE_OF_LINE]
    if len(inside) < _FEWEST_LINES:
        return False
    across = widest_gap(picture.x0, picture.x1, [(x0, x1) for x0, _, x1, _ in inside])
    down = widest_gap(picture.y0, picture.y1, [(y0, y1) for _, y0, _, y1 in inside])
    return max(across, down) < _WIDEST_GAP


def _is_sheet(lines: Sequence[Line]) -> bool:
    return any(_SHEET.search(re.sub(r"\s", "", line.text)) for line in lines)


def is_photo_label(text: str) -> bool:
    """Whether a line is a label of a photo's place (照片, 贴照片处, 近期一寸免冠), not prose."""
    bare = re.sub(r"\s", "", text)
    return len(bare) <= _LONGEST_LABEL and _LABEL.search(bare) is not None


def id_photo_likeness(picture: Picture, dpi: float) -> float:
    """0 for no ID photo's shape or size, else up to 1 the more of the box is filled."""
    short, long = sorted((picture.width * 25.4 / dpi, picture.height * 25.4 / dpi))
    sized = _LEAST_MM[0] <= short <= _MOST_MM[0] and _LEAST_MM[1] <= long <= _MOST_MM[1]
    if not sized or not is_portrait_shaped(picture):
        return 0.0
    return 0.5 + 0.5 * min(1.0, picture.fill)


def is_portrait_shaped(picture: Picture) -> bool:
    """Whether the sides (either way round) and the filled share are those of a portrait."""
    short, long = sorted((picture.width, picture.height))
    return _NARROWEST <= short / max(1, long) <= _WIDEST and picture.fill >= _LEAST_FILL


def _is_large(picture: Picture, dpi: float, least_mm: float = _LEAST_ON_SHEET_MM) -> bool:
    return min(picture.width, picture.height) >= least_mm * dpi / 25.4


def _is_labelled(picture: Picture, labels: Sequence[Quad], dpi: float) -> bool:
    if not _is_large(picture, dpi, _LEAST_LABELLED_MM):
        return False
    reach = _LABEL_REACH_MM * dpi / 25.4
    for x0, y0, x1, y1 in map(bounds, labels):
        across = x0 < picture.x1 + reach and picture.x0 - reach < x1
        if across and y0 < picture.y1 + reach and picture.y0 - reach < y1:
            return True
    return False
