"""How surely eyes are covered, by condition, resolution, face size and turn; run by hand.

    python -m benchmarks.faces FOLDER [--quick] [--portraits N] [--font FILE] [--save FOLDER]

FOLDER holds portraits and `eyes.json` (file -> {"eyes": [[x, y] left, [x, y] right]} in pixels).
Portraits are pasted onto rendered A4 pages of text; an eye counts as covered when a square of
+-0.25 inter-ocular distances (IOD) around its centre lies inside one bar. `held`: not covered,
but the photo is reported, so that the page goes to a person. No text is read here; in the pipeline
known text makes the search cheaper. Last come false hits on pages without a face: text, tables,
seals, punched holes, "@", circled names, pen strokes. Intervals are Wilson's, 95 %.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from dataclasses import astuple, dataclass
from pathlib import Path

import cv2
import numpy as np

from benchmarks.face_pages import (
    CONDITIONS,
    ONE_INCH_IOD_MM,
    TURNS,
    Case,
    Pasted,
    Portrait,
    control_page,
    load_portraits,
    make_page,
    some_font,
)
from redactor.finders.faces import find_faces
from redactor.finders.photo_frames import find_empty_photo_frames
from redactor.finders.pictures import find_pictures
from redactor.page import Finding, Image
from redactor.search import EMPTY_FRAME


def wilson(hits: int, n: int, z: float = 1.96) -> tuple[float, float]:
    """Wilson's score interval of a share, 0..1."""
    if n == 0:
        return 0.0, 1.0
    p = hits / n
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return max(0.0, float(middle - half)), min(1.0, float(middle + half))


def rows(quick: bool) -> Iterator[tuple[str, int, float]]:
    """(condition, dpi, IOD): all conditions at 200 dpi; resolutions in colour and as photocopy."""
    for condition in CONDITIONS:
        for iod in (12.0, 25.0, ONE_INCH_IOD_MM * 200 / 25.4):
            yield condition, 200, iod
    for dpi in (100, 150, 300, 400, 600) if not quick else (100, 300):
        for condition in ("colour", "photocopy"):
            yield condition, dpi, ONE_INCH_IOD_MM * dpi / 25.4
            if dpi <= 300:
                yield condition, dpi, 12.0


def covered(face: Pasted, findings: tuple[Finding, ...]) -> bool:
    """Whether both eyes with +-0.25 IOD around them lie inside bars."""
    square = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * 0.25 * face.iod
    return all(
        any(
            all(
                cv2.pointPolygonTest(f.quad.astype(np.float32), (float(p[0]), float(p[1])), False)
                >= 0
                for p in eye + square
            )
            for f in findings
        )
        for eye in face.eyes
    )


def is_stray(finding: Finding, faces: list[Pasted]) -> bool:
    """Whether the middle of a finding lies on none of the photos."""
    x, y = (float(v) for v in finding.quad.mean(axis=0))
    return all(cv2.pointPolygonTest(f.corners.astype(np.float32), (x, y), False) < 0 for f in faces)


def draw(page: Image, findings: tuple[Finding, ...], faces: list[Pasted]) -> Image:
    shown = page.copy()
    for finding in findings:
        cv2.polylines(shown, [finding.quad.astype(np.int32)], True, (0, 160, 0), 3)
    for face in faces:
        if not covered(face, findings):
            cv2.polylines(shown, [face.corners.astype(np.int32)], True, (255, 0, 255), 4)
    return shown


def is_held(face: Pasted, case: Case, page: Image, findings: tuple[Finding, ...]) -> bool:
    """Whether a photo whose eyes stay open is reported for a person to look at."""
    frames = find_empty_photo_frames(page, case.dpi, findings)
    x, y = (float(v) for v in face.eyes.mean(axis=0))
    return any(
        frame.score >= EMPTY_FRAME
        and cv2.pointPolygonTest(frame.quad.astype(np.float32), (x, y), False) >= 0
        for frame in frames
    )


@dataclass
class Tally:
    """What happened to the pasted portraits of some pages."""

    covered: int = 0
    faces: int = 0
    held: int = 0
    stray: int = 0
    pages: int = 0
    seconds: float = 0.0

    def __add__(self, other: Tally) -> Tally:
        pairs = zip(astuple(self), astuple(other), strict=True)
        return Tally(*(mine + theirs for mine, theirs in pairs))


