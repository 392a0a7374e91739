"""The model files are found by name, and a missing or changed one is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from redactor import model_files
from redactor.batch import Order, redact
from redactor.errors import ExitCode, UsageError
from redactor.profile import STRICT
from tests.redactor.golden.sets import write_roster

OCR_MODELS = (
    "PP-OCRv6_small_det",
    "PP-OCRv6_small_rec",
    "PP-OCRv6_tiny_det",
    "PP-OCRv6_tiny_rec",
    "PP-LCNet_x1_0_doc_ori",
)


@pytest.mark.parametrize("name", OCR_MODELS)
def test_a_text_model_has_the_two_files_paddlex_asks_for(name: str) -> None:
    folder = model_files.model_dir(name)
    assert sorted(file.name for file in folder.iterdir()) == ["inference.onnx", "inference.yml"]
    assert f"model_name: {name}" in (folder / "inference.yml").read_text(encoding="utf-8")


def test_the_face_models_are_single_files() -> None:
    for name in ("face_detection_yunet_2023mar.onnx", "face_landmark.tflite"):
        assert model_files.model_file(name).stat().st_size > 200_000


def test_installed_files_are_the_expected_ones() -> None:
    assert model_files.wrong_files() == {}


def test_an_unknown_model_is_a_usage_error_that_lists_the_known() -> None:
    with pytest.raises(UsageError) as caught:
        model_files.model_dir("PP-OCRv9_huge_rec")
    assert caught.value.exit_code is ExitCode.USAGE
    assert "PP-OCRv9_huge_rec" in caught.value.sentence.en
    assert all(name in caught.value.sentence.en for name in OCR_MODELS)


def test_a_path_out_of_the_folder_is_not_a_model_file() -> None:
    with pytest.raises(UsageError):
        model_files.model_file("../model_files.toml")


def test_a_missing_file_is_named_with_its_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_files, "weights", lambda: tmp_path)
    (tmp_path / "PP-OCRv6_tiny_rec").mkdir()
    (tmp_path / "PP-OCRv6_tiny_rec" / "inference.onnx").write_bytes(b"")
    with pytest.raises(UsageError) as caught:
        model_files.model_dir("PP-OCRv6_tiny_rec")
    missing = str(tmp_path / "PP-OCRv6_tiny_rec" / "inference.yml")
    assert missing in caught.value.sentence.zh and missing in caught.value.sentence.en
    assert "run.py setup" in caught.value.sentence.zh


def test_nothing_is_written_where_a_model_file_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_files, "weights", lambda: tmp_path / "none")
    roster = write_roster(tmp_path / "roster.csv")
    scans, blind, vault = (tmp_path / name for name in ("scans", "blind", "vault"))
    order = Order(scans, roster, blind, vault, STRICT, 1, False, "jpg")
    with pytest.raises(UsageError) as caught:
        redact(order, lambda done, total: None)
    assert "run.py setup" in caught.value.sentence.en
    assert not blind.exists() and not vault.exists()


def test_missing_and_changed_files_are_told_apart(tmp_path: Path) -> None:
    for name in model_files.expected():
        target = tmp_path / name
        target.parent.mkdir(exist_ok=True)
        target.write_bytes((model_files.weights() / name).read_bytes())
    assert model_files.wrong_files(tmp_path) == {}

    (tmp_path / "face_landmark.tflite").unlink()
    settings = tmp_path / "PP-LCNet_x1_0_doc_ori" / "inference.yml"
    settings.write_text(settings.read_text(encoding="utf-8").replace("256", "255"))
    assert model_files.wrong_files(tmp_path) == {
        "face_landmark.tflite": "missing",
        "PP-LCNet_x1_0_doc_ori/inference.yml": "changed",
    }
