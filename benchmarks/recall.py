"""Measures from output pixels what of freshly made dossiers was hidden, held back or leaked.

    python -m benchmarks.recall --seeds N [--first-seed S] [--applicants N] [--write FILE]
    python -m benchmarks.recall [SET]

Each seed is a set of its own: drawn, redacted by the command line, judged (benchmarks/judge.py),
kept as one JSON of verdicts (benchmarks/verdicts.py) below --work, and its pages deleted. A seed
that was judged with the same code and settings is not run again, so an interrupted measurement
goes on. The committed set is never among them; it is measured by itself when a SET is named or no
seed asked for. FILE is docs/ACCURACY.md. Two controls stand beside every measurement: pages as
they came (nothing may count as hidden) and black pages (nothing may count as visible).
"""

from __future__ import annotations

import argparse
import datetime
import hashlib
import json
import os
import platform
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from benchmarks.accuracy_table import document, interval, tables
from benchmarks.axes import page_axes
from benchmarks.judge import Judged, covered, judge_item, judge_mask, judge_page, solid
from benchmarks.ring_text import laid_over
from benchmarks.verdicts import (
    VISUAL_KINDS,
    ItemVerdict,
    Measurement,
    PageVerdict,
    Tool,
    added,
    load,
    save,
)
from redactor import doctor, geometry
from redactor.loading import load_page
from redactor.page import Image
from sample_scans.generate import DEFAULT_OUT, generate
from sample_scans.truth import PageTruth, Quad, Truth, load_truth

__all__ = ["covered", "interval", "judge_item", "judge_page", "pages_of", "solid"]

ROOT = Path(__file__).resolve().parent.parent
Entry = dict[str, Any]


@dataclass(frozen=True)
class Settings:
    """How a measurement is run. `misses`: folder for pictures of what stays visible."""

    profile: str = "strict"
    jobs: int = 1
    applicants: int = 2
    misses: Path | None = None


def run(folder: Path, out: Path, profile: str, jobs: int) -> dict[tuple[str, int], Entry]:
    """Redacts the set with the command line; the report's pages by (source, page)."""
    if (out / "vault" / "report.json").exists():
        return pages_of(out)
    command = [sys.executable, "-m", "webapp.cli", "redact", str(folder / "scans")]
    command += ["--roster", str(folder / "roster.xlsx"), "--blind", str(out / "blind")]
    command += ["--vault", str(out / "vault"), "--profile", profile, "--jobs", str(jobs)]
    done = subprocess.run(command, check=False, cwd=ROOT)
    if done.returncode not in (0, 1, 3):
        raise SystemExit(done.returncode)
    return pages_of(out)


def pages_of(out: Path) -> dict[tuple[str, int], Entry]:
    """The report's pages by (source, page).

    SystemExit when every one of them failed: all would count as held and nothing as visible.
    """
    report = json.loads((out / "vault" / "report.json").read_text(encoding="utf-8"))
    if report["pages"] and all(page["state"] == "failed" for page in report["pages"]):
        raise SystemExit(f"Every page failed, nothing was measured. {report['pages'][0]['reason']}")
    return {(page["source"], page["source_page"]): page for page in report["pages"]}


def measured(
    folder: Path, out: Path, report: Mapping[tuple[str, int], Entry], settings: Settings
) -> Measurement:
    """The verdicts on every page of a redacted set."""
    truth = load_truth(next(folder.glob("truth.json*")))
    pages: list[PageVerdict] = []
    items: list[ItemVerdict] = []
    controls = dict.fromkeys(("nothing_hidden", "nothing_of", "black_visible", "black_of"), 0)
    for page in truth.pages:
        source = load_page(folder / "scans" / page.source, page.source_page).pixels
        entry = report.get((page.source, page.source_page), {})
        verdict, judged = judged_page(truth, page, source, entry, out)
        items += [replace(item, page=len(pages)) for item in judged.items]
        pages.append(verdict)
        nothing = judge_page(page, source, source, np.eye(3))
        black = judge_mask(page, np.ones(source.shape[:2], dtype=bool), np.eye(3))
        controls["nothing_hidden"] += sum(i.outcome == "hidden" for i in nothing.items)
        controls["nothing_of"] += len(nothing.items)
        controls["black_visible"] += sum(i.outcome != "hidden" for i in black.items)
        controls["black_of"] += len(black.items)
        pages[-1] = replace(pages[-1], lost_before=nothing.lost)
        if settings.misses is not None:
            name = f"{truth.seed}-{len(pages):03d}-{page.page_type}.jpg"
            show_misses(settings.misses / name, verdict, page, judged, source, entry, out)
    return Measurement(
        Tool("mangping", code_version(), f"--profile {settings.profile}"),
        tuple(pages),
        tuple(items),
        machine(),
        datetime.date.today().isoformat(),
        shlex.join(["python", "-m", "benchmarks.recall", *sys.argv[1:]]),
        controls,
    )


