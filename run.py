#!/usr/bin/env python3
"""Sets up, tries and checks mangping on a bare machine, with nothing but Python 3.11 or newer.

    python run.py setup | demo | test | lint | audit | bundle | bundle-test | clean

On Windows: py run.py ...

`make setup` and so on call it. It must start on any Python 3, to be able to say which one it needs.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
STAMP = VENV / "mangping.stamp"
WINDOWS = sys.platform == "win32"
BUILD_INPUTS = (
    *("pyproject.toml", "hatch_build.py", "redactor/model_files.toml"),
    *("webapp/browser/package-lock.json", "webapp/browser/files.toml"),
)
MADE_BY_US = (
    *(".venv", "build", "dist", "demo-output", "redactor/weights", "webapp/static/vendor"),
    *(".pytest_cache", ".mypy_cache", ".ruff_cache", ".hypothesis", ".import_linter_cache"),
)
LINT = (
    ["-m", "ruff", "check", "."],
    ["-m", "ruff", "format", "--check", "."],
    ["-m", "mypy"],
    ["-c", "from importlinter.cli import lint_imports_command as lint; lint()"],
)
TEST = (*LINT, ["-m", "pytest"])


def main(arguments: list[str]) -> int:
    for stream in (sys.stdout, sys.stderr):
        # A C locale or a Chinese Windows pipe would otherwise stop at the first full-width sign.
        stream.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr]
    if sys.version_info < (3, 11):
        have = ".".join(map(str, sys.version_info[:3]))
        return stop(
            f"需要 Python 3.11 或更高版本，当前为 {have}。请从 https://www.python.org 安装，"
            "或用 `make PYTHON=python3.11 …` 指定。",
            f"Python 3.11 or newer is needed, and this is {have}. Install it from "
            "https://www.python.org, or name one: `make PYTHON=python3.11 ...`.",
        )
    if not arguments or arguments[0] not in TASKS:
        print(__doc__)
        return 0 if arguments[:1] in (["help"], ["-h"], ["--help"]) else 2
    try:
        return TASKS[arguments[0]](arguments[1:])
    except KeyboardInterrupt:
        return 130


def setup(_: list[str]) -> int:
    """Virtual environment, packages and model files; quick when they are there already."""
    if not shutil.which(str(python())) or current_stamp() != wanted_stamp() or weights_missing():
        code = system_packages() or make_venv() or install()
        if code:
            return code
        STAMP.write_text(wanted_stamp(), encoding="utf-8")
    return call(["-m", "redactor.doctor"])


def demo(extra: list[str]) -> int:
    """Redact the sample scans and open a ready round."""
    return setup([]) or run([str(python().with_name("mangping")), "demo", *extra])


def lint(_: list[str]) -> int:
    return setup([]) or run_all(LINT)


def test(extra: list[str]) -> int:
    """All checks; what follows `test` goes to pytest."""
    return setup([]) or run_all((*TEST[:-1], [*TEST[-1], *extra]))


def bundle(extra: list[str]) -> int:
    """A folder in dist/ from which mangping is installed where there is no internet."""
    return setup([]) or call(["-m", "deploy.bundle", *extra])


def bundle_test(extra: list[str]) -> int:
    """Install the bundle in dist/ with no network, and try it."""
    return run([sys.executable, "benchmarks/bundle_offline.py", *extra])


def audit(extra: list[str]) -> int:
    """A list of all that is installed, in dist/, and what is known against it."""
    return setup([]) or call(["-m", "deploy.audit", *extra])


def clean(_: list[str]) -> int:
    """Remove what the other tasks made; downloaded wheels stay in the user's cache."""
    for name in MADE_BY_US:
        if (ROOT / name).exists():
            print(f"- {name}")
            shutil.rmtree(ROOT / name)
    return 0


def python() -> Path:
    return VENV / ("Scripts/python.exe" if WINDOWS else "bin/python")


def wanted_stamp(root: Path = ROOT) -> str:
    """Changes when the packages must be installed again."""
    digest = hashlib.sha256(sys.version.encode())
    for name in BUILD_INPUTS:
        digest.update((root / name).read_bytes())
    return digest.hexdigest()


def current_stamp() -> str:
    return STAMP.read_text(encoding="utf-8") if STAMP.is_file() else ""


def weights_missing() -> bool:
    from redactor import model_files

    files = [model_files.weights() / name for name in model_files.expected()]
    return not all(path.is_file() for path in (*files, ROOT / "webapp/static/vendor/stamp"))


def system_packages() -> int:
    """Look before the long download, and name everything that is missing at once."""
    from importlib.util import find_spec

    from redactor import doctor

    lacking = [] if sys.platform != "linux" else doctor.missing_libraries(doctor.can_load)
    if find_spec("ensurepip") is None:
        lacking.append(doctor.SystemLibrary("venv", "python3-venv", "python3"))
    if not lacking:
        return 0
    names = ", ".join(library.soname for library in lacking)
    remedy = doctor.install_sentence(lacking)
    return stop(f"本机缺少 {names}。{remedy.zh}", f"This machine lacks {names}. {remedy.en}")


def make_venv() -> int:
    print(f"-> {VENV}", flush=True)
    done = subprocess.run([sys.executable, "-m", "venv", "--clear", str(VENV)], check=False)
    if done.returncode == 0:
        return 0
    return stop(
        f"无法创建虚拟环境 {VENV}。请确认该文件夹可写、磁盘未满；"
        "Debian、Ubuntu 请安装 python3-venv。",
        f"The virtual environment {VENV} could not be made. See that the folder can be written "
        "and the disk is not full; on Debian and Ubuntu install python3-venv.",
    )


def install() -> int:
    print("-> pip install -e .[dev]", flush=True)
    if call(["-m", "pip", "install", "--disable-pip-version-check", "-q", "-e", ".[dev]"]) == 0:
        return 0
    return stop(
        "安装未完成，原因见上。常见原因是无法访问软件源：请连接互联网，或设置镜像源，例如 "
        "`pip config set global.index-url https://pypi.tuna.tsinghua.edu.cn/simple`，再重新运行。",
        "The installation did not finish; the reason is above. Most often the package index "
        "cannot be reached: connect to the internet or set a mirror "
        "(`pip config set global.index-url ...`), then run the same command again.",
    )


def run_all(steps: tuple[list[str], ...]) -> int:
    """Run every step, also after a failure, so that one run shows all there is to mend."""
    failed = []
    for step in steps:
        name = "lint-imports" if step[0] == "-c" else " ".join(step[1:])
        print(f"-> {name}", flush=True)
        if call(step):
            failed.append(name)
    if failed:
        return stop(f"未通过：{'；'.join(failed)}", f"Failed: {'; '.join(failed)}")
    return 0


def call(arguments: list[str]) -> int:
    """Run the virtual environment's Python; its exit code."""
    return run([str(python()), *arguments])


def run(command: list[str]) -> int:
    """Run a command in the project's folder, with UTF-8 whatever the locale; its exit code."""
    environment = {**os.environ, "PYTHONUTF8": "1"}
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


def stop(zh: str, en: str) -> int:
    print(f"\n{zh}\n{en}", file=sys.stderr)
    return 2


TASKS = {
    **{"setup": setup, "demo": demo, "test": test, "lint": lint, "audit": audit},
    **{"bundle": bundle, "bundle-test": bundle_test, "clean": clean},
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
