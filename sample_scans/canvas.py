"""Draws text on a blank sheet glyph by glyph and remembers where the ink of each one lies."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from random import Random

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from sample_scans.fonts import Fonts
from sample_scans.truth import Face, Item, Keep, Quad

Colour = tuple[int, int, int]
BLACK: Colour = (28, 28, 30)
INK: Colour = (24, 30, 84)
RED: Colour = (205, 28, 32)
_NO_LINE_START = "，。、；：？！）》」』】”’%,.;:?!)"
_INK = 70


@dataclass(frozen=True)
class Span:
    """A run of text. `kind` "" means that it must stay; `ring` and the like go to `form`."""

    text: str
    kind: str = ""
    form: str = "plain"
    applicant: int = 0
    labelled: bool = False
    decoy: bool = False


Part = str | Span


@dataclass(frozen=True)
class Style:
    """How text looks. `size` in points; `gap` is extra advance in em; `hand` makes strokes vary;
    `alpha` below 1 is pale."""

    face: str = "song"
    size: float = 12.0
    colour: Colour = BLACK
    gap: float = 0.0
    bold: bool = False
    hand: bool = False
    alpha: float = 1.0

    def but(self, **changes: object) -> Style:
        return replace(self, **changes)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Drawn:
    """One glyph as drawn, baseline origin in pixels; a PDF's text layer is made of these."""

    char: str
    x: float
    y: float
    size: float


def box(x0: float, y0: float, x1: float, y1: float) -> Quad:
    """An upright rectangle as a quad."""
    return ((x0, y0), (x1, y0), (x1, y1), (x0, y1))