def judged_page(
    truth: Truth, page: PageTruth, source: Image, entry: Entry, out: Path
) -> tuple[PageVerdict, Judged]:
    """A page's row and its judged items; a page that is not in the report was not let out."""
    output = picture_of(entry, out)
    matrix = np.array(entry.get("source_to_output", np.eye(3)), dtype=float)
    if output is None:
        blank = judge_mask(page, np.ones(source.shape[:2], dtype=bool), np.eye(3))
        judged = replace(blank, items=tuple(replace(i, masked="", left=0) for i in blank.items))
    else:
        judged = judge_page(page, source, output, matrix)
    if not entry.get("output"):
        judged = replace(judged, items=tuple(replace(i, outcome="held") for i in judged.items))
    false = {} if output is None else false_masks(page, entry.get("masks", ()), matrix)
    return PageVerdict(
        truth.seed,
        page.source,
        page.source_page,
        page.page_type,
        page_axes(page),
        entry.get("state", "failed"),
        entry.get("reason", "not in the report"),
        entry.get("seconds"),
        judged.kept,
        judged.lost,
        0,
        bool(page.eyes) or any(item.kind in VISUAL_KINDS for item in page.items),
        false,
        judged.placed,
    ), judged


def picture_of(entry: Entry, out: Path) -> Image | None:
    """The masked page, let out or held; None when there is none."""
    where = out / "blind" / entry["output"] if entry.get("output") else None
    if where is None and entry.get("held"):
        where = out / "vault" / entry["held"]
    if where is None:
        return None
    pixels = cv2.imread(str(where))
    if pixels is None:
        raise SystemExit(f"{where}: cannot be read")
    return np.asarray(pixels, dtype=np.uint8)


def false_masks(page: PageTruth, masks: Sequence[Entry], matrix: np.ndarray) -> dict[str, int]:
    """Masks of VISUAL_KINDS, by kind, that touch nothing planted that is found by its looks; one
    for a signature may lie on any planted item, such as a name by hand."""
    looks: list[Quad] = [face.face for face in page.eyes]
    texts: list[Quad] = []
    for item in page.items:
        target = looks if item.kind in VISUAL_KINDS else texts
        target += item.quads if item.outline is None else (item.outline,)
    found: dict[str, int] = {}
    coded = any(item.kind == "code" for item in page.items)
    for mask in masks:
        if mask["kind"] not in VISUAL_KINDS:
            continue
        if coded and mask["why"].startswith("number "):
            continue  # what a code says, printed beside it: the code can be drawn from it again
        planted = looks + texts if mask["kind"] == "signature" else looks
        quads = (geometry.mapped(np.array(q, dtype=float), matrix) for q in planted)
        if not any(_meet(np.array(mask["quad"], dtype=float), quad) for quad in quads):
            found[mask["kind"]] = found.get(mask["kind"], 0) + 1
    return found


def _meet(a: np.ndarray, b: np.ndarray) -> bool:
    first, second = (np.asarray(cv2.convexHull(q.astype(np.float32)), np.float32) for q in (a, b))
    return float(cv2.intersectConvexConvex(first, second)[0]) > 0


def show_misses(
    file: Path,
    verdict: PageVerdict,
    page: PageTruth,
    judged: Judged,
    source: Image,
    entry: Entry,
    out: Path,
) -> None:
    """Writes the page before and after, what stays visible outlined, with lines in misses.tsv."""
    missed = [item for item in judged.items if item.masked in ("partly", "leaked")]
    output = picture_of(entry, out)
    if output is None or not (missed or verdict.false_masks):
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    matrix = np.array(entry["source_to_output"])
    before = laid_over(source, output, matrix)
    after = output.copy()
    wanted = {(item.kind, item.form, item.text) for item in missed}
    for item in page.items:
        if (item.kind, item.form, item.text) not in wanted:
            continue
        for quad in item.quads:
            corners = geometry.mapped(np.array(quad, dtype=float), matrix)
            for picture in (before, after):
                cv2.polylines(picture, [np.round(corners).astype(np.int32)], True, (255, 0, 255), 2)
    for face in page.eyes:
        corners = geometry.mapped(np.array(face.face, dtype=float), matrix)
        if any(item.kind == "eyes" for item in missed):
            cv2.polylines(after, [np.round(corners).astype(np.int32)], True, (0, 160, 255), 2)
    cv2.imwrite(str(file), np.hstack([before, after]), [cv2.IMWRITE_JPEG_QUALITY, 75])
    with file.with_name("misses.tsv").open("a", encoding="utf-8") as lines:
        for miss in missed:
            fields = (miss.masked, miss.kind, miss.form, miss.text, f"{miss.left}/{miss.of}",
                      "own" if miss.own else "other", verdict.state, page.tags[0],
                      file.name)  # fmt: skip
            lines.write("\t".join(fields) + "\n")
        for kind, count in verdict.false_masks.items():
            lines.write(
                f"false\t{kind}\t{count}\t\t\t\t{verdict.state}\t{page.tags[0]}\t{file.name}\n"
            )


