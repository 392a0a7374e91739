"""Measures how many coloured seals can be lifted, and how much print that saves.

    python -m benchmarks.lifted_seals [SET ...]

SET: folders as sample_scans/generate.py makes them (default: sample_scans/set). Every coloured seal
is lifted alone; a lift counts as accepted when `residue` finds nothing on the encoded bytes. The
Chinese characters whose middle lies in an accepted seal's box are then read on the page as it was,
with the seal lifted and with the seal painted over.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from redactor import geometry
from redactor.finders.seal_text import read_strip
from redactor.finders.seals import SealRegion, find_seals
from redactor.lifting import lift, residue
from redactor.loading import load_page
from redactor.masking import encode, paint
from redactor.normal_text import is_han
from redactor.page import Image, Line, Quad
from redactor.reading import DETECTION_SIDE, shared_reader
from redactor.upright import turn
from sample_scans.truth import PageTruth, load_truth

Glyph = tuple[str, Quad]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sets", nargs="*", type=Path)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    counts: Counter[str] = Counter()
    for folder in arguments.sets or [Path("sample_scans/set")]:
        for page in load_truth(next(folder.glob("truth.json*"))).pages:
            if any(item.kind == "seal" for item in page.items):
                counts.update(measure(folder, page))
    report(counts)


def measure(folder: Path, page: PageTruth) -> Counter[str]:
    """What became of the seals of one page, how many characters were read, milliseconds spent."""
    source = load_page(folder / "scans" / page.source, page.source_page)
    pixels = turn(source.pixels, page.rotation)
    matrix = geometry.quarter_turn(page.rotation, source.pixels.shape[1::-1])
    glyphs = [(char, geometry.mapped(quad, matrix)) for char, quad in _glyphs(page)]
    counts: Counter[str] = Counter()
    for region in find_seals(pixels, source.dpi):
        if region.ink == "grey":
            continue
        counts["seals"] += 1
        start = time.process_time()
        lifted = lift(pixels, region)
        counts["lift ms"] += round(1000 * (time.process_time() - start))
        if lifted is None:
            counts["not possible"] += 1
            continue
        start = time.process_time()
        why = residue(pixels, lifted.pixels, region, partial(read_strip, shared_reader()))
        counts["residue ms"] += round(1000 * (time.process_time() - start))
        if why is not None:
            counts["refused"] += 1
            print(f"refused: {page.source}: {why.en}")
            continue
        counts["accepted"] += 1
        under = [glyph for glyph in glyphs if _within(glyph, region)]
        if under:
            counts["characters"] += len(under)
            data = np.frombuffer(encode(lifted.pixels, "jpg", source.dpi), np.uint8)
            released = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
            counts["before"] += _read(pixels, region, under)
            counts["lifted"] += _read(released, region, under)
            counts["solid"] += _read(paint(pixels, [region.quad]), region, under)
    return counts


def report(counts: Counter[str]) -> None:
    """Prints the figures."""
    seals, characters = max(counts["seals"], 1), max(counts["characters"], 1)
    print(f"{counts['seals']} coloured seals: {counts['accepted']} lifted "
          f"({100 * counts['accepted'] / seals:.0f} %), {counts['refused']} refused, "
          f"{counts['not possible']} not possible")  # fmt: skip
    print(f"CPU: lift {counts['lift ms'] / seals:.0f} ms, proof {counts['residue ms'] / seals:.0f}")
    print(f"{counts['characters']} characters under lifted seals, read at their place:")
    for state in ("before", "lifted", "solid"):
        print(f"  {state}: {counts[state]} ({100 * counts[state] / characters:.0f} %)")


def _glyphs(page: PageTruth) -> Iterator[Glyph]:
    """Every Chinese character of print."""
    texts = [(keep.text, keep.quads) for keep in page.keep]
    texts += [(item.text, item.quads) for item in page.items if item.kind != "seal"]
    for text, quads in texts:
        if len(text) == len(quads):
            yield from ((c, np.array(q, float)) for c, q in zip(text, quads, strict=True)
                        if is_han(c))  # fmt: skip


def _within(glyph: Glyph, region: SealRegion) -> bool:
    x, y = (float(v) for v in glyph[1].mean(axis=0))
    return cv2.pointPolygonTest(region.quad.astype(np.float32), (x, y), False) >= 0


def _read(pixels: Image, region: SealRegion, glyphs: list[Glyph]) -> int:
    """How many of the characters are read at their place, around a seal."""
    x0, y0, x1, y1 = (int(v) for v in geometry.bounds(region.quad))
    left, top = max(0, x0 - (x1 - x0)), max(0, y0 - (y1 - y0) // 3)
    part = pixels[top : y1 + (y1 - y0) // 3, left : x1 + (x1 - x0)]
    side = max(256, round(DETECTION_SIDE * max(part.shape[:2]) / max(pixels.shape[:2])))
    reader = shared_reader()
    lines = reader.read_lines(part, reader.detect(part, side))
    return sum(_is_read(char, quad - (left, top), lines) for char, quad in glyphs)


def _is_read(char: str, quad: Quad, lines: tuple[Line, ...]) -> bool:
    middle, em = quad.mean(axis=0), geometry.area(quad) ** 0.5
    return any(
        one.text == char and float(np.hypot(*(one.quad.mean(axis=0) - middle))) < 0.6 * em
        for line in lines
        for one in line.chars
    )


if __name__ == "__main__":
    main()
