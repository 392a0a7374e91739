"""Runs the face detector so that what it answers may be believed, because OpenCV at times answers
with memory that was never written, and a garbage hit hides a face that was missed.

YuNet (OpenCV's FaceDetectorYN): boxes, five points and a score, for faces from 10 to 300 pixels.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, Protocol

import cv2
import numpy as np
import numpy.typing as npt

from redactor.errors import UnreadablePage
from redactor.model_files import model_file
from redactor.page import Image

POSSIBLE = 0.3
"""Score from which a hit is reported at all, 0..1."""
# Up to 32 pixels a side leaves one cell to the network's coarsest map, and OpenCV 4.10 then reads
# memory that was never written: 19 of 76 such pictures, against none of 1,971 larger ones.
_SMALLEST_SIDE = 64
_TRIES = 3

Hits = npt.NDArray[np.float64]


class Detector(Protocol):
    """What is used of cv2.FaceDetectorYN."""

    def setInputSize(self, size: tuple[int, int]) -> None: ...  # noqa: N802

    def detect(self, image: Image) -> tuple[int, Any]: ...


def new_detector() -> Detector:
    """A detector with a network of its own."""
    model = str(model_file("face_detection_yunet_2023mar.onnx"))
    return cv2.FaceDetectorYN.create(model, "", (320, 320), POSSIBLE, 0.3, 5000)


def detect(image: Image, fresh: Callable[[], Detector] = new_detector) -> Hits:
    """(n, 15) hits: x, y, width, height, five points (eye left in the picture first), score 0..1.

    An unsound answer is asked for again from a `fresh` detector. Raises UnreadablePage when it
    stays unsound: then nobody knows whether there are faces.
    """
    height, width = image.shape[:2]
    down, right = max(0, _SMALLEST_SIDE - height), max(0, _SMALLEST_SIDE - width)
    if down or right:
        image = np.asarray(
            cv2.copyMakeBorder(image, 0, down, 0, right, cv2.BORDER_REPLICATE), np.uint8
        )
    size = (image.shape[1], image.shape[0])
    for attempt in range(_TRIES):
        detector = fresh() if attempt else _kept(fresh)
        detector.setInputSize(size)
        _, found = detector.detect(image)
        hits = np.zeros((0, 15)) if found is None else np.asarray(found, np.float64)
        if are_sound(hits, size):
            return hits
    raise UnreadablePage(
        "查找人像的模型反复返回无效结果，无法确认页面上是否有人像。请重新运行；"
        "如仍出现，请运行 mangping doctor 并重新安装 OpenCV。",
        "The face detector keeps returning invalid results, so nobody knows whether the page shows "
        "a face. Run again; if it stays, run mangping doctor and reinstall OpenCV.",
    )


def are_sound(hits: Hits, size: tuple[int, int]) -> bool:
    """Whether all hits are finite, fit a picture of `size` (width, height), and score below 1,
    which no face reaches but unwritten memory, cut off at 1, does."""
    if not np.isfinite(hits).all():
        return False
    fits = (hits[:, 2:4] > 0).all() and (np.abs(hits[:, :4]) < 3 * max(size)).all()
    return bool(fits and (hits[:, 14] < 1.0).all())


@cache
def _kept(fresh: Callable[[], Detector]) -> Detector:
    """One detector of a kind for the whole process: making one costs as much as a small look."""
    return fresh()
