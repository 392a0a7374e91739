"""Checks that this machine can do the work, and says for each failure how to mend it.

Imports only the standard library at the top: run.py uses it before any package is installed.
Run `python -m redactor.doctor` for the failures alone, in both languages.
"""

from __future__ import annotations

import ctypes
import importlib
import shutil
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from redactor import model_files
from redactor.errors import Sentence

OLDEST_PYTHON = (3, 11)
MIN_FREE_BYTES = 2 * 1024**3
"""A round's working space: vault, blind pages and cache of some hundred dossiers."""

CV2_VERSION = "4.10."
"""paddlex pins this one; the boxes were measured with it."""


@dataclass(frozen=True)
class Check:
    """One thing looked at. `remedy` is empty when `ok`."""

    name: Sentence
    ok: bool
    detail: Sentence
    remedy: Sentence


@dataclass(frozen=True)
class SystemLibrary:
    """A shared library that Python packages expect on Linux, and the packages that bring it."""

    soname: str
    debian: str
    fedora: str


SYSTEM_LIBRARIES = (
    SystemLibrary("libGL.so.1", "libgl1", "mesa-libGL"),
    SystemLibrary("libglib-2.0.so.0", "libglib2.0-0", "glib2"),
    SystemLibrary("libgthread-2.0.so.0", "libglib2.0-0", "glib2"),
    SystemLibrary("libstdc++.so.6", "libstdc++6", "libstdc++"),
)
_NOTHING = Sentence("", "")


def examine(folder: Path) -> list[Check]:
    """All checks, in the order in which to mend them. `folder` is where results will be written."""
    return [
        check_python(sys.version_info[:3]),
        check_import("cv2", _cv2_version),
        check_import("onnxruntime", _plain_version("onnxruntime")),
        check_model_files(model_files.weights()),
        check_disk(folder, free_bytes(folder)),
    ]


def check_python(version: tuple[int, ...]) -> Check:
    """`version` is (major, minor, micro)."""
    text = ".".join(map(str, version))
    oldest = ".".join(map(str, OLDEST_PYTHON))
    ok = version[:2] >= OLDEST_PYTHON
    remedy = Sentence(
        f"请安装 Python {oldest} 或更高版本（https://www.python.org），再用它运行。",
        f"Install Python {oldest} or newer (https://www.python.org) and run with it.",
    )
    return Check(
        Sentence("Python 版本", "Python version"), ok, Sentence(text, text), _if(ok, remedy)
    )


def check_model_files(folder: Path) -> Check:
    """Every model file is there with the hash of model_files.toml."""
    wrong = model_files.wrong_files(folder)
    name = Sentence("模型文件", "model files")
    if not wrong:
        count = len(model_files.expected())
        good = Sentence(f"{count} 个文件，校验和全部一致", f"{count} files, all hashes equal")
        return Check(name, True, good, _NOTHING)
    chinese = {"missing": "缺少", "changed": "内容被改动"}
    detail = Sentence(
        f"{folder}：" + "；".join(f"{file} {chinese[why]}" for file, why in wrong.items()),
        f"{folder}: " + "; ".join(f"{file} is {why}" for file, why in wrong.items()),
    )
    remedy = Sentence(
        f"请删除 {folder}，在源码目录运行 `python run.py setup`，或重新安装 mangping。",
        f"Delete {folder} and run `python run.py setup` in the source folder, "
        "or install mangping again.",
    )
    return Check(name, False, detail, remedy)


def check_import(module: str, version: Callable[[], str]) -> Check:
    """The module can be imported; `version` imports it and returns its version text."""
    name = Sentence(f"组件 {module}", f"module {module}")
    try:
        text = version()
    except ImportError as error:
        remedy = import_remedy(str(error), sys.platform)
        return Check(name, False, Sentence(str(error), str(error)), remedy)
    return Check(name, True, Sentence(text, text), _NOTHING)


