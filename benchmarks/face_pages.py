"""Pages with portraits pasted on, and pages that only look like it, for benchmarks/faces.py."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image as Pictures
from PIL import ImageDraw, ImageFont

from redactor.page import Image

ONE_INCH_IOD_MM = 5.8
Ink = npt.NDArray[np.float32]
Points = npt.NDArray[np.float64]
TURNS = (0, 90, 180, 270)
SENTENCE = "本人自参加工作以来认真履行岗位职责完成各项任务获得单位同事一致好评现将情况汇报如下"


@dataclass(frozen=True, eq=False)
class Portrait:
    pixels: Image
    eyes: Points

    @property
    def iod(self) -> float:
        return float(np.linalg.norm(self.eyes[1] - self.eyes[0]))


@dataclass(frozen=True, eq=False)
class Pasted:
    """Where a portrait went: eye centres (2, 2) and corners (4, 2), page pixels."""

    eyes: Points
    corners: Points

    @property
    def iod(self) -> float:
        return float(np.linalg.norm(self.eyes[1] - self.eyes[0]))


@dataclass(frozen=True)
class Case:
    condition: str
    dpi: int
    iod: float
    turn: int


def load_portraits(folder: Path) -> list[Portrait]:
    truth = json.loads((folder / "eyes.json").read_text("utf-8"))
    found = []
    for name, entry in sorted(truth.items()):
        pixels = cv2.imread(str(folder / name))
        if pixels is None:
            raise SystemExit(f"{folder / name}: cannot be read")
        found.append(Portrait(np.asarray(pixels, np.uint8), np.array(entry["eyes"], np.float64)))
    return found


def text_page(rng: np.random.Generator, dpi: int, font: Path | None) -> Image:
    """A4 page of text lines on slightly tinted paper."""
    width, height = round(8.27 * dpi), round(11.69 * dpi)
    page = Pictures.new("RGB", (width, height), tuple(int(v) for v in rng.integers(242, 256, 3)))
    draw = ImageDraw.Draw(page)
    size = max(8, round(dpi * rng.choice([10.5, 12, 14]) / 72))
    face = ImageFont.truetype(str(font), size) if font else ImageFont.load_default(size)
    y = dpi * 0.7
    while y < height - dpi * 0.7:
        first = int(rng.integers(0, len(SENTENCE)))
        line = (SENTENCE * 3)[first : first + int((width - 1.4 * dpi) / size)]
        if rng.random() < 0.15:
            line = f"zhang.xl{first}@example.cn  (0996) 20{first:02d}@88  " + line[: len(line) // 2]
        text = line if font else f"{first} blind review @ row, column & seal " * 3
        draw.text((0.7 * dpi, y), text, font=face, fill=(30, 30, 30))
        y += size * 1.6
    return np.ascontiguousarray(np.asarray(page)[:, :, ::-1])


def paste(
    page: Image, portrait: Portrait, iod: float, turn: float, centre: tuple[float, float]
) -> Pasted:
    """Put the portrait turned clockwise by `turn` degrees onto `page`, in place."""
    scale = iod / portrait.iod
    pixels, eyes = portrait.pixels, portrait.eyes * scale
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    pixels = np.asarray(cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=way), np.uint8)
    height, width = pixels.shape[:2]
    cos, sin = np.cos(np.deg2rad(turn)), np.sin(np.deg2rad(turn))
    matrix = np.array([[cos, -sin, 0], [sin, cos, 0]])
    matrix[:, 2] = np.array(centre) - matrix[:, :2] @ (width / 2, height / 2)
    size = (page.shape[1], page.shape[0])
    inside = cv2.warpAffine(np.ones((height, width), np.float32), matrix, size)[:, :, None]
    page[:] = page * (1 - inside) + cv2.warpAffine(pixels, matrix, size) * inside
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]])
    return Pasted(eyes @ matrix[:, :2].T + matrix[:, 2], corners @ matrix[:, :2].T + matrix[:, 2])


def _colour(page: Image, faces: list[Pasted], rng: np.random.Generator) -> Image:
    return page


def _grey(page: Image, faces: list[Pasted], rng: np.random.Generator) -> Image:
    grey = cv2.cvtColor(page, cv2.COLOR_BGR2GRAY)
    return np.asarray(cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR), np.uint8)


def _photocopy(page: Image, faces: list[Pasted], rng: np.random.Generator) -> Image:
    grey = cv2.cvtColor(page, cv2.COLOR_BGR2GRAY).astype(np.float32)
    soft = np.asarray(cv2.GaussianBlur(grey, (0, 0), 0.7))
    copy = 255 / (1 + np.exp(-(soft - 125) / 22)) + rng.normal(0, 6, grey.shape)
    done = np.clip(copy, 0, 255).astype(np.uint8)
    return np.asarray(cv2.cvtColor(done, cv2.COLOR_GRAY2BGR), np.uint8)


def _jpeg40(page: Image, faces: list[Pasted], rng: np.random.Generator) -> Image:
    done, data = cv2.imencode(".jpg", page, [cv2.IMWRITE_JPEG_QUALITY, 40])
    if not done:
        raise RuntimeError("JPEG encoding failed")
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)


def _stamp(page: Image, faces: list[Pasted], rng: np.random.Generator) -> Image:
    """A red ring of 40 mm (for a one-inch photo) over the lower half of each photo."""
    ink = np.zeros(page.shape[:2], np.float32)
    for face in faces:
        _draw_seal(ink, face.corners[rng.integers(0, 4)] * 0.6 + face.eyes.mean(0) * 0.4, face.iod)
    red = np.array([40, 30, 200], np.float32)
    return (page * (1 - ink[:, :, None] * 0.75) + red * ink[:, :, None] * 0.75).astype(np.uint8)


def _embossed(page: Image, faces: list[Pasted], rng: np.random.Generator) -> Image:
    ink = np.zeros(page.shape[:2], np.float32)
    for face in faces:
        _draw_seal(ink, face.corners[rng.integers(0, 4)] * 0.6 + face.eyes.mean(0) * 0.4, face.iod)
    shift = max(1, round(np.median([f.iod for f in faces]) / 20))
    relief = (ink - np.roll(ink, (shift, shift), (0, 1)))[:, :, None] * 60
    return np.clip(page + relief, 0, 255).astype(np.uint8)


def _draw_seal(ink: Ink, centre: Points, iod: float) -> None:
    x, y = (int(v) for v in centre)
    radius, pen = round(iod * 3.4), max(1, round(iod / 6))
    cv2.circle(ink, (x, y), radius, (1.0,), pen, cv2.LINE_AA)
    for angle in np.linspace(0.6, 5.7, 14):
        at = (int(x + radius * 0.75 * np.sin(angle)), int(y + radius * 0.75 * np.cos(angle)))
        cv2.putText(ink, "HW", at, 0, iod / 45, (1.0,), max(1, pen // 2), cv2.LINE_AA)
    star = [
        (x + radius * r * np.sin(a), y - radius * r * np.cos(a))
        for a, r in zip(np.arange(10) * np.pi / 5, [0.35, 0.14] * 5, strict=True)
    ]
    cv2.fillPoly(ink, [np.array(star, np.int32)], (1.0,))


def _glasses(page: Image, faces: list[Pasted], rng: np.random.Generator) -> Image:
    out = page.copy()
    for face in faces:
        pen = max(1, round(face.iod / 14))
        line = face.eyes[1] - face.eyes[0]
        angle = float(np.rad2deg(np.arctan2(line[1], line[0])))
        axes = (round(face.iod * 0.38), round(face.iod * 0.28))
        for eye in face.eyes:
            at = (round(eye[0]), round(eye[1]))
            cv2.ellipse(out, at, axes, angle, 0, 360, (25, 20, 20), pen, cv2.LINE_AA)
        ends = [tuple(int(v) for v in face.eyes[0] + line * part) for part in (0.38, 0.62)]
        cv2.line(out, ends[0], ends[1], (25, 20, 20), pen, cv2.LINE_AA)
    return out


def _ghost(page: Image, faces: list[Pasted], rng: np.random.Generator) -> Image:
    """A pale copy as on ID cards: the photos keep 35 % of their contrast."""
    inside = np.zeros(page.shape[:2], np.uint8)
    for face in faces:
        cv2.fillConvexPoly(inside, face.corners.astype(np.int32), (1,))
    pale = _grey(page, faces, rng) * 0.35 + 0.65 * 245
    return np.where(inside[:, :, None] > 0, pale, page).astype(np.uint8)


def _stamped_copy(page: Image, faces: list[Pasted], rng: np.random.Generator) -> Image:
    return _jpeg40(_photocopy(_stamp(page, faces, rng), faces, rng), faces, rng)


Condition = Callable[[Image, list[Pasted], np.random.Generator], Image]
CONDITIONS: dict[str, Condition] = {
    "colour": _colour,
    "grey": _grey,
    "photocopy": _photocopy,
    "jpeg40": _jpeg40,
    "glasses": _glasses,
    "red stamp": _stamp,
    "embossed": _embossed,
    "ghost": _ghost,
    "stamp+copy+jpeg": _stamped_copy,
}


def make_page(
    case: Case, portraits: list[Portrait], rng: np.random.Generator, font: Path | None
) -> tuple[Image, list[Pasted]]:
    """Up to four portraits, one per quarter of the page, tilted by up to 5 degrees."""
    page = text_page(rng, case.dpi, font)
    height, width = page.shape[:2]
    faces = []
    for i, portrait in enumerate(portraits):
        x = width * (0.27 + 0.46 * (i % 2)) + rng.uniform(-20, 20)
        y = height * (0.27 + 0.46 * (i // 2)) + rng.uniform(-60, 60)
        turn = case.turn + rng.uniform(-5, 5)
        faces.append(paste(page, portrait, case.iod, turn, (x, y)))
    return CONDITIONS[case.condition](page, faces, rng), faces


def control_page(rng: np.random.Generator, dpi: int, font: Path | None) -> Image:
    """A page without a face, with the things that look like one to a detector."""
    page = text_page(rng, dpi, font)
    height, width = page.shape[:2]
    pen = max(1, dpi // 100)
    if rng.random() < 0.5:
        for part in np.linspace(0.25, 0.75, 4):
            at = (round(0.4 * dpi), round(part * height))
            cv2.circle(page, at, round(dpi * 0.12), (60, 60, 60), -1, cv2.LINE_AA)
    if rng.random() < 0.5:
        step = round(dpi * 0.4)
        for y in range(round(height * 0.5), round(height * 0.8), step):
            cv2.line(page, (round(0.6 * dpi), y), (width - round(0.6 * dpi), y), (0, 0, 0), pen)
    ink = np.zeros(page.shape[:2], np.float32)
    for _ in range(int(rng.integers(0, 3))):
        centre = rng.uniform((dpi, dpi), (width - dpi, height - dpi))
        _draw_seal(ink, centre, dpi * rng.uniform(0.15, 0.25))
    red = np.array([40, 30, 200], np.float32) * ink[:, :, None] * 0.8
    page = (page * (1 - ink[:, :, None] * 0.8) + red).astype(np.uint8)
    for _ in range(int(rng.integers(0, 4))):
        x, y = (int(v) for v in rng.uniform((dpi, dpi), (width - dpi, height - dpi)))
        cv2.ellipse(page, (x, y), (round(dpi * 0.4), round(dpi * 0.2)), 5, 0, 360, (0, 0, 220), pen)
    for _ in range(int(rng.integers(0, 4))):
        steps = rng.normal(0, dpi * 0.12, (25, 2)).cumsum(axis=0)
        path = steps + rng.uniform((dpi, dpi), (width - dpi, height - dpi))
        cv2.polylines(page, [path.astype(np.int32)], False, (90, 40, 30), pen * 2, cv2.LINE_AA)
    return [_colour, _photocopy, _jpeg40][int(rng.integers(0, 3))](page, [], rng)


def some_font() -> Path | None:
    """A font with Han characters, if the machine has one."""
    try:
        import pylopdf_fonts_zh_cn as fonts
    except ImportError:
        folders = [Path("/usr/share/fonts")]
    else:
        folders = [Path(next(iter(fonts.__path__))), Path("/usr/share/fonts")]
    names = ("*NotoSansSC*", "*NotoSansCJK*", "*NotoSerifSC*", "*wqy*", "ukai*", "uming*")
    return next((p for folder in folders for name in names for p in folder.rglob(name)), None)