def measure(args: argparse.Namespace) -> None:
    """Prints a row of the table as soon as it is measured."""
    rng = np.random.default_rng(args.seed)
    portraits, font = load_portraits(args.folder), args.font or some_font()
    count = min(args.portraits, len(portraits)) // (4 if args.quick else 1)
    shown = " | ".join(f"{turn} deg" for turn in TURNS)
    print(f"| condition | dpi | IOD px | {shown} | all | Wilson 95 % | held | CPU-s/page |")
    print("|---" * 11 + "|")
    total = Tally()
    for condition, dpi, iod in rows(args.quick):
        if args.only and args.only not in condition:
            continue
        by_turn: dict[int, Tally] = {}
        for turn in (0, 180) if args.quick else TURNS:
            chosen = [portraits[i] for i in rng.permutation(len(portraits))[:count]]
            case = Case(condition, dpi, iod, turn)
            by_turn[turn] = measure_case(case, chosen, rng, font, args.save)
        row = sum(by_turn.values(), Tally())
        total += row
        cells = [f"{t.covered}/{t.faces}" if (t := by_turn.get(k)) else "-" for k in TURNS]
        low, high = wilson(row.covered, row.faces)
        print(f"| {condition} | {dpi} | {iod:.0f} | {' | '.join(cells)} ", end="")
        print(f"| {row.covered}/{row.faces} | {low:.1%} - {high:.1%} | {row.held} ", end="")
        print(f"| {row.seconds / row.pages:.3f} |", flush=True)
    print(f"stray masks beside the photos: {total.stray} on {total.pages} pages")


def measure_case(
    case: Case,
    portraits: list[Portrait],
    rng: np.random.Generator,
    font: Path | None,
    save: Path | None,
) -> Tally:
    """Pastes the portraits, up to four a page, and looks for them; missed ones go to `save`."""
    total = Tally()
    per_page = 4 if case.iod * 12 < case.dpi * 8.27 else 1
    for first in range(0, len(portraits), per_page):
        page, faces = make_page(case, portraits[first : first + per_page], rng, font)
        start = time.process_time()
        findings = find_faces(page, case.dpi, upright=True)
        spent = time.process_time() - start
        missed = [f for f in faces if not covered(f, findings)]
        held = sum(is_held(f, case, page, findings) for f in missed)
        stray = sum(is_stray(f, faces) for f in findings)
        total += Tally(len(faces) - len(missed), len(faces), held, stray, 1, spent)
        if save and (missed or stray):
            name = f"{case.condition}_{case.dpi}_{case.iod:.0f}_{case.turn}_{first}.png"
            cv2.imwrite(str(save / name), draw(page, findings, faces))
    return total


def measure_controls(args: argparse.Namespace) -> None:
    rng = np.random.default_rng(args.seed + 1)
    font = args.font or some_font()
    pages = hits = 0
    spent, of_pictures = 0.0, 0.0
    for i in range(args.controls):
        dpi = (100, 150, 200, 300)[i % 4]
        page = control_page(rng, dpi, font)
        start = time.process_time()
        regions = find_pictures(page, dpi)
        of_pictures += time.process_time() - start
        findings = find_faces(page, dpi, upright=True, pictures=regions)
        spent += time.process_time() - start
        pages, hits = pages + 1, hits + (1 if findings else 0)
        if findings and args.save:
            cv2.imwrite(str(args.save / f"control_{i}.png"), draw(page, findings, []))
    low, high = wilson(hits, pages)
    print(f"control pages with a false mask: {hits}/{pages} ({low:.1%}-{high:.1%})")
    pages = max(pages, 1)
    of_all = f"{of_pictures / pages:.3f} of it for pictures"
    print(f"CPU-s per control page {spent / pages:.3f}, {of_all}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("folder", type=Path, help="portraits and eyes.json")
    parser.add_argument("--quick", action="store_true", help="a quarter of portraits, two turns")
    parser.add_argument("--portraits", type=int, default=60, help="at most so many")
    parser.add_argument("--controls", type=int, default=200, help="pages without a face")
    parser.add_argument("--only", default="", help="conditions that contain this word")
    parser.add_argument("--font", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--save", type=Path, help="folder for the pages with a miss")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    if args.save:
        args.save.mkdir(parents=True, exist_ok=True)
    measure(args)
    measure_controls(args)


if __name__ == "__main__":
    main()
