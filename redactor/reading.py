"""Reads the text of a page with PaddleOCR, offline: one `Reader` per process, one thread each."""

from __future__ import annotations

import functools
import importlib.metadata
import logging
import os
import tempfile
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from redactor import geometry
from redactor.characters import Decoded, extents
from redactor.freed_memory import keep_freed_memory
from redactor.model_files import model_dir
from redactor.page import Char, Image, Line, Quad

if TYPE_CHECKING:
    from paddleocr import DocImgOrientationClassification, TextDetection, TextRecognition

DETECTION, RECOGNITION = "PP-OCRv6_small_det", "PP-OCRv6_small_rec"
SECOND_DETECTION, SECOND_RECOGNITION = "PP-OCRv6_tiny_det", "PP-OCRv6_tiny_rec"
"""For the second look at a masked page: other weights make other mistakes, in a quarter of the
time."""
ORIENTATION = "PP-LCNet_x1_0_doc_ori"
DETECTION_SIDE = 1280
"""Longest side of a page in the detector, pixels."""
SHORTEST_CROP = 160
"""Short lines are padded to this width in the recogniser, pixels at 48 px height. The model's own
320 costs 22 % more and changed no line of ten real pages but stray marks; 96 loses characters."""
TALL = 1.5
"""A box this many times as high as wide holds stacked characters (PaddleOCR's own bound)."""
WIDER = 1.6
"""A row of a merged box is wider than this many heights of its ink: two characters and more. One
character's ink may be as low as 0.7 of its width."""
SURE = 0.995
"""Above this probability no alternatives of a character are kept."""
ALTERNATIVES, LEAST_ALTERNATIVE = 5, 0.002
LAYOUT_VERSION = "9"
"""Raised whenever this module gives other lines for the same pixels: part of the cache key."""


@functools.cache
def reader_version() -> str:
    """Names everything that decides what is read; changes whenever a reading may change."""
    packages = ("paddleocr", "onnxruntime")
    versions = "+".join(f"{name}-{importlib.metadata.version(name)}" for name in packages)
    return f"{RECOGNITION}+{versions}+{DETECTION_SIDE}+{SHORTEST_CROP}+{LAYOUT_VERSION}"


@functools.cache
def shared_reader(threads: int = 1) -> Reader:
    """The process's only reader; loading the models costs about two seconds."""
    return Reader(threads)


@functools.cache
def second_reader(threads: int = 1) -> Reader:
    """The process's reader for the second look, with models of another size."""
    return Reader(threads, SECOND_DETECTION, SECOND_RECOGNITION)


class Reader:
    """Detection, recognition and orientation models, loaded once."""

    def __init__(
        self,
        threads: int = 1,
        detection_model: str = DETECTION,
        recognition_model: str = RECOGNITION,
    ) -> None:
        detection, recognition, orientation = _load_models(
            threads, detection_model, recognition_model
        )
        self._detection = detection
        self._recognition = recognition
        self._orientation = orientation
        cv2.setNumThreads(threads)

    def detect(self, pixels: Image, side: int = DETECTION_SIDE) -> list[Quad]:
        """Quads of text lines, clockwise from the top left of the page, unordered."""
        (result,) = self._detection.predict(
            pixels,
            limit_side_len=side,
            limit_type="max",
            thresh=0.2,
            box_thresh=0.45,
            unclip_ratio=1.4,
        )
        return [np.asarray(poly, dtype=np.float64) for poly in result["dt_polys"]]

    def recognise(self, crops: Sequence[Image]) -> Iterator[Decoded]:
        """The text of each crop of a line, upright and left to right."""
        for crop in crops:
            (result,) = self._recognition.predict(crop, batch_size=1)
            yield result["rec_text"]

    def classify(self, pixels: Image) -> tuple[int, float]:
        """(degrees clockwise that turn the page upright, probability 0..1) by looks alone."""
        (result,) = self._orientation.predict(pixels)
        turned = int(result["label_names"][0])
        return (360 - turned) % 360, float(result["scores"][0])

    def read_lines(
        self, pixels: Image, quads: Sequence[Quad], layer: str = "ink"
    ) -> tuple[Line, ...]:
        """Recognises the lines at `quads` (as detected) and places their characters."""
        single = [row for quad in quads for row in split_rows(pixels, quad)]
        reading_quads = [reading_direction(q) for q in single]
        crops = [crop_line(pixels, quad) for quad, _ in reading_quads]
        lines = (
            place_characters(decoded, quad, vertical, layer)
            for decoded, (quad, vertical) in zip(self.recognise(crops), reading_quads, strict=True)
        )
        return tuple(line for line in lines if line.chars)


