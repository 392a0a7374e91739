"""Reads lines in Uyghur script with Tesseract, where it is installed; PaddleOCR's models cannot.

Two parts that are not always there: the package tesserocr, and uig.traineddata (Debian: package
tesseract-ocr-uig; elsewhere copied into redactor/weights or the folder TESSDATA_PREFIX). Without
them `arabic_reader` gives None, and what cannot be read is masked or reported by its place.
"""

from __future__ import annotations

import functools
import importlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image as Pillow

from redactor import geometry
from redactor.model_files import weights
from redactor.page import Char, Image, Line, Quad

LANGUAGE = "uig"
LINE_HEIGHT = 44
"""Height to which a line is scaled, pixels; measured best between 32 and 50."""
MARGIN = 0.15
"""Paper kept around a line, in its heights: without it the dots at the edge are lost."""

_SYSTEM = tuple(
    Path("/usr/share") / place
    for place in ("tesseract-ocr/5/tessdata", "tesseract-ocr/4.00/tessdata", "tessdata")
)

ArabicReader = Callable[[Image, Quad], Line | None]
"""Reads the line at an upright quad of the page: characters in reading order (right to left),
None when nothing was read."""


@functools.cache
def arabic_reader() -> ArabicReader | None:
    """The process's only reader of Uyghur script; None when it is not installed."""
    folder = data_folder()
    if folder is None:
        return None
    try:
        tesserocr: Any = importlib.import_module("tesserocr")
    except ImportError:
        return None
    api = tesserocr.PyTessBaseAPI(
        path=str(folder), lang=LANGUAGE, psm=tesserocr.PSM.RAW_LINE, oem=tesserocr.OEM.LSTM_ONLY
    )

    def read(pixels: Image, quad: Quad) -> Line | None:
        return _read(api, tesserocr.RIL.WORD, pixels, quad)

    return read


def data_folder() -> Path | None:
    """The folder that holds the data of the Uyghur reader; None when there is none."""
    said = os.environ.get("TESSDATA_PREFIX")
    folders = (weights(), *((Path(said),) if said else ()), *_SYSTEM)
    return next((f for f in folders if (f / f"{LANGUAGE}.traineddata").is_file()), None)


def _read(api: Any, level: Any, pixels: Image, quad: Quad) -> Line | None:
    x0, y0, x1, y1 = geometry.bounds(quad)
    margin = MARGIN * (y1 - y0)
    left, top = max(0, int(x0 - margin)), max(0, int(y0 - margin))
    patch = pixels[top : round(y1 + margin) + 1, left : round(x1 + margin) + 1]
    if min(patch.shape[:2]) < 8:
        return None
    scale = LINE_HEIGHT / (y1 - y0)
    grey = cv2.resize(
        cv2.cvtColor(patch, cv2.COLOR_BGR2GRAY), None, fx=scale, fy=scale,
        interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC,
    )  # fmt: skip
    api.SetImage(Pillow.fromarray(np.asarray(grey, np.uint8)))
    api.Recognize()
    found = api.GetIterator()
    words = []
    while found is not None:
        text, box = _text_of(found, level), found.BoundingBox(level)
        if text.strip() and box:
            words.append((box, text.strip(), found.Confidence(level) / 100))
        if not found.Next(level):
            break
    return line_of(words, (left, top), scale) if words else None


def _text_of(found: Any, level: Any) -> str:
    """The word at the iterator's place; tesserocr raises where Tesseract has none."""
    try:
        return str(found.GetUTF8Text(level))
    except RuntimeError:
        return ""


def line_of(
    words: list[tuple[tuple[int, int, int, int], str, float]],
    origin: tuple[int, int],
    scale: float,
) -> Line:
    """A line from words as Tesseract gives them: (box, letters from left to right, 0..1), the
    first word first.

    `origin`: top left corner of the picture that was read, page pixels; `scale`: of its pixels
    to the page's. The letters of a word share its box evenly.
    """
    chars: list[Char] = []
    for (x0, y0, x1, y1), text, score in words:
        if chars:
            chars.append(Char(" ", chars[-1].quad[[0, 0, 3, 3]], score))
        step = (x1 - x0) / len(text)
        for index, letter in enumerate(reversed(text)):
            right = x1 - index * step
            quad = geometry.rectangle(right - step, y0, right, y1) / scale + np.array(origin)
            chars.append(Char(letter, quad, score))
    whole = geometry.around([char.quad for char in chars], geometry.rectangle(0, 0, 1, 1))
    letters = [char.score for char in chars if char.text != " "]
    return Line(tuple(chars), whole, float(np.mean(letters)), layer="native")