def check_disk(folder: Path, free: int) -> Check:
    """`free` is in bytes."""
    gigabytes = f"{free / 1024**3:.1f} GB"
    needed = f"{MIN_FREE_BYTES / 1024**3:.0f} GB"
    ok = free >= MIN_FREE_BYTES
    detail = Sentence(f"{folder} 剩余 {gigabytes}", f"{gigabytes} free at {folder}")
    remedy = Sentence(
        f"请在该磁盘上腾出至少 {needed}，或换一个输出位置。",
        f"Free at least {needed} on that disk, or write the results elsewhere.",
    )
    return Check(Sentence("磁盘空间", "disk space"), ok, detail, _if(ok, remedy))


def free_bytes(folder: Path) -> int:
    """Free space where `folder` is, or will be: its nearest parent that exists is asked."""
    place = folder.absolute()
    while not place.exists():
        place = place.parent
    return shutil.disk_usage(place).free


def missing_libraries(can_load: Callable[[str], bool]) -> list[SystemLibrary]:
    """Those of SYSTEM_LIBRARIES that `can_load` (by soname) does not find."""
    return [library for library in SYSTEM_LIBRARIES if not can_load(library.soname)]


def can_load(soname: str) -> bool:
    """Whether the dynamic linker finds a shared library."""
    try:
        ctypes.CDLL(soname)
    except OSError:
        return False
    return True


def install_sentence(libraries: Iterable[SystemLibrary]) -> Sentence:
    """The one command per family of distributions that brings all of `libraries`."""
    wanted = list(libraries)
    apt = "sudo apt-get install " + " ".join(dict.fromkeys(lib.debian for lib in wanted))
    dnf = "sudo dnf install " + " ".join(dict.fromkeys(lib.fedora for lib in wanted))
    return Sentence(
        f"请安装系统软件包。Debian、Ubuntu、统信UOS：{apt}；Fedora、openEuler：{dnf}",
        f"Install the system packages. Debian, Ubuntu: {apt}; Fedora, openEuler: {dnf}",
    )


def import_remedy(error: str, platform: str) -> Sentence:
    """What to do about an ImportError's text on `platform` (a value of sys.platform)."""
    lacking = [library for library in SYSTEM_LIBRARIES if library.soname in error]
    if lacking:
        return install_sentence(lacking)
    if platform == "win32" and "DLL load failed" in error:
        return Sentence(
            "请安装 Microsoft Visual C++ 2015-2022 运行库 (x64)："
            "https://aka.ms/vs/17/release/vc_redist.x64.exe；"
            "Windows N 版还须在“可选功能”中添加“媒体功能包”。",
            "Install the Microsoft Visual C++ 2015-2022 Redistributable (x64), "
            "https://aka.ms/vs/17/release/vc_redist.x64.exe; on a Windows N edition also add "
            "the Media Feature Pack under Optional features.",
        )
    return Sentence(
        "请在源码目录运行 `python run.py setup`，或重新安装 mangping。",
        "Run `python run.py setup` in the source folder, or install mangping again.",
    )


def _cv2_version() -> str:
    version = _plain_version("cv2")()
    if not version.startswith(CV2_VERSION):
        raise ImportError(f"cv2 {version} instead of {CV2_VERSION}x: another package replaced it")
    return version


def _plain_version(module: str) -> Callable[[], str]:
    return lambda: str(importlib.import_module(module).__version__)


def _if(ok: bool, remedy: Sentence) -> Sentence:
    return _NOTHING if ok else remedy


def main() -> int:
    """Print each failing check in both languages; 0 when there is none, else 2."""
    failed = [check for check in examine(Path.cwd()) if not check.ok]
    for check in failed:
        print(f"{check.name.zh}：{check.detail.zh}\n  {check.remedy.zh}")
        print(f"{check.name.en}: {check.detail.en}\n  {check.remedy.en}")
    return 2 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