def reading_direction(quad: Quad) -> tuple[Quad, bool]:
    """(`quad` from its reading start, whether the characters are stacked).

    Stacked characters are read downwards with their tops to the right, as PaddleOCR turns them.
    """
    if geometry.height(quad) >= TALL * geometry.width(quad):
        return np.roll(quad, -1, axis=0), True
    return quad, False


def split_rows(pixels: Image, quad: Quad) -> list[Quad]:
    """The rows of a box in which the detector merged several; the box itself when it is one row.

    Narrow cells with wrapped text come as one box. Rows are bands of ink, each wider than high,
    so stacked single characters stay together.
    """
    w, h = geometry.width(quad), geometry.height(quad)
    if h < 20 or w > 3 * h:
        return [quad]
    grey = cv2.cvtColor(crop_line(pixels, quad), cv2.COLOR_BGR2GRAY)
    _, ink = cv2.threshold(grey, 0, 1, cv2.THRESH_BINARY_INV + cv2.THRESH_OTSU)
    if ink.mean() > 0.5:
        ink = 1 - ink
    ink = ink[:, ink.mean(axis=0) < 0.7]  # without the cell's own rules
    if ink.shape[1] < 0.5 * w:
        return [quad]
    full = ink.mean(axis=1) > 0.01
    edges = np.flatnonzero(np.diff(np.r_[0, full.astype(np.int8), 0]))
    bands = [(a, b) for a, b in edges.reshape(-1, 2) if b - a >= 0.08 * h]
    heights = [b - a for a, b in bands]
    if len(bands) < 2 or min(heights) < 0.6 * max(heights) or max(heights) * WIDER > w:
        return [quad]
    cuts = [0.0, *((a + b) / 2 for (_, a), (b, _) in pairwise(bands)), float(len(full))]
    return [geometry.between_down(quad, a / len(full), b / len(full)) for a, b in pairwise(cuts)]


def crop_line(pixels: Image, quad: Quad) -> Image:
    """The line at `quad`, warped to a rectangle whose x axis is the reading direction."""
    w = max(1, round(max(np.linalg.norm(quad[1] - quad[0]), np.linalg.norm(quad[2] - quad[3]))))
    h = max(1, round(max(np.linalg.norm(quad[3] - quad[0]), np.linalg.norm(quad[2] - quad[1]))))
    target = np.array([[0, 0], [w, 0], [w, h], [0, h]], dtype=np.float32)
    matrix = cv2.getPerspectiveTransform(quad.astype(np.float32), target)
    return np.asarray(
        cv2.warpPerspective(
            pixels, matrix, (w, h), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
        ),
        dtype=np.uint8,
    )


def place_characters(decoded: Decoded, quad: Quad, vertical: bool, layer: str) -> Line:
    """A line whose characters have quads on the page."""
    places = extents(decoded, geometry.width(quad), geometry.height(quad))
    chars = tuple(
        Char(text, geometry.between(quad, start, end), score, others)
        for text, (start, end), score, others in zip(
            decoded.text, places, decoded.scores, decoded.others, strict=True
        )
    )
    return Line(chars, quad, decoded.score, vertical, layer)


