"""What the network says must come out as OpenCV's own detector reads it, and no rubbish may pass.

Source: OpenCV's FaceDetectorYN on the same file; scikit-image's `astronaut` (NASA, public domain).
"""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from redactor.errors import UnreadablePage
from redactor.finders.face_detector import POSSIBLE, SAME, STRIDES, Hits, Plane, detect
from redactor.model_files import model_file
from redactor.page import Image


def by_opencv(picture: Image) -> Hits:
    model = str(model_file("face_detection_yunet_2023mar.onnx"))
    size = (picture.shape[1], picture.shape[0])
    detector = cv2.FaceDetectorYN.create(model, "", size, POSSIBLE, SAME, 5000)
    _, found = detector.detect(picture)
    return np.zeros((0, 15)) if found is None else np.asarray(found, np.float64)


@pytest.mark.parametrize(("width", "height"), [(320, 320), (301, 407), (640, 633), (97, 130)])
def test_same_hits_as_opencv(width: int, height: int) -> None:
    data = pytest.importorskip("skimage.data")
    portrait = np.asarray(data.astronaut())[:300, 100:340, ::-1]
    resized = cv2.resize(portrait, (width, height), interpolation=cv2.INTER_AREA)
    picture = np.ascontiguousarray(resized, np.uint8)
    hits = detect(picture)
    assert len(hits) >= 1
    assert hits == pytest.approx(by_opencv(picture), abs=0.01)


def answer(
    planes: Plane, rubbish: float | None = None, *faces: tuple[int, int]
) -> dict[str, Plane]:
    """A network's answer: a face, one stride wide, at each (column, row) of the first map."""
    rows, columns = planes.shape[2:]
    said = {}
    for stride in STRIDES:
        count = (rows // stride) * (columns // stride)
        for name, width in (("cls", 1), ("obj", 1), ("bbox", 4), ("kps", 10)):
            said[f"{name}_{stride}"] = np.zeros((1, count, width), np.float32)
    for column, row in faces:
        at = row * (columns // STRIDES[0]) + column
        said[f"cls_{STRIDES[0]}"][0, at] = said[f"obj_{STRIDES[0]}"][0, at] = 0.9
    if rubbish is not None:
        said["kps_32"][0, -1, 3] = rubbish
    return said


@pytest.mark.parametrize("rubbish", [float("nan"), float("inf"), -float("inf")])
def test_answer_that_is_no_number_makes_the_page_unreadable(rubbish: float) -> None:
    """Even one beside a sound hit: what else of the answer could be believed?"""
    with pytest.raises(UnreadablePage):
        detect(np.zeros((64, 64, 3), np.uint8), lambda planes: answer(planes, rubbish, (1, 1)))


def test_no_hits() -> None:
    assert detect(np.zeros((64, 64, 3), np.uint8), answer).shape == (0, 15)


@given(st.integers(1, 130), st.integers(1, 130), st.data())
def test_hit_stands_where_the_network_says(width: int, height: int, data: st.DataObject) -> None:
    """Whatever the picture's sides: the padding is to the right and below, and nothing is moved."""
    column = data.draw(st.integers(0, (width - 1) // 8))
    row = data.draw(st.integers(0, (height - 1) // 8))
    picture = np.full((height, width, 3), 200, np.uint8)

    def network(planes: Plane) -> dict[str, Plane]:
        assert planes.shape[2] % 32 == planes.shape[3] % 32 == 0
        assert np.all(planes[0, :, :height, :width] == 200)
        assert planes.sum() == 200 * 3 * height * width
        return answer(planes, None, (column, row))

    (hit,) = detect(picture, network)
    assert hit[:4] == pytest.approx((8 * column - 4, 8 * row - 4, 8, 8))
    assert hit[14] == pytest.approx(0.9)


def test_real_network_takes_pictures_of_any_shape() -> None:
    rng = np.random.default_rng(2)
    for _ in range(60):
        width, height = (int(v) for v in rng.integers(4, 120, 2))
        hits = detect(rng.integers(0, 256, (height, width, 3), np.uint8))
        assert np.isfinite(hits).all()
        assert (hits[:, 2:4] > 0).all()
