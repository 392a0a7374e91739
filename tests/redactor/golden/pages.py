"""Small sheets drawn with PyPI fonts, read by the real reader and judged by their output pixels."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from random import Random

import cv2
import numpy as np
from PIL import Image as Pillow

from benchmarks.judge import judge_mask, solid
from benchmarks.verdicts import ItemVerdict
from redactor import geometry
from redactor.applicant import Applicant
from redactor.identity import identity_of
from redactor.page import Image, SourcePage
from redactor.pipeline import MaskedPage, redact_page
from redactor.profile import STRICT, Profile
from redactor.reading import shared_reader
from redactor.upright import turn
from sample_scans.canvas import Canvas, Colour, Span, box
from sample_scans.fonts import Fonts
from sample_scans.truth import Item, PageTruth

DPI = 120
OWN = Applicant(
    number=1,
    row=4,
    name="诸葛晓岚",
    unit="巴音郭楞蒙古自治州林业和草原局",
    id_number="652899198501014510",
    phones=("19900001234",),
    emails=("zhuge.xl@example.cn",),
)


def own(text: str, kind: str = "name", form: str = "plain") -> Span:
    """Text that identifies the applicant."""
    return Span(text, kind, form, OWN.number)


def sheet(width: float, height: float, paper: Colour = (253, 253, 251), dpi: int = DPI) -> Canvas:
    """A blank sheet in millimetres."""
    return Canvas(Fonts(debian=False), Random(1), dpi, width, height, paper)


def scribble(canvas: Canvas, x: float, y: float, width: float, height: float) -> None:
    """Pen strokes that nobody can read, recorded as a handwritten name."""
    rng = np.random.default_rng(4)
    steps = 26
    across = canvas.px(x) + np.linspace(0, canvas.px(width), steps)
    down = canvas.px(y) + canvas.px(height) * (0.5 + 0.45 * np.sin(np.arange(steps) * 2.3))
    points = np.stack([across, down + rng.normal(0, 1, steps)], axis=1).round().astype(np.int32)
    pixels = np.array(canvas.image)
    cv2.polylines(pixels, [points], False, (24, 30, 84), 2, cv2.LINE_AA)
    canvas.image = Pillow.fromarray(pixels)
    (x0, y0), (x1, y1) = points.min(axis=0) - 1, points.max(axis=0) + 2
    quad = box(float(x0), float(y0), float(x1), float(y1))
    canvas.items.append(Item("name", "", "scribble", OWN.number, True, (quad,)))


@dataclass(frozen=True)
class Outcome:
    """A judged page: verdicts on all items, glyphs lost of glyphs that had to stay."""

    page: MaskedPage
    verdicts: tuple[ItemVerdict, ...]
    lost: int
    kept: int

    def wrong(self) -> list[str]:
        """Everything that is not fully hidden."""
        return [f"{v.outcome}: {v.text}" for v in self.verdicts if v.outcome != "hidden"]

    def why(self) -> list[str]:
        """What was masked for which reason, to explain a failure."""
        return [f"{f.kind}: {f.text} ({f.why})" for f in self.page.findings] + [
            f"read: {line.text}" for line in self.page.reading.lines
        ]


def pixels_of(canvas: Canvas) -> Image:
    """A drawn sheet as BGR, a little blurred as every scan is."""
    pixels = np.ascontiguousarray(np.asarray(canvas.image, np.uint8)[:, :, ::-1])
    return np.asarray(cv2.GaussianBlur(pixels, (3, 3), 0.5), np.uint8)


def truth_of(canvas: Canvas, rotation: int = 0) -> PageTruth:
    """The truth of a sheet that has to be turned clockwise by `rotation` to be upright."""
    size = canvas.image.size
    return PageTruth("", 0, OWN.number, "", size, rotation, canvas.dpi, (), tuple(canvas.items),
                     tuple(canvas.keep), ())  # fmt: skip


def judged(
    canvas: Canvas, rotation: int = 0, who: Applicant = OWN, profile: Profile = STRICT
) -> Outcome:
    """Masks a sheet that arrives turned, and measures the output against what was drawn.

    The truth lies in the upright sheet; source_to_output has to bring it to the output.
    """
    upright = pixels_of(canvas)
    arrives = turn(upright, (360 - rotation) % 360)
    source = SourcePage(arrives, float(canvas.dpi))
    read = functools.partial(shared_reader, 1)
    page = redact_page(source, identity_of(who, profile.identity_settings()), profile, read)
    to_source = geometry.quarter_turn((360 - rotation) % 360, canvas.image.size)
    matrix = page.source_to_output @ to_source
    found = judge_mask(truth_of(canvas, rotation), solid(page.masked), matrix)
    return Outcome(page, found.items, found.lost, found.kept)
