"""Small folders of scans with their roster, and `mangping redact` run on them as users run it."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image as Pillow

from sample_scans.canvas import Canvas, Style
from tests.redactor.golden.pages import sheet

ROOT = Path(__file__).parents[3]
COLUMNS = ("序号", "姓名", "性别", "身份证号码", "工作单位", "手机号")
PEOPLE = (
    ("1", "诸葛晓岚", "女", "652899198501014510", "巴音郭楞蒙古自治州林业和草原局", "19900001234"),
    ("2", "李建国", "男", "", "库尔勒市第三中学", ""),
    ("3", "王秀英", "女", "", "且末县农业技术推广中心", ""),
    ("4", "欧阳震华", "男", "", "且末县农业技术推广中心", ""),
)


def write_roster(path: Path, people: Sequence[Sequence[str]] = PEOPLE) -> Path:
    """A roster as a CSV with a title row."""
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("2024年度评审花名册",), COLUMNS, *people])
    return path


def page_about(name: str, number: int = 1) -> Canvas:
    """A sheet of a few lines on which the name stands; each number makes other pixels."""
    canvas = sheet(120, 40)
    canvas.line(10, 8, ["第", str(number), "项 本单位职工", name, "同志"], Style(size=12))
    canvas.line(10, 22, "承担胡杨林更新项目，成绩优秀。", Style(size=12))
    return canvas


def save(canvas: Canvas, path: Path) -> Path:
    """The sheet as a JPEG with a name that tells who it is, as applicants send them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Pillow.Image.save(canvas.image, path, quality=90, dpi=(canvas.dpi, canvas.dpi))
    return path


def small_set(folder: Path, pages: int = 3) -> tuple[Path, Path]:
    """(scans, roster) of one applicant with `pages` files."""
    for number in range(1, pages + 1):
        name = f"诸葛晓岚-证书{number}.jpg"
        save(page_about("诸葛晓岚", number), folder / "scans" / "01诸葛晓岚" / name)
    return folder / "scans", write_roster(folder / "花名册.csv", PEOPLE[:1])


@dataclass(frozen=True)
class Run:
    """A finished `mangping redact`."""

    code: int
    stderr: str
    stdout: str
    blind: Path
    vault: Path

    def blind_files(self) -> dict[str, bytes]:
        """Content of every file in BLIND, by its posix path."""
        return {
            p.relative_to(self.blind).as_posix(): p.read_bytes()
            for p in sorted(self.blind.rglob("*"))
            if p.is_file()
        }


def command(scans: Path, roster: Path, out: Path, *more: str) -> list[str]:
    """The command line whose BLIND and VAULT lie below `out`."""
    return [
        *(sys.executable, "-m", "webapp.cli", "redact", str(scans), "--roster", str(roster)),
        *("--blind", str(out / "blind"), "--vault", str(out / "vault"), *more),
    ]


def start(
    scans: Path,
    roster: Path,
    out: Path,
    *more: str,
    language: str = "zh",
    before: Callable[[], None] | None = None,
) -> subprocess.Popen[str]:
    """Starts the command; `before` runs in the new process.

    A shell starts background jobs with Ctrl-C ignored, and tests in one would hand that down.
    """

    def prepare() -> None:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        if before:
            before()

    return subprocess.Popen(
        command(scans, roster, out, *more),
        cwd=ROOT,
        env={**os.environ, "MANGPING_LANG": language, "PYTHONIOENCODING": "utf-8"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        preexec_fn=prepare,
    )


def finish(process: subprocess.Popen[str], out: Path) -> Run:
    """Waits for the end of a started command."""
    stdout, stderr = process.communicate(timeout=300)
    return Run(process.returncode, stderr, stdout, out / "blind", out / "vault")


def run(scans: Path, roster: Path, out: Path, *more: str, **how: object) -> Run:
    """Runs the command to its end."""
    return finish(start(scans, roster, out, *more, **how), out)  # type: ignore[arg-type]


def wait_for(happened: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    """Waits until something happened while the command runs."""
    for _ in range(2400):
        if happened() or process.poll() is not None:
            break
        time.sleep(0.05)
    assert process.poll() is None, "the command ended before anything could be done to it"
    assert happened()


def interrupt(process: subprocess.Popen[str]) -> None:
    """Ctrl-C for the command alone; a terminal would also tell the workers."""
    process.send_signal(signal.SIGINT)
