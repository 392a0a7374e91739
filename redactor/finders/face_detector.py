"""Runs the face detector so that what it answers may be believed: no answer is not "no face".

YuNet: boxes, five points and a score, for faces from 10 to 300 pixels. OpenCV's own FaceDetectorYN
gives the same hits (tests/redactor/test_face_detector.py) in 2.3 times the CPU seconds, and reads
memory that was never written when a picture is narrow.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import cv2
import numpy as np
import numpy.typing as npt
import onnxruntime

from redactor.errors import UnreadablePage
from redactor.model_files import model_file
from redactor.onnx_sizes import any_size
from redactor.page import Image

POSSIBLE = 0.3
"""Score from which a hit is reported at all, 0..1."""
SAME = 0.3
"""Intersection over union from which two boxes are one hit."""
STRIDES = (8, 16, 32)
"""Pixels between the places at which the network's three maps look for a face."""
_MOST = 5000

Plane = npt.NDArray[np.float32]
Hits = npt.NDArray[np.float64]
Network = Callable[[Plane], dict[str, Plane]]
"""(1, 3, H, W) BGR levels 0..255, sides multiples of 32 -> for each stride s `cls_s` and `obj_s`
(1, N, 1), `bbox_s` (1, N, 4), `kps_s` (1, N, 10), N = H * W / s / s, row by row."""


@cache
def yunet() -> Network:
    """The process's only face network, one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    # Each picture has a size of its own; nothing learnt from one fits the next.
    options.enable_mem_pattern = False
    session = onnxruntime.InferenceSession(
        any_size(model_file("face_detection_yunet_2023mar.onnx").read_bytes()),
        options,
        providers=["CPUExecutionProvider"],
    )
    names = [output.name for output in session.get_outputs()]
    (source,) = session.get_inputs()

    def run(planes: Plane) -> dict[str, Plane]:
        return dict(zip(names, session.run(names, {source.name: planes}), strict=True))

    return run


def detect(image: Image, network: Network | None = None) -> Hits:
    """(n, 15) hits: x, y, width, height, five points (eye left in the picture first), score 0..1.

    Raises UnreadablePage when the network's answer is no number: then nobody knows whether there
    are faces.
    """
    height, width = image.shape[:2]
    down, right = -height % STRIDES[-1], -width % STRIDES[-1]
    whole = cv2.copyMakeBorder(image, 0, down, 0, right, cv2.BORDER_CONSTANT, value=(0, 0, 0))
    # The planes that cv2.dnn.blobFromImage gives, in a fifth of its time.
    answer = (network or yunet())(np.array(cv2.split(whole), np.float32)[None])
    if not all(np.isfinite(values).all() for values in answer.values()):
        raise UnreadablePage(
            "查找人像的模型返回无效结果，无法确认页面上是否有人像。请重新运行；"
            "如仍出现，请运行 mangping doctor 并重新安装 onnxruntime。",
            "The face detector returns invalid results, so nobody knows whether the page shows a "
            "face. Run again; if it stays, run mangping doctor and reinstall onnxruntime.",
        )
    columns = whole.shape[1]
    hits = np.concatenate([_decoded(answer, stride, columns // stride) for stride in STRIDES])
    boxes, scores = hits[:, :4].astype(int).tolist(), hits[:, 14].tolist()
    kept = cv2.dnn.NMSBoxes(boxes, scores, POSSIBLE, SAME, 1.0, _MOST)
    return np.asarray(hits[np.asarray(kept, dtype=int)], np.float64)


def _decoded(answer: dict[str, Plane], stride: int, columns: int) -> Hits:
    """The possible faces of one map: boxes and points are told from their place, in strides."""
    likely = [answer[f"{name}_{stride}"].reshape(-1).clip(0, 1) for name in ("cls", "obj")]
    score = np.sqrt(likely[0] * likely[1])
    (at,) = np.nonzero(score >= POSSIBLE)
    place = np.column_stack([at % columns, at // columns])
    box = answer[f"bbox_{stride}"].reshape(-1, 4)[at].astype(np.float64)
    points = answer[f"kps_{stride}"].reshape(-1, 5, 2)[at] + place[:, None]
    size = np.exp(box[:, 2:])
    corner = place + box[:, :2] - size / 2
    scaled = np.column_stack([corner, size, points.reshape(-1, 10)]) * stride
    return np.column_stack([scaled, score[at]])
