"""Measures from output pixels what was hidden, partly hidden or leaked, and what was lost.

    python -m benchmarks.recall [SET] [--seed N --applicants N] [--profile strict] [--misses FILE]

SET holds scans/, roster.xlsx and truth.json.gz as sample_scans/generate.py makes them (default:
sample_scans/set); with --seed a fresh set is made first. Two controls are measured on the same
truth: pages as they came (nothing may count as hidden) and black pages (nothing may leak).
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from scipy.stats import binomtest

from redactor import geometry
from redactor.loading import load_page
from redactor.page import Image
from redactor.upright import turn
from sample_scans.truth import Item, PageTruth, Quad, load_truth

BLACK = 70
"""Brightest channel of a masked pixel after JPEG."""
HIDDEN, TOUCHED = 0.97, 0.30
"""Share of a glyph's ink box under a mask: from here on it is hidden; from here on it is lost."""
EYE_REACH = 0.25
"""Around each eye centre this many inter-ocular distances must be covered."""


@dataclass(frozen=True)
class Verdict:
    """One item of the truth, judged. `outcome`: hidden, partly, leaked, held (page not let out)."""

    page: PageTruth
    kind: str
    form: str
    text: str
    outcome: str


def solid(pixels: Image) -> np.ndarray:
    """Mask of solid black areas: print is too thin to survive the opening, masks are not."""
    black = (pixels.max(axis=2) <= BLACK).astype(np.uint8)
    size = max(5, round(max(pixels.shape[:2]) / 360)) | 1
    kernel = np.ones((size, size), np.uint8)
    return np.asarray(cv2.dilate(cv2.erode(black, kernel, borderValue=1), kernel)).astype(bool)


def covered(mask: np.ndarray, quad: np.ndarray) -> float:
    """Share of a quad's pixels that lie under the mask; 1.0 outside the page."""
    x0, y0, x1, y1 = geometry.bounds(quad)
    left, top = max(0, int(x0)), max(0, int(y0))
    right, bottom = min(mask.shape[1], int(np.ceil(x1))), min(mask.shape[0], int(np.ceil(y1)))
    if right <= left or bottom <= top:
        return 1.0
    inside = np.zeros((bottom - top, right - left), np.uint8)
    corners = np.round((quad - (left, top)) * 16).astype(np.int32) - 8
    cv2.fillConvexPoly(inside, corners, (1,), shift=4)
    chosen = inside.astype(bool)
    if not chosen.any():
        return 1.0
    return float(mask[top:bottom, left:right][chosen].mean())


def judge_item(item: Item, cover: Callable[[Quad], float]) -> str:
    """hidden when every glyph is, leaked when none is even touched, partly between."""
    shares = [cover(quad) for quad in item.quads]
    if all(share >= HIDDEN for share in shares):
        return "hidden"
    return "leaked" if all(share < TOUCHED for share in shares) else "partly"


def judge_page(
    page: PageTruth, mask: np.ndarray | None, to_output: np.ndarray
) -> tuple[list[Verdict], int, int]:
    """(a verdict for each item and pair of eyes, glyphs lost, glyphs that had to stay)."""

    def cover(quad: Quad) -> float:
        assert mask is not None
        return covered(mask, geometry.mapped(np.array(quad, dtype=float), to_output))

    verdicts = [
        Verdict(
            page,
            item.kind,
            item.form,
            item.text,
            "held" if mask is None else judge_item(item, cover),
        )
        for item in page.items
    ]
    for face in page.eyes:
        shares = []
        for x, y in face.centres:
            reach = EYE_REACH * face.distance
            box = geometry.rectangle(x - reach, y - reach, x + reach, y + reach)
            shares.append(1.0 if mask is None else cover(tuple(map(tuple, box))))  # type: ignore[arg-type]
        outcome = "hidden" if min(shares) >= HIDDEN else "leaked" if max(shares) < 0.5 else "partly"
        form = ">=25 px" if face.distance >= 25 else ">=12 px" if face.distance >= 12 else "<12 px"
        verdicts.append(Verdict(page, "eyes", form, "", "held" if mask is None else outcome))
    marks = [geometry.bounds(np.array(q, dtype=float)) for item in page.items for q in item.quads]
    # A mask over slanting letters takes the print between and beside them, too.
    marks += [
        geometry.bounds(geometry.around([np.array(q, dtype=float) for q in item.quads]))
        for item in page.items
        if item.form == "watermark" and item.quads
    ]
    kept = [
        quad
        for keep in page.keep
        if not keep.under and not keep.what
        for quad in keep.quads
        if not _touches(quad, marks)
    ]
    lost = 0 if mask is None else sum(cover(quad) >= TOUCHED for quad in kept)
    return verdicts, lost, len(kept)


def _touches(quad: Quad, marks: Sequence[tuple[float, float, float, float]]) -> bool:
    """Whether a glyph lies on one to be masked (a watermark, a seal), so that it must go, too."""
    x0, y0, x1, y1 = geometry.bounds(np.array(quad, dtype=float))
    return any(a < x1 and x0 < c and b < y1 and y0 < d for a, b, c, d in marks)


def interval(successes: int, total: int) -> tuple[float, float]:
    """Wilson 95 % interval of a share, in percent."""
    if not total:
        return 0.0, 100.0
    found = binomtest(successes, total).proportion_ci(method="wilson")
    return 100 * found.low, 100 * found.high


