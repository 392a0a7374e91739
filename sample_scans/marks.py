"""Seals, portraits and codes: what identifies on a page without being a line of text."""

from __future__ import annotations

import math
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt
import segno
import zxingcpp
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageFont
from skimage import data

from sample_scans.canvas import RED, Canvas, Colour, box
from sample_scans.truth import Face, Item, Keep, Quad

_OVERSAMPLE = 2
# The astronaut portrait of scikit-image is a NASA picture in the public domain; eye centres and
# face box were read off it by hand.
_EYES = ((203.0, 101.8), (246.4, 103.0))
_FACE = (177.0, 66.0, 277.0, 182.0)
_SLIVER = 0.1
"""Share of a glyph that the sheet's edge leaves, up to which it tells no character."""


def seal(
    canvas: Canvas,
    x: float,
    y: float,
    text: str,
    applicant: int,
    shape: str = "round",
    size: float = 42,
    colour: Colour = RED,
    strength: float = 0.85,
    turn: float = 0.0,
    foot: str = "",
    form: str = "",
) -> None:
    """Stamp a seal centred at (x, y) mm: `shape` round, oval, square or triangle, `size` its width
    in mm, `strength` 0..1 of the ink, `turn` degrees clockwise. Ink multiplies, so text stays
    visible through it; a part beyond the sheet's edge is cut off."""
    k = _OVERSAMPLE
    wide = canvas.px(size) * k
    high = round(wide * {"round": 1.0, "oval": 0.72, "square": 1.0, "triangle": 0.88}[shape])
    ink = Image.new("L", (wide, high), 0)
    draw = ImageDraw.Draw(ink)
    edge = max(3, wide // 38)
    glyphs: list[npt.NDArray[np.float64]] = []
    if shape == "square":
        draw.rectangle((0, 0, wide - 1, high - 1), outline=255, width=edge)
        glyphs = _square_text(canvas, ink, text, wide, edge)
    elif shape == "triangle":
        draw.polygon([(wide / 2, 2), (wide - 2, high - 2), (2, high - 2)], None, 255, edge)
        glyphs = _triangle_text(canvas, ink, text, wide, high)
    else:
        draw.ellipse((0, 0, wide - 1, high - 1), outline=255, width=edge)
        glyphs = _ring_text(canvas, ink, text, wide, high)
        if shape == "round":
            _star(draw, wide / 2, high / 2, wide * 0.155)
        if foot:
            size_px = round(wide * 0.085)
            font = canvas.fonts.sized("sans", size_px, foot)
            down = high * (0.76 if shape == "round" else 0.5)
            draw.text((wide / 2, down), foot, 255, font, "mm", stroke_width=max(1, size_px // 18))
            left, top, right, bottom = font.getbbox(foot, anchor="mm")
            glyphs.append(
                np.array(box(wide / 2 + left, down + top, wide / 2 + right, down + bottom))
            )
    centre = (canvas.px(x), canvas.px(y))
    _stamp(canvas, ink, centre, colour, strength, turn)
    angle = math.radians(turn)
    rotation = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])

    def place(points: npt.NDArray[np.float64]) -> Quad:
        moved = (points - (wide / 2, high / 2)) / k @ rotation.T + centre
        return tuple((float(px), float(py)) for px, py in moved)

    outline = place(np.array(box(0, 0, wide, high)))
    quads = [on_sheet(place(glyph), canvas.image.size) for glyph in glyphs]
    inside = tuple(quad for quad in quads if quad is not None)
    canvas.items.append(Item("seal", text + foot, form or shape, applicant, False, inside, outline))


def fingerprint(canvas: Canvas, x: float, y: float, applicant: int, colour: Colour = RED) -> None:
    """A thumb print, centred at (x, y) mm."""
    k, wide, high = 2, canvas.px(13) * 2, canvas.px(18) * 2
    ys, xs = np.mgrid[0:high, 0:wide].astype(np.float64)
    u, v = (xs - wide / 2) / (wide / 2), (ys - high / 2) / (high / 2)
    ridge = 0.5 + 0.5 * np.sin(34 * np.hypot(u * 0.8, v - 0.25) + 2.5 * np.sin(3 * u + 2 * v))
    rng = np.random.default_rng(canvas.rng.randrange(1 << 30))
    patch = cv2.GaussianBlur(rng.random((high, wide)), (0, 0), wide / 12)
    patch = (patch - patch.min()) / (np.ptp(patch) + 1e-9)
    ink = (ridge > 0.45) * ((u * u + v * v) < 1) * (0.45 + 0.55 * patch) * 255
    _stamp(canvas, Image.fromarray(ink.astype(np.uint8)), (canvas.px(x), canvas.px(y)), colour, 0.8,
           canvas.rng.uniform(-25, 25))  # fmt: skip
    half_w, half_h = wide / k / 2, high / k / 2
    cx, cy = canvas.px(x), canvas.px(y)
    quad = box(cx - half_w, cy - half_h, cx + half_w, cy + half_h)
    canvas.items.append(Item("signature", "", "fingerprint", applicant, False, (quad,), quad))


def portrait(
    canvas: Canvas,
    x: float,
    y: float,
    width: float,
    applicant: int,
    grey: bool | None = None,
    ghost: bool = False,
) -> None:
    """A one-inch style picture, `width` mm wide (height 1.4 times), varied by the sheet's random
    numbers: crop, mirror, tint, contrast, blur. `ghost` prints it pale, as ID cards do."""
    rng = canvas.rng
    wide, high = canvas.px(width), canvas.px(width * 1.4)
    crop = rng.uniform(165, 215)
    left = 225 - crop / 2 + rng.uniform(-8, 8)
    top = rng.uniform(0, 18)
    picture = Image.fromarray(_astronaut()).transform(
        (wide, high),
        Image.Transform.EXTENT,
        (left, top, left + crop, top + crop * 1.4),
        Image.Resampling.BICUBIC,
    )
    mirror = rng.random() < 0.5
    if mirror:
        picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    if rng.random() < 0.3 if grey is None else grey:
        picture = picture.convert("L").convert("RGB")
        picture = ImageEnhance.Contrast(picture).enhance(rng.uniform(1.0, 1.5))
    else:
        picture = ImageEnhance.Color(picture).enhance(rng.uniform(0.5, 1.15))
    picture = ImageEnhance.Brightness(picture).enhance(rng.uniform(0.88, 1.1))
    picture = picture.filter(ImageFilter.GaussianBlur(rng.uniform(0, 0.006) * wide))
    if ghost:
        picture = Image.blend(picture.convert("L").convert("RGB"), Image.new("RGB", picture.size,
                              (236, 240, 244)), 0.6)  # fmt: skip
    canvas.picture(x, y, picture)
    scale, x0, y0 = wide / crop, canvas.px(x), canvas.px(y)

    def place(px: float, py: float) -> tuple[float, float]:
        across = (px - left) * scale
        return x0 + (wide - across if mirror else across), y0 + (py - top) * scale

    eyes = sorted((place(*_EYES[0]), place(*_EYES[1])))
    a, b = place(_FACE[0], _FACE[1]), place(_FACE[2], _FACE[3])
    face = box(min(a[0], b[0]), a[1], max(a[0], b[0]), b[1])
    distance = math.dist(eyes[0], eyes[1])
    canvas.faces.append(Face((eyes[0], eyes[1]), distance, face, applicant))


def qr(
    canvas: Canvas, x: float, y: float, size: float, text: str, applicant: int, turn: float = 0.0
) -> None:
    """A QR code of `size` mm with its quiet zone, top left at (x, y) before it is turned."""
    wide = canvas.px(size)
    matrix = np.array([[255 * (not c) for c in row] for row in segno.make(text, error="m").matrix])
    picture = Image.fromarray(np.pad(matrix, 2, constant_values=255).astype(np.uint8))
    _code(canvas, x, y, picture.resize((wide, wide), Image.Resampling.NEAREST), text, "qr",
          applicant, turn)  # fmt: skip


def barcode(
    canvas: Canvas, x: float, y: float, width: float, height: float, text: str, applicant: int,
    form: str = "code128", turn: float = 0.0,
) -> None:  # fmt: skip
    """A Code 128 bar code, or with `form` "pdf417" or "datamatrix" one of those; `turn` degrees
    clockwise about its middle."""
    kind = {
        "code128": zxingcpp.BarcodeFormat.Code128,
        "pdf417": zxingcpp.BarcodeFormat.PDF417,
        "datamatrix": zxingcpp.BarcodeFormat.DataMatrix,
    }[form]
    # In a square place stands a square symbol: nobody squeezes one of 8 rows and 64 columns.
    square: dict[str, bool] = {}
    if form == "datamatrix" and width == height:
        square["force_square"] = True
    made = zxingcpp.create_barcode(text, kind, **square)
    pixels = np.asarray(made.to_image(scale=4, add_quiet_zones=True))
    picture = Image.fromarray(pixels).convert("L")
    size = (canvas.px(width), canvas.px(height))
    _code(canvas, x, y, picture.resize(size, Image.Resampling.BOX), text, form, applicant, turn)


def emblem(canvas: Canvas, x: float, y: float, size: float) -> None:
    """A red disc with a golden star: red, round, and no seal."""
    draw, px = ImageDraw.Draw(canvas.image), canvas.px
    half = size / 2
    draw.ellipse((px(x - half), px(y - half), px(x + half), px(y + half)), (196, 30, 34))
    _star(draw, px(x), px(y), px(size * 0.3), (240, 200, 70))
    quad = box(px(x - half), px(y - half), px(x + half), px(y + half))
    canvas.keep.append(Keep("", (quad,), what="emblem"))


def _code(
    canvas: Canvas, x: float, y: float, picture: Image.Image, text: str, form: str, applicant: int,
    turn: float = 0.0,
) -> None:  # fmt: skip
    # The quad is the dark modules' box: the white quiet zone gives nothing away.
    ys, xs = np.nonzero(np.asarray(picture) < 128)
    tight = np.array(box(xs.min(), ys.min(), xs.max() + 1, ys.max() + 1))
    x0, y0 = canvas.px(x), canvas.px(y)
    if turn:
        middle = np.array(picture.size) / 2
        picture = picture.convert("RGBA").rotate(-turn, Image.Resampling.BICUBIC, expand=True)
        angle = math.radians(turn)
        rotation = np.array(
            [[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]]
        )
        x0, y0 = (round(v) for v in (x0, y0) + middle - np.array(picture.size) / 2)
        tight = (tight - middle) @ rotation.T + np.array(picture.size) / 2
    canvas.image.paste(picture.convert("RGB"), (x0, y0), picture.getchannel("A") if turn else None)
    quad = tuple((float(px + x0), float(py + y0)) for px, py in tight)
    canvas.items.append(Item("code", text, form, applicant, False, (quad,), quad))


@lru_cache(maxsize=1)
def _astronaut() -> npt.NDArray[np.uint8]:
    return np.asarray(data.astronaut(), dtype=np.uint8)  # type: ignore[no-untyped-call]


def _star(
    draw: ImageDraw.ImageDraw, x: float, y: float, radius: float, fill: int | Colour = 255
) -> None:
    points = []
    for i in range(10):
        r = radius if i % 2 == 0 else radius * 0.382
        a = math.radians(36 * i - 90)
        points.append((x + r * math.cos(a), y + r * math.sin(a)))
    draw.polygon(points, fill)


def _ring_text(
    canvas: Canvas, ink: Image.Image, text: str, wide: int, high: int
) -> list[npt.NDArray[np.float64]]:
    """Text on the upper arc, tops outwards; the glyphs' quads in seal pixels."""
    count = len(text)
    span = math.radians(min(300.0, 60 + 17 * count))
    rx, ry = wide * 0.40, high * (0.40 if wide == high else 0.36)
    size = round(min(wide * 0.135, 0.92 * span * min(rx, ry * 1.1) / max(count - 1, 1)))
    font = canvas.fonts.sized("song", size, text)
    quads = []
    for i, char in enumerate(text):
        a = -math.pi / 2 + (span * (i / (count - 1) - 0.5) if count > 1 else 0)
        cx, cy = wide / 2 + rx * math.cos(a), high / 2 + ry * math.sin(a)
        normal = math.atan2(math.sin(a) / ry, math.cos(a) / rx)
        quads.append(_turned(ink, char, font, size, cx, cy, math.degrees(normal) + 90))
    return quads


def _turned(
    ink: Image.Image,
    char: str,
    font: ImageFont.FreeTypeFont,
    size: int,
    cx: float,
    cy: float,
    turn: float,
) -> npt.NDArray[np.float64]:
    pad = size * 2
    sheet = Image.new("L", (pad, pad), 0)
    ImageDraw.Draw(sheet).text(
        (pad / 2, pad / 2),
        char,
        255,
        font,
        "mm",
        stroke_width=max(1, size // 22),
    )
    tight = sheet.getbbox() or (0, 0, pad, pad)
    turned = sheet.rotate(-turn, Image.Resampling.BICUBIC)
    at = (round(cx - pad / 2), round(cy - pad / 2))
    ink.paste(255, at, turned)
    a = math.radians(turn)
    rotation = np.array([[math.cos(a), -math.sin(a)], [math.sin(a), math.cos(a)]])
    corners = np.array(box(*tight)) - pad / 2
    return np.asarray(corners @ rotation.T + pad / 2 + at, dtype=np.float64)


def _square_text(
    canvas: Canvas, ink: Image.Image, text: str, wide: int, edge: int
) -> list[npt.NDArray[np.float64]]:
    """Rows from the top, as many characters a row as make a square."""
    per_row = math.ceil(math.sqrt(len(text)))
    rows = math.ceil(len(text) / per_row)
    inner = wide - 4 * edge
    size = round(inner / max(per_row, rows) * 0.9)
    font = canvas.fonts.sized("song", size, text)
    quads = []
    for i, char in enumerate(text):
        cx = 2 * edge + inner * (i % per_row + 0.5) / per_row
        cy = 2 * edge + inner * (i // per_row + 0.5) / rows
        quads.append(_turned(ink, char, font, size, cx, cy, 0))
    return quads


def _triangle_text(
    canvas: Canvas, ink: Image.Image, text: str, wide: int, high: int
) -> list[npt.NDArray[np.float64]]:
    """Rows that grow towards the bottom side, the last characters in the last row."""
    counts: list[int] = []
    while sum(counts) < len(text):
        counts.append(min(2 * len(counts) + 2, len(text) - sum(counts)))
    step = 0.6 * high / len(counts)
    middles = [high * 0.34 + step * (row + 0.5) for row in range(len(counts))]
    fits = [0.8 * wide * y / high / n for y, n in zip(middles, counts, strict=True)]
    size = round(min(step * 0.92, *fits))
    font = canvas.fonts.sized("song", size, text)
    quads, rest = [], text
    for cy, count in zip(middles, counts, strict=True):
        for i, char in enumerate(rest[:count]):
            cx = wide / 2 + (i - (count - 1) / 2) * size * 1.04
            quads.append(_turned(ink, char, font, size, cx, cy, 0))
        rest = rest[count:]
    return quads


def _stamp(
    canvas: Canvas,
    ink: Image.Image,
    centre: tuple[int, int],
    colour: Colour,
    strength: float,
    turn: float,
) -> None:
    """Multiply worn ink into the sheet."""
    turned = ink.rotate(-turn, Image.Resampling.BICUBIC, expand=True)
    turned = turned.resize(
        (max(1, turned.width // _OVERSAMPLE), max(1, turned.height // _OVERSAMPLE)),
        Image.Resampling.BOX,
    )
    cover = np.asarray(turned, dtype=np.float64) / 255
    rng = np.random.default_rng(canvas.rng.randrange(1 << 30))
    worn = cv2.GaussianBlur(rng.random(cover.shape), (0, 0), max(2, canvas.dpi / 60))
    worn = (worn - worn.min()) / (np.ptp(worn) + 1e-9)
    cover = cover * strength * (0.62 + 0.38 * worn)
    left, top = centre[0] - turned.width // 2, centre[1] - turned.height // 2
    sheet = np.asarray(canvas.image, dtype=np.float64).copy()
    height, width = sheet.shape[:2]
    x0, y0 = max(left, 0), max(top, 0)
    x1, y1 = min(left + turned.width, width), min(top + turned.height, height)
    part = cover[y0 - top : y1 - top, x0 - left : x1 - left, None]
    sheet[y0:y1, x0:x1] *= 1 - part * (1 - np.array(colour) / 255)
    canvas.image = Image.fromarray(sheet.astype(np.uint8))


def on_sheet(quad: Quad, size: tuple[int, int]) -> Quad | None:
    """What of a glyph lies on a sheet of `size` (width, height); None for nothing or a sliver."""
    cut = np.array(quad).clip(0, size)
    whole, left = (cv2.contourArea(np.array(q, np.float32)) for q in (quad, cut))
    return tuple((float(x), float(y)) for x, y in cut) if left > _SLIVER * whole else None
