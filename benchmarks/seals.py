"""Measures which seals of sample pages are masked, and what is masked that is no seal.

    python -m benchmarks.seals [SET ...] [--seed N --applicants N] [--show FOLDER]

SET: folders as sample_scans/generate.py makes them (default: sample_scans/set); --seed makes a
fresh one first. A seal counts as hidden when every glyph of its text is. Embossed seals on photos
are no ink and not counted. Pages are turned upright by the truth, as the redactor does by reading.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from benchmarks.recall import covered, interval, judge_item
from redactor import geometry
from redactor.finders.seals import SealRegion, find_seals
from redactor.loading import load_page
from redactor.masking import paint
from redactor.page import Image
from redactor.upright import turn
from sample_scans.truth import Item, PageTruth, Quad, load_truth


@dataclass(frozen=True)
class Case:
    """One seal of the truth. `ink`: colour or grey, of the page."""

    page: PageTruth
    item: Item
    outcome: str
    ink: str


@dataclass(frozen=True)
class Outcome:
    """What one page gave. `false`: regions on no seal and no finger print. `seconds`: CPU time."""

    page: PageTruth
    cases: tuple[Case, ...]
    false: tuple[SealRegion, ...]
    seconds: float


def sealed(page: PageTruth) -> list[Item]:
    """The seals of a page that are ink."""
    return [i for i in page.items if i.kind == "seal" and i.form != "embossed"]


def measure(folder: Path, show: Path | None) -> Iterator[Outcome]:
    """Finds the seals of every page of a set."""
    for page in load_truth(next(folder.glob("truth.json*"))).pages:
        source = load_page(folder / "scans" / page.source, page.source_page)
        pixels = turn(source.pixels, page.rotation)
        matrix = geometry.quarter_turn(page.rotation, source.pixels.shape[1::-1])
        start = time.process_time()
        regions = find_seals(pixels, source.dpi)
        seconds = time.process_time() - start
        outcome = judge(page, pixels, matrix, regions, seconds)
        if show is not None:
            picture(outcome, pixels, matrix, regions, show)
        yield outcome


def judge(
    page: PageTruth,
    pixels: Image,
    matrix: np.ndarray,
    regions: Sequence[SealRegion],
    seconds: float,
) -> Outcome:
    """Compares regions with the truth of a page."""
    canvas = np.zeros(pixels.shape, np.uint8)
    mask = paint(np.full_like(canvas, 255), (r.quad for r in regions))[:, :, 0] == 0

    def cover(quad: Quad) -> float:
        return covered(mask, geometry.mapped(np.array(quad, dtype=float), matrix))

    ink = "grey" if "grey" in page.tags or "tiff" in page.tags or _is_grey(pixels) else "colour"
    cases = tuple(Case(page, item, judge_item(item, cover), ink) for item in sealed(page))
    outlines = [
        geometry.mapped(np.array(i.outline, dtype=float), matrix)
        for i in page.items
        if i.kind in ("seal", "signature") and i.outline
    ]
    false = tuple(
        r
        for r in regions
        if not any(geometry.overlap(r.quad, outline) > 0.1 for outline in outlines)
    )
    return Outcome(page, cases, false, seconds)


def _is_grey(pixels: Image) -> bool:
    few = pixels[::8, ::8].astype(np.int16)
    return int((few.max(axis=2) - few.min(axis=2)).max()) <= 16


def picture(
    outcome: Outcome, pixels: Image, matrix: np.ndarray, regions: Sequence[SealRegion], out: Path
) -> None:
    """Writes pages with a seal missed or a false mask, regions outlined."""
    missed = [c for c in outcome.cases if c.outcome != "hidden"]
    if not missed and not outcome.false:
        return
    seen = pixels.copy()
    for region in regions:
        corners = np.round(region.quad).astype(np.int32)
        cv2.polylines(seen, [corners], True, (0, 200, 0), 4)
    for case in missed:
        assert case.item.outline is not None
        quad = geometry.mapped(np.array(case.item.outline, dtype=float), matrix)
        cv2.polylines(seen, [np.round(quad).astype(np.int32)], True, (255, 0, 255), 4)
    out.mkdir(parents=True, exist_ok=True)
    name = f"{outcome.page.source.replace('/', '_')}_{outcome.page.source_page}.jpg"
    kind = "miss" if missed else "false"
    cv2.imwrite(str(out / f"{kind}_{name}"), cv2.resize(seen, None, fx=0.5, fy=0.5))


def table(cases: Iterable[Case], key: Callable[[Case], str]) -> list[str]:
    """Lines of a Markdown table: seals, hidden seals and their share for each key."""
    groups: dict[str, list[str]] = defaultdict(list)
    for case in cases:
        groups[key(case)].append(case.outcome)
    lines = [
        "| class | seals | hidden | partly | leaked | hidden, Wilson 95 % |",
        "|---|---|---|---|---|---|",
    ]
    for name, outcomes in sorted(groups.items()):
        hidden = outcomes.count("hidden")
        low, high = interval(hidden, len(outcomes))
        lines.append(
            f"| {name} | {len(outcomes)} | {hidden} | {outcomes.count('partly')} "
            f"| {outcomes.count('leaked')} "
            f"| {100 * hidden / len(outcomes):.1f} % ({low:.1f} - {high:.1f}) |"
        )
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sets", nargs="*", type=Path)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--applicants", type=int, default=4)
    parser.add_argument("--show", type=Path, help="write pages with a miss or a false mask here")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as scratch:
        folders = list(arguments.sets)
        if arguments.seed is not None:
            from sample_scans.generate import generate

            generate(Path(scratch), arguments.seed, arguments.applicants)
            folders.append(Path(scratch))
        outcomes = [
            outcome
            for folder in folders or [Path("sample_scans/set")]
            for outcome in measure(folder, arguments.show)
        ]
    report(outcomes)


def report(outcomes: Sequence[Outcome]) -> None:
    """Prints the tables."""
    cases = [case for outcome in outcomes for case in outcome.cases]
    print(f"{len(outcomes)} pages, {len(cases)} seals\n")
    for key in (
        lambda c: c.ink,
        lambda c: f"{c.item.form}, {c.ink}",
        lambda c: f"{c.page.page_type}, {c.item.form}, {c.ink}",
    ):
        print("\n".join(table(cases, key)), "\n")
    tagged = [(tag, case) for case in cases for tag in case.page.tags]
    for tag in sorted({tag for tag, _ in tagged}):
        print(table([case for t, case in tagged if t == tag], lambda _, name=tag: name)[2])  # type: ignore[misc]
    bare = [o for o in outcomes if not any(i.kind == "seal" for i in o.page.items)]
    for name, pages in (
        ("without seals", bare),
        ("with seals", [o for o in outcomes if o not in bare]),
    ):
        hit = sum(bool(o.false) for o in pages)
        low, high = interval(hit, len(pages))
        print(f"\npages {name}: {hit} of {len(pages)} with a false mask ({low:.1f} - {high:.1f} %)")
        for outcome in pages:
            for region in outcome.false:
                print(f"  {outcome.page.page_type} {outcome.page.source}: {region.shape} "
                      f"{region.ink} {region.score:.2f}")  # fmt: skip
    seconds = np.array([o.seconds for o in bare] or [0.0])
    print(f"CPU-s per page without seals: mean {seconds.mean():.3f}, worst {seconds.max():.3f}; "
          f"all pages: {np.mean([o.seconds for o in outcomes]):.3f}")  # fmt: skip
    for case in cases:
        if case.outcome != "hidden":
            print(case.outcome, case.item.form, case.ink, case.page.page_type, case.page.source,
                  ",".join(case.page.tags))  # fmt: skip


if __name__ == "__main__":
    main()