class Canvas:
    """A sheet of `width` x `height` millimetres at `dpi`. All arguments in mm, y of a line is the
    top of its em box; recorded quads are in pixels."""

    def __init__(
        self,
        fonts: Fonts,
        rng: Random,
        dpi: int,
        width: float = 210,
        height: float = 297,
        paper: Colour = (253, 253, 251),
    ) -> None:
        self.fonts, self.rng, self.dpi = fonts, rng, dpi
        self.width, self.height = width, height
        self.image = Image.new("RGB", (self.px(width), self.px(height)), paper)
        self.items: list[Item] = []
        self.keep: list[Keep] = []
        self.faces: list[Face] = []
        self.drawn: list[Drawn] = []

    def px(self, mm: float) -> int:
        return round(mm * self.dpi / 25.4)

    def mm(self, px: float) -> float:
        return px * 25.4 / self.dpi

    def em(self, style: Style) -> float:
        """The em of a style in mm."""
        return style.size * 25.4 / 72

    # --- text -----------------------------------------------------------------------------

    def advance(self, char: str, style: Style) -> float:
        font = self.fonts.sized(style.face, self._size(style), char)
        return font.getlength(char) + style.gap * self._size(style)

    def length(self, parts: Iterable[Part], style: Style) -> float:
        """The width of a line in mm."""
        text = "".join(_span(p).text for p in parts)
        return self.mm(sum(self.advance(c, style) for c in text) - style.gap * self._size(style))

    def line(
        self, x: float, y: float, parts: Sequence[Part] | Part, style: Style, align: str = "left"
    ) -> float:
        """One line from (or centred on, or ending at) x; returns where it ends, in mm."""
        spans = [_span(p) for p in ([parts] if isinstance(parts, str | Span) else parts)]
        left = x - {"left": 0.0, "center": 0.5, "right": 1.0}[align] * self.length(spans, style)
        pen, base = float(self.px(left)), self._base(y, style)
        for span in spans:
            quads: list[Quad] = []
            for char in span.text:
                quad = self.glyph(char, pen, base, style)
                quads += [] if quad is None else [quad]
                pen += self.advance(char, style)
            self.record(span, [quads], style)
        return self.mm(pen)

    def paragraph(
        self,
        x: float,
        y: float,
        width: float,
        parts: Sequence[Part] | Part,
        style: Style,
        leading: float = 1.6,
        indent: float = 2.0,
    ) -> float:
        """Text flowed over lines; a span that crosses a line end is recorded as wrapped. Returns
        the y under the last line."""
        spans = [_span(p) for p in ([parts] if isinstance(parts, str | Span) else parts)]
        left, right = self.px(x), self.px(x + width)
        pen = left + indent * self._size(style)
        step = self.em(style) * leading
        for span in spans:
            rows: list[list[Quad]] = [[]]
            texts = [""]
            for char in span.text:
                wide = 0.0 if char == "\n" else self.advance(char, style)
                if char == "\n" or (pen + wide > right + 1 and char not in _NO_LINE_START):
                    y += step
                    pen = left + (indent * self._size(style) if char == "\n" else 0)
                    rows.append([])
                    texts.append("")
                if char == "\n":
                    continue
                quad = self.glyph(char, pen, self._base(y, style), style)
                rows[-1] += [] if quad is None else [quad]
                texts[-1] += char
                pen += wide
            self.record(span, rows, style, texts)
        return y + step

    def column(
        self, x: float, y: float, parts: Sequence[Part] | Part, style: Style, gap: float = 0.15
    ) -> float:
        """Vertical text, x is the middle of the column; returns the y under it in mm."""
        spans = [_span(p) for p in ([parts] if isinstance(parts, str | Span) else parts)]
        for span in spans:
            quads: list[Quad] = []
            for char in span.text:
                pen = self.px(x) - self.advance(char, style) / 2
                quad = self.glyph(char, pen, self._base(y, style), style)
                quads += [] if quad is None else [quad]
                y += self.em(style) * (1 + gap)
            self.record(replace(span, form="vertical" if span.kind else span.form), [quads], style)
        return y

    def script(self, x: float, y: float, span: Span, style: Style) -> None:
        """A run in a joined script (Uyghur), drawn and recorded as a whole."""
        font = self.fonts.sized(style.face, self._size(style), "")
        at = (self.px(x), round(self._base(y, style)))
        draw = ImageDraw.Draw(self.image)
        draw.text(at, span.text, style.colour, font, "ls", direction="rtl")
        x0, y0, x1, y1 = draw.textbbox(at, span.text, font, "ls", direction="rtl")
        self.record(span, [[box(x0, y0, x1, y1)]], style)

    def record(
        self,
        span: Span,
        rows: Sequence[Sequence[Quad]],
        style: Style,
        texts: Sequence[str] = (),
    ) -> None:
        """Remember drawn glyphs; keep-text is split at line ends, an identity stays whole."""
        full = [row for row in rows if row]
        if not full:
            return
        if not span.kind:
            for row, text in zip(rows, texts or [span.text], strict=True):
                if row:
                    self.keep.append(Keep(text.strip(), tuple(row), span.decoy))
            return
        form = span.form
        if form == "plain":
            form = "wrapped" if len(full) > 1 else "handwritten" if style.hand else "plain"
        quads = tuple(q for row in full for q in row)
        text = span.text.strip()
        self.items.append(Item(span.kind, text, form, span.applicant, span.labelled, quads))

    def glyph(self, char: str, pen: float, base: float, style: Style) -> Quad | None:
        """Draw one glyph with its baseline origin at pixel (pen, base); its ink box, None for a
        blank."""
        if char.isspace():
            return None
        mask, left, top = self._mask(char, style)
        ys, xs = np.nonzero(mask > _INK)
        if not len(ys):
            ys, xs = np.nonzero(mask)
            if not len(ys):
                return None
        x, y = round(pen) + left, round(base) + top
        if style.hand:
            y += round(self.rng.gauss(0, 0.03) * self._size(style))
        if style.alpha < 1:
            mask = (mask * style.alpha).astype(np.uint8)
        self.image.paste(style.colour, (x, y), Image.fromarray(mask))
        self.drawn.append(Drawn(char, pen, base, self._size(style)))
        return box(x + xs.min(), y + ys.min(), x + xs.max() + 1, y + ys.max() + 1)

    def _mask(self, char: str, style: Style) -> tuple[npt.NDArray[np.uint8], int, int]:
        size = self._size(style)
        font = self.fonts.sized(style.face, size, char)
        stroke = max(1, round(size * 0.022)) if style.bold else 0
        x0, y0, x1, y1 = (int(v) for v in font.getbbox(char, anchor="ls", stroke_width=stroke))
        pad = 2 + (size // 4 if style.hand else 0)
        sheet = Image.new("L", (x1 - x0 + 2 * pad, y1 - y0 + 2 * pad), 0)
        ImageDraw.Draw(sheet).text((pad - x0, pad - y0), char, 255, font, "ls", stroke_width=stroke)
        mask = np.asarray(sheet)
        if style.hand:
            mask = self._by_hand(mask, size)
        return mask, x0 - pad, y0 - pad

    def _by_hand(self, mask: npt.NDArray[np.uint8], size: int) -> npt.NDArray[np.uint8]:
        """Lean, turn and bend a glyph a little, differently each time, as a pen does."""
        height, width = mask.shape
        rng = self.rng
        turn, lean = rng.uniform(-0.09, 0.05), rng.uniform(-0.22, 0.02)
        grow = rng.uniform(0.92, 1.12)
        cos, sin = np.cos(turn) * grow, np.sin(turn) * grow
        matrix = np.array([[cos, -sin + lean, 0.0], [sin, cos, 0.0]])
        centre = np.array([width / 2, height / 2])
        matrix[:, 2] = centre - matrix[:, :2] @ centre
        ys, xs = np.mgrid[0:height, 0:width].astype(np.float32)
        bend = size * 0.022
        p, q = rng.uniform(0, 6.28), rng.uniform(0, 6.28)
        bx = xs + bend * np.sin(ys / size * 5.5 + p)
        by = ys + bend * np.sin(xs / size * 5.5 + q)
        inverse = cv2.invertAffineTransform(matrix)
        map_x = (inverse[0, 0] * bx + inverse[0, 1] * by + inverse[0, 2]).astype(np.float32)
        map_y = (inverse[1, 0] * bx + inverse[1, 1] * by + inverse[1, 2]).astype(np.float32)
        return np.asarray(cv2.remap(mask, map_x, map_y, cv2.INTER_LINEAR), dtype=np.uint8)

    def _size(self, style: Style) -> int:
        return max(4, round(style.size * self.dpi / 72))

    def _base(self, y: float, style: Style) -> float:
        return self.px(y) + 0.88 * self._size(style)

    # --- lines and areas ------------------------------------------------------------------

    def rule(
        self,
        x0: float,
        y0: float,
        x1: float,
        y1: float,
        colour: Colour = BLACK,
        weight: float = 0.25,
        what: str = "",
    ) -> None:
        """A straight line, `weight` in mm; `what` records it as a thing that must stay."""
        px, wide = self.px, max(1, self.px(weight))
        ImageDraw.Draw(self.image).line([(px(x0), px(y0)), (px(x1), px(y1))], colour, wide)
        if what:
            half = wide / 2
            quad = box(px(x0), px(y0) - half, px(x1), px(y1) + half)
            self.keep.append(Keep("", (quad,), what=what))

    def area(
        self,
        x0: float,
        y0: float,
        x1: float,
        y1: float,
        fill: Colour | None,
        outline: Colour | None = None,
        weight: float = 0.25,
        radius: float = 0,
    ) -> None:
        """A filled or framed rectangle."""
        corners = (self.px(x0), self.px(y0), self.px(x1), self.px(y1))
        ImageDraw.Draw(self.image).rounded_rectangle(
            corners, self.px(radius), fill, outline, max(1, self.px(weight)) if outline else 0
        )

    def picture(self, x: float, y: float, picture: Image.Image) -> None:
        """Paste a picture that has its final pixel size already; transparency is respected."""
        mask = picture.getchannel("A") if picture.mode == "RGBA" else None
        self.image.paste(picture.convert("RGB"), (self.px(x), self.px(y)), mask)

    def table(
        self, x: float, y: float, widths: Sequence[float], heights: Sequence[float]
    ) -> list[list[tuple[float, float, float, float]]]:
        """A ruled grid; returns its cells as (x, y, width, height) in mm, by row and column."""
        rows = []
        top = y
        for height in heights:
            left, row = x, []
            for width in widths:
                if width and height:
                    self.area(left, top, left + width, top + height, None, BLACK, 0.2)
                row.append((left, top, width, height))
                left += width
            rows.append(row)
            top += height
        return rows

    def cell(
        self,
        cell: tuple[float, float, float, float],
        parts: Sequence[Part] | Part,
        style: Style,
        align: str = "center",
    ) -> None:
        """One line in the vertical middle of a cell; too long text is flowed over lines."""
        x, y, width, height = cell
        listed = [parts] if isinstance(parts, str | Span) else list(parts)
        em = self.em(style)
        if self.length(listed, style) <= width - 1:
            at = {"left": x + 1.5, "center": x + width / 2}[align]
            self.line(at, y + (height - em) / 2, listed, style, align)
            return
        rows = int(self.length(listed, style) / (width - 3)) + 1
        top = y + max(0.5, (height - rows * em * 1.25) / 2)
        self.paragraph(x + 1.5, top, width - 3, listed, style, 1.25, 0)


def _span(part: Part) -> Span:
    return Span(part) if isinstance(part, str) else part
