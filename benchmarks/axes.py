"""Says what a planted item and its page are like, in the words of the accuracy tables."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np

from redactor import geometry
from sample_scans.pages import COLOURED_GROUND
from sample_scans.truth import Face, Item, PageTruth, Quad

SKEWED = 1.0
"""Degrees from which a page counts as skewed."""
GAP = 0.3
"""Share of a glyph under a stamp from which it counts as stamped over."""
TEXT = ("name", "unit", "id_number", "phone", "email", "address", "cert_number",
        "document_number")  # fmt: skip
# By the recipe's name; a recipe that is not listed shows its own name.
_DEGRADATION = {
    "clean": "clean",
    "typeset": "clean",
    "png": "clean",
    "office": "office scan",
    "office_grey": "grey scan",
    "skewed": "office scan",
    "skewed_left": "office scan",
    "turned_90": "office scan",
    "turned_180": "office scan",
    "turned_270": "grey scan",
    "fine": "office scan",
    "low": "100 dpi",
    "poor_jpeg": "JPEG 40",
    "blurred": "blur",
    "copy": "photocopy",
    "dark_copy": "photocopy",
    "bilevel": "bilevel",
    "fax": "fax",
    "crumpled": "crumpled",
    "askew": "office scan",
    "photo": "phone photo",
    "photo_exif": "phone photo",
    "photo_fold": "phone photo, folded",
    "photo_dim": "phone photo, dim",
}


def page_axes(page: PageTruth) -> dict[str, str]:
    """rotation, degradation and dpi of a page."""
    turn = "skewed" if abs(skew(page)) >= SKEWED else str(page.rotation)
    low = next(d for d in (120, 180, 220, 10_000) if page.dpi <= d)
    dpi = {120: "100-120", 180: "150-180", 220: "200"}.get(low, "300")
    recipe = page.tags[0] if page.tags else ""
    return {"rotation": turn, "degradation": _DEGRADATION.get(recipe, recipe), "dpi": dpi}


def skew(page: PageTruth) -> float:
    """How far the printed glyphs are turned from the page's edges, degrees; 0 without print."""
    tops = [np.subtract(q[1], q[0]) for k in page.keep if not k.what for q in k.quads]
    if not tops:
        return 0.0
    # Quads are rounded to pixels: one tells little, the sum of all of them much.
    across, down = np.sum(tops, axis=0)
    return (math.degrees(math.atan2(down, across)) + 45) % 90 - 45


def item_axes(item: Item, page: PageTruth) -> dict[str, str]:
    """polarity, size and what lies over an item. `size` is the glyphs' height, for text alone."""
    if item.form == "white_on_colour":
        polarity = "white on dark"
    elif page.page_type in COLOURED_GROUND:
        polarity = "coloured ground"
    else:
        polarity = "black on white"
    axes = {"polarity": polarity, "over": _over(item, page)}
    if item.kind in TEXT and item.quads:
        axes["size"] = size_class(item.quads)
    return axes


def face_axes(face: Face, page: PageTruth) -> dict[str, str]:
    """What lies over a face."""
    seals = [i for i in page.items if i.kind == "seal" and i.outline is not None]
    over = "stamp" if any(_covers(s.outline, face.face) > 0 for s in seals) else ""
    return {"over": over}


def size_class(quads: Sequence[Quad]) -> str:
    """Height of the letters in pixels: the larger side of a glyph, in the middle of them all."""
    sides = [max(math.dist(q[0], q[1]), math.dist(q[1], q[2])) for q in quads]
    height = float(np.median(sides))
    if height < 16:
        return "under 16 px"
    if height < 24:
        return "16-23 px"
    return "24-35 px" if height < 36 else "36 px and more"


def face_form(face: Face) -> str:
    """The class of a face by its inter-ocular distance."""
    if face.distance >= 25:
        return ">=25 px"
    return "12-25 px" if face.distance >= 12 else "<12 px"


def _over(item: Item, page: PageTruth) -> str:
    if item.form == "watermark":
        return "watermark"
    if item.kind in ("seal", "code"):
        return ""
    seals = [i.outline for i in page.items if i.kind == "seal" and i.outline is not None]
    if any(_covers(seal, quad) > GAP for seal in seals for quad in item.quads):
        return "stamp"
    return ""


def _covers(outline: Quad | None, quad: Quad) -> float:
    """Share of a quad's box inside the outline's box."""
    if outline is None:
        return 0.0
    a, b = _box(outline), _box(quad)
    across, down = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    area = (b[2] - b[0]) * (b[3] - b[1])
    return across * down / area if across > 0 and down > 0 and area > 0 else 0.0


def _box(quad: Iterable[tuple[float, float]]) -> tuple[float, float, float, float]:
    return geometry.bounds(np.array(list(quad), dtype=float))


def known_recipes() -> frozenset[str]:
    """Recipes that the tables have a word for."""
    return frozenset(_DEGRADATION)
