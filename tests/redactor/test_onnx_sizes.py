"""A network freed of its sizes must give the same answer at its old size, and some at any other.

Source: the face network that ships with the program.
"""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest

from redactor.model_files import model_file
from redactor.onnx_sizes import any_size

MODEL = "face_detection_yunet_2023mar.onnx"


def session(model: bytes) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])


def test_same_answer_at_the_old_size_and_one_at_others() -> None:
    model = model_file(MODEL).read_bytes()
    old, new = session(model), session(any_size(model))
    picture = np.random.default_rng(1).uniform(0, 255, (1, 3, 640, 640)).astype(np.float32)
    for before, after in zip(old.run(None, {"input": picture}), new.run(None, {"input": picture}),
                             strict=True):  # fmt: skip
        assert np.array_equal(before, after)
    smaller = new.run(["cls_8"], {"input": picture[:, :, :96, :64]})
    assert smaller[0].shape == (1, 12 * 8, 1)
    with pytest.raises(onnxruntime.capi.onnxruntime_pybind11_state.InvalidArgument):
        old.run(None, {"input": picture[:, :, :96, :64]})


@pytest.mark.parametrize("share", [0.1, 0.5, 0.999])
def test_cut_file_is_refused(share: float) -> None:
    model = model_file(MODEL).read_bytes()
    with pytest.raises(ValueError, match="no ONNX model"):
        any_size(model[: int(share * len(model))])


@pytest.mark.parametrize("rubbish", [b"", b"\x08\x06", b"\x0d1234", b"\xff\xff"])
def test_what_is_no_model_is_refused(rubbish: bytes) -> None:
    with pytest.raises(ValueError, match="no ONNX model"):
        any_size(rubbish)
