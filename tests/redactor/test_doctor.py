"""Each check of the doctor fails for its own reason and says how to mend it."""

from __future__ import annotations

from pathlib import Path

import pytest

from redactor import doctor


def test_this_machine_passes(tmp_path: Path) -> None:
    checks = doctor.examine(tmp_path)
    failed = [check for check in checks if not check.ok and check.name.en != "disk space"]
    assert failed == []
    assert {"module cv2", "module onnxruntime", "model files"} <= {c.name.en for c in checks}


@pytest.mark.parametrize(("version", "ok"), [((3, 10, 14), False), ((3, 11, 0), True)])
def test_python_version(version: tuple[int, ...], ok: bool) -> None:
    check = doctor.check_python(version)
    assert check.ok is ok
    assert ("3.11" in check.remedy.zh) is not ok


def test_missing_model_files_are_all_named(tmp_path: Path) -> None:
    check = doctor.check_model_files(tmp_path)
    assert not check.ok
    for name in ("PP-OCRv6_small_det/inference.onnx", "face_landmark.tflite"):
        assert name in check.detail.zh and name in check.detail.en
    assert "run.py setup" in check.remedy.en


@pytest.mark.parametrize(
    ("error", "platform", "wanted"),
    [
        ("libGL.so.1: cannot open shared object file", "linux", ("libgl1", "mesa-libGL")),
        ("libgthread-2.0.so.0: cannot open", "linux", ("libglib2.0-0", "glib2")),
        ("DLL load failed while importing cv2", "win32", ("vc_redist.x64.exe",)),
        ("No module named 'cv2'", "linux", ("run.py setup",)),
    ],
)
def test_an_import_error_leads_to_its_remedy(
    error: str, platform: str, wanted: tuple[str, ...]
) -> None:
    remedy = doctor.import_remedy(error, platform)
    for text in wanted:
        assert text in remedy.zh and text in remedy.en


def test_a_failed_import_is_a_failed_check() -> None:
    def version() -> str:
        raise ImportError("libGL.so.1: cannot open shared object file: No such file or directory")

    check = doctor.check_import("cv2", version)
    assert not check.ok
    assert "libGL.so.1" in check.detail.zh


def test_one_command_names_each_missing_package_once() -> None:
    missing = doctor.missing_libraries(lambda soname: soname == "libstdc++.so.6")
    sentence = doctor.install_sentence(missing)
    assert "apt-get install libgl1 libglib2.0-0；" in sentence.zh
    assert sentence.en.endswith("dnf install mesa-libGL glib2")


@pytest.mark.parametrize(("free", "ok"), [(2 * 1024**3, True), (2 * 1024**3 - 1, False)])
def test_disk_space(tmp_path: Path, free: int, ok: bool) -> None:
    check = doctor.check_disk(tmp_path, free)
    assert check.ok is ok
    assert (str(tmp_path) in check.detail.zh) and bool(check.remedy.zh) is not ok


def test_free_space_of_a_folder_that_is_not_there_yet(tmp_path: Path) -> None:
    assert doctor.free_bytes(tmp_path / "new" / "round") > 0