def table(verdicts: Iterable[Verdict], key: Callable[[Verdict], str]) -> list[str]:
    """Lines of a Markdown table: a row for each key with counts and the hidden share."""
    groups: dict[str, list[str]] = defaultdict(list)
    for verdict in verdicts:
        groups[key(verdict)].append(verdict.outcome)
    lines = [
        "| class | items | hidden | partly | leaked | held | hidden or held, Wilson 95 % |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, outcomes in sorted(groups.items()):
        count = {o: outcomes.count(o) for o in ("hidden", "partly", "leaked", "held")}
        safe = count["hidden"] + count["held"]
        low, high = interval(safe, len(outcomes))
        lines.append(
            f"| {name} | {len(outcomes)} | {count['hidden']} | {count['partly']} "
            f"| {count['leaked']} | {count['held']} "
            f"| {100 * safe / len(outcomes):.1f} % ({low:.1f} - {high:.1f}) |"
        )
    return lines


def run(folder: Path, out: Path, profile: str, jobs: int) -> dict[tuple[str, int], dict]:  # type: ignore[type-arg]
    """Redacts the set with the command line; the report's pages by (source, page)."""
    if (out / "vault" / "report.json").exists():
        return pages_of(out)
    command = [sys.executable, "-m", "webapp.cli", "redact", str(folder / "scans")]
    command += ["--roster", str(folder / "roster.xlsx"), "--blind", str(out / "blind")]
    command += ["--vault", str(out / "vault"), "--profile", profile, "--jobs", str(jobs)]
    done = subprocess.run(command, check=False)
    if done.returncode not in (0, 1, 3):
        raise SystemExit(done.returncode)
    return pages_of(out)


def pages_of(out: Path) -> dict[tuple[str, int], dict]:  # type: ignore[type-arg]
    """The report's pages by (source, page)."""
    report = json.loads((out / "vault" / "report.json").read_text(encoding="utf-8"))
    return {(page["source"], page["source_page"]): page for page in report["pages"]}


def outcome_of(
    pages: Sequence[PageTruth], look: Callable[[PageTruth], tuple[np.ndarray | None, np.ndarray]]
) -> tuple[list[Verdict], int, int]:
    """Verdicts, lost glyphs and kept glyphs over all pages."""
    verdicts: list[Verdict] = []
    lost = kept = 0
    for page in pages:
        found, gone, there = judge_page(page, *look(page))
        verdicts += found
        lost, kept = lost + gone, kept + there
    return verdicts, lost, kept


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("set", nargs="?", type=Path, default=Path("sample_scans/set"))
    parser.add_argument("--seed", type=int)
    parser.add_argument("--applicants", type=int, default=6)
    parser.add_argument("--profile", default="strict")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--out", type=Path, help="keep blind/ and vault/ here, or measure them")
    parser.add_argument("--misses", type=Path, help="write every item not fully hidden here")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        out = arguments.out or Path(scratch)
        folder = arguments.set
        if arguments.seed is not None:
            from sample_scans.generate import generate

            folder = out / "set"
            generate(folder, arguments.seed, arguments.applicants)
        report = run(folder, out, arguments.profile, arguments.jobs)
        truth = load_truth(next(folder.glob("truth.json*")))
        measure(folder, out, truth.pages, report, arguments.misses)


def measure(
    folder: Path,
    out: Path,
    pages: Sequence[PageTruth],
    report: dict[tuple[str, int], dict],  # type: ignore[type-arg]
    misses: Path | None,
) -> None:
    """Prints the tables of a finished run."""

    def output(page: PageTruth) -> tuple[np.ndarray | None, np.ndarray]:
        entry = report[(page.source, page.source_page)]
        matrix = np.array(entry["source_to_output"])
        if entry["output"] is None:
            return None, matrix
        return solid(cv2.imread(str(out / "blind" / entry["output"]))), matrix

    def untouched(page: PageTruth) -> tuple[np.ndarray | None, np.ndarray]:
        source = load_page(folder / "scans" / page.source, page.source_page)
        upright = turn(source.pixels, page.rotation)
        matrix = geometry.quarter_turn(page.rotation, source.pixels.shape[1::-1])
        return solid(upright), matrix

    def black(page: PageTruth) -> tuple[np.ndarray | None, np.ndarray]:
        return np.ones(page.size[::-1], dtype=bool), np.eye(3)

    verdicts, lost, kept = outcome_of(pages, output)
    print(f"\n{len(pages)} pages, {len(verdicts)} items\n")
    print("\n".join(table(verdicts, lambda v: v.kind)))
    print()
    print("\n".join(table(verdicts, lambda v: f"{v.kind}, {v.form}")))
    low, high = interval(lost, kept)
    share = 100 * lost / max(kept, 1)
    print(f"\nother glyphs lost: {lost} of {kept} = {share:.2f} % ({low:.2f} - {high:.2f})")
    for name, look in (("do nothing", untouched), ("all black", black)):
        control, gone, there = outcome_of(pages, look)
        hidden = sum(v.outcome == "hidden" for v in control)
        print(f"control, {name}: {hidden} of {len(control)} hidden, {gone} of {there} glyphs lost")
        if name == "do nothing":
            # Print on a black bar counts as lost even where nothing was done.
            low, high = interval(max(lost - gone, 0), kept)
            print(
                f"lost beyond it: {lost - gone} of {kept} = {100 * (lost - gone) / kept:.2f} % "
                f"({low:.2f} - {high:.2f})"
            )
    if misses:
        rows = [
            f"{v.outcome}\t{v.kind}\t{v.form}\t{v.text}\t{v.page.source}\t{v.page.source_page}"
            f"\t{v.page.page_type}\t{','.join(v.page.tags)}"
            for v in verdicts
            if v.outcome in ("partly", "leaked")
        ]
        misses.write_text("\n".join(rows) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
