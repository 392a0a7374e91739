"""Draws pages of a finished run before and after, for the README.

    python -m benchmarks.before_after OUT PICTURE [SOURCE ...]

OUT holds blind/ and vault/ of a run over sample_scans/set; SOURCE is a source as report.json names
it.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np

from benchmarks.recall import pages_of
from redactor.loading import load_page
from redactor.page import Image
from redactor.upright import turn

SCANS = Path("sample_scans/set/scans")

HEIGHT, GAP = 620, 14
"""Height of a page and the gap between pages, pixels."""


def fitted(pixels: Image) -> Image:
    """The page at the picture's height with a thin frame."""
    scale = HEIGHT / pixels.shape[0]
    small = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return np.asarray(
        cv2.copyMakeBorder(small, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=(150, 150, 150)), np.uint8
    )


def row(pages: list[Image]) -> Image:
    """Pages side by side on white."""
    gap = np.full((HEIGHT + 2, GAP, 3), 255, np.uint8)
    parts = [part for page in pages for part in (fitted(page), gap)]
    return np.hstack(parts[:-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("picture", type=Path)
    parser.add_argument("sources", nargs="+")
    arguments = parser.parse_args()
    report = pages_of(arguments.out)
    before, after = [], []
    for source in arguments.sources:
        page = report[(source, 0)]
        before.append(turn(load_page(SCANS / source, 0).pixels, page["rotation"]))
        name = page["output"]
        folder = "blind" if name else "vault"
        after.append(cv2.imread(str(arguments.out / folder / (name or page["held"]))))
    upper, lower = row(before), row(after)
    white = np.full((GAP, upper.shape[1], 3), 255, np.uint8)
    cv2.imwrite(
        str(arguments.picture),
        np.vstack([upper, white, lower[:, : upper.shape[1]]]),
        [cv2.IMWRITE_JPEG_QUALITY, 82],
    )


if __name__ == "__main__":
    main()