def engine(threads: int = 1) -> dict[str, Any]:
    """onnxruntime's settings; its own store of freed memory is used only where the C library
    keeps none, because it holds 200 MB more."""
    return {"intra_op_num_threads": threads, "enable_cpu_mem_arena": not keep_freed_memory()}


def _load_models(
    threads: int, detection_model: str, recognition_model: str
) -> tuple[TextDetection, TextRecognition, DocImgOrientationClassification]:
    os.environ["PADDLE_PDX_DISABLE_MODEL_SOURCE_CHECK"] = "True"
    os.environ.setdefault("PADDLE_PDX_CACHE_HOME", str(Path(tempfile.gettempdir()) / "mangping"))
    logging.getLogger("ppocr").setLevel(logging.ERROR)
    from paddleocr import DocImgOrientationClassification, TextDetection, TextRecognition

    common: dict[str, Any] = {"engine": "onnxruntime", "engine_config": engine(threads)}

    def load(model: Any, name: str) -> Any:
        return model(model_name=name, model_dir=str(model_dir(name)), **common)

    recognition = load(TextRecognition, recognition_model)
    predictor = recognition.paddlex_predictor
    predictor.post_op = _CtcDecoder(predictor.post_op.character)
    for step in predictor.config["PreProcess"]["transform_ops"]:
        if "RecResizeImg" in step:
            shape = [*step["RecResizeImg"]["image_shape"][:2], SHORTEST_CROP]
            step["RecResizeImg"]["image_shape"] = shape
            predictor.pre_tfs["ReisizeNorm"].rec_image_shape = shape
    return (
        load(TextDetection, detection_model),
        recognition,
        load(DocImgOrientationClassification, ORIENTATION),
    )


class _CtcDecoder:
    """Stands in for PaddleX's decoder: keeps every character's place, probability and rivals.

    PaddleX reports only a line's mean probability, and one box for a run of Latin characters.
    """

    def __init__(self, characters: Sequence[str]) -> None:
        self._characters = characters

    def __call__(
        self, preds: Any, *, wh_ratio_list: list[float], max_wh_ratio: float, **_: object
    ) -> tuple[list[Decoded], list[float]]:
        lines = [
            self._decode(probabilities, ratio / max_wh_ratio)
            for probabilities, ratio in zip(np.asarray(preds[0]), wh_ratio_list, strict=True)
        ]
        return lines, [line.score for line in lines]

    def _decode(self, probabilities: np.ndarray, used: float) -> Decoded:
        """`used`: the share of the columns that holds the crop; the rest is padding."""
        best = probabilities.argmax(axis=1)
        peak = probabilities[np.arange(len(best)), best]
        columns = len(best) * used
        text, centres, scores, others = [], [], [], []
        starts = np.flatnonzero(np.r_[True, best[1:] != best[:-1]])
        for start, end in zip(starts, np.r_[starts[1:], len(best)], strict=True):
            if best[start] == 0:
                continue
            weights = peak[start:end]
            top = start + int(weights.argmax())
            text.append(self._characters[best[start]])
            centre = float((np.arange(start, end) + 0.5) @ weights / weights.sum()) / columns
            centres.append(min(centre, 1.0))
            scores.append(float(peak[top]))
            others.append(self._rivals(probabilities[top], int(best[top]), float(peak[top])))
        return Decoded("".join(text), tuple(centres), tuple(scores), tuple(others))

    def _rivals(
        self, probabilities: np.ndarray, best: int, peak: float
    ) -> tuple[tuple[str, float], ...]:
        if peak > SURE:
            return ()
        top = np.argpartition(probabilities, -ALTERNATIVES)[-ALTERNATIVES:]
        ranked = sorted(top, key=lambda i: -probabilities[i])
        return tuple(
            (self._characters[i], round(float(probabilities[i]), 4))
            for i in ranked
            if i not in (0, best) and probabilities[i] > LEAST_ALTERNATIVE
        )