def measured_seed(seed: int, work: Path, settings: Settings) -> Measurement:
    """The verdicts on one seed, from its JSON when it is there; its pages are deleted."""
    kept = work / f"seed-{seed}.json"
    if kept.exists():
        return load(kept)
    folder = work / f"seed-{seed}"
    shutil.rmtree(folder, ignore_errors=True)
    generate(folder, seed, settings.applicants, wide=True)
    report = run(folder, folder, settings.profile, settings.jobs)
    measurement = measured(folder, folder, report, settings)
    save(measurement, kept)
    shutil.rmtree(folder)
    return measurement


def committed_seed() -> int:
    """The seed of the set in the repository: what was looked at while building proves nothing."""
    return load_truth(DEFAULT_OUT / "truth.json.gz").seed


def code_version() -> str:
    """Version and a digest of the code that makes the pages, masks them and judges them."""
    files = [p for name in ("redactor", "sample_scans") for p in (ROOT / name).rglob("*.py")]
    files += [ROOT / "benchmarks" / f"{name}.py" for name in ("axes", "judge", "ring_text")]
    digest = hashlib.sha256()
    for path in sorted(files):
        digest.update(path.read_bytes())
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    version = text.split('version = "', 1)[1].split('"', 1)[0]
    return f"{version}, code {digest.hexdigest()[:8]}"


def machine() -> str:
    """Cores and processor."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = cpuinfo.read_text(encoding="utf-8").splitlines()
        model = next((s.split(":", 1)[1].strip() for s in lines if "model name" in s), model)
    return f"{os.cpu_count()} cores, {model}, Python {platform.python_version()}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("set", nargs="?", type=Path, help="a set that is there already")
    parser.add_argument("--seeds", type=int, default=0, help="how many fresh sets")
    parser.add_argument("--first-seed", type=int, default=101)
    parser.add_argument("--applicants", type=int, default=2, help="of a fresh set")
    parser.add_argument("--profile", default="strict")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir(), "mangping-recall"))
    parser.add_argument("--out", type=Path, help="with SET: keep blind/ and vault/ here")
    parser.add_argument("--write", type=Path, help="write the tables to this file")
    parser.add_argument("--json", type=Path, help="write all verdicts to this file")
    parser.add_argument("--peers", type=Path, nargs="*", default=[], help="verdicts on other tools")
    parser.add_argument("--notes", type=Path, help="what to say below what stays visible")
    parser.add_argument("--misses", type=Path, help="write pages with something visible here")
    arguments = parser.parse_args()
    if lacking := doctor.main():
        raise SystemExit(lacking)
    settings = Settings(arguments.profile, arguments.jobs, arguments.applicants, arguments.misses)
    if arguments.seeds and arguments.set:
        parser.error("name a SET or ask for --seeds, not both")
    if arguments.seeds:
        seeds = range(arguments.first_seed, arguments.first_seed + arguments.seeds)
        if committed_seed() in seeds:
            parser.error(f"seed {committed_seed()} is the committed set; begin with another one")
        digest = code_version().rsplit(" ", 1)[1]
        work = arguments.work / f"{digest}-{settings.profile}-{settings.applicants}"
        work.mkdir(parents=True, exist_ok=True)
        measurement = replace(
            added(_one(seed, work, settings) for seed in seeds),
            command=shlex.join(["python", "-m", "benchmarks.recall", *sys.argv[1:]]),
        )
    else:
        folder = arguments.set or DEFAULT_OUT
        with tempfile.TemporaryDirectory() as scratch:
            out = arguments.out or Path(scratch)
            report = run(folder, out, settings.profile, settings.jobs)
            measurement = measured(folder, out, report, settings)
    if arguments.json:
        save(measurement, arguments.json)
    peers = [load(path) for path in arguments.peers]
    if arguments.write:
        notes = arguments.notes.read_text(encoding="utf-8") if arguments.notes else ""
        arguments.write.write_text(document(measurement, peers, notes), encoding="utf-8")
    print(tables(measurement, peers))


def _one(seed: int, work: Path, settings: Settings) -> Measurement:
    measurement = measured_seed(seed, work, settings)
    visible = sum(i.outcome in ("partly", "leaked") for i in measurement.items)
    held = sum(page.state != "clean" for page in measurement.pages)
    print(f"seed {seed}: {len(measurement.pages)} pages, {held} held, {len(measurement.items)} "
          f"items, {visible} visible", file=sys.stderr, flush=True)  # fmt: skip
    return measurement


if __name__ == "__main__":
    main()
