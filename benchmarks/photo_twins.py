"""What a known portrait adds on pages where no face is found, by copy and size; run by hand.

    python -m benchmarks.photo_twins FOLDER [--people N] [--font FILE]

FOLDER: as for benchmarks/faces.py. Four people at a time are pasted onto a good colour page of 200
dpi, which gives their prints, and onto copies of other pages. Counted are pairs of eyes under masks
of the face finder alone and with twins, twins beside all photos, and twins of four other people.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from pathlib import Path

import cv2
import numpy as np

from benchmarks.face_pages import Case, Pasted, load_portraits, make_page, some_font
from benchmarks.faces import covered, is_stray
from redactor.finders.faces import find_faces
from redactor.finders.photo_twins import PhotoPrint, describe_portraits, find_photo_twins
from redactor.finders.pictures import find_pictures
from redactor.page import Image

DPI, GOOD = 200, 46.0
SIZES = (46.0, 28.0, 16.0, 10.0)
COPIES = ("black and white", "more black", "more white", "dim", "blurred", "hard")


def copied(page: Image, way: str, rng: np.random.Generator) -> Image:
    """A grey or black-and-white copy of a page."""
    grey = cv2.cvtColor(page, cv2.COLOR_BGR2GRAY).astype(np.float32)
    soft = cv2.GaussianBlur(grey, (0, 0), 0.9) + rng.normal(0, 10, grey.shape)
    copy = {
        "black and white": (soft > 128) * 255.0,
        "more black": (soft > 165) * 255.0,
        "more white": (soft > 85) * 255.0,
        "dim": cv2.GaussianBlur(grey, (0, 0), 2) * 0.35 + rng.normal(0, 6, grey.shape),
        "blurred": cv2.GaussianBlur(grey, (0, 0), 5) + rng.normal(0, 3, grey.shape),
        "hard": 255 / (1 + np.exp(-(soft - 110) / 8)),
    }[way]
    return np.asarray(
        cv2.cvtColor(np.clip(copy, 0, 255).astype(np.uint8), cv2.COLOR_GRAY2BGR), np.uint8
    )


def count(
    page: Image, faces: list[Pasted], own: tuple[PhotoPrint, ...], others: tuple[PhotoPrint, ...]
) -> Counter[str]:
    """What is found on one page."""
    pictures = find_pictures(page, DPI)
    found = find_faces(page, DPI, True, pictures=pictures)
    start = time.process_time()
    twins = find_photo_twins(page, DPI, own, pictures, found)
    spent = time.process_time() - start
    return Counter(
        faces=len(faces),
        before=sum(covered(face, found) for face in faces),
        after=sum(covered(face, (*found, *twins)) for face in faces),
        stray=sum(is_stray(twin, faces) for twin in twins),
        others=len(find_photo_twins(page, DPI, others, pictures, found)),
        milliseconds=round(1000 * spent),
        pages=1,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("folder", type=Path, help="portraits and eyes.json")
    parser.add_argument("--people", type=int, default=16)
    parser.add_argument("--font", type=Path)
    args = parser.parse_args()
    rng, font = np.random.default_rng(1), args.font or some_font()
    people = load_portraits(args.folder)[: args.people]
    totals: dict[str, Counter[str]] = {way: Counter() for way in COPIES}
    others: tuple[PhotoPrint, ...] = ()
    for first in range(0, len(people), 4):
        four = people[first : first + 4]
        good, _ = make_page(Case("colour", DPI, GOOD, 0), four, rng, font)
        own = describe_portraits(good, find_faces(good, DPI, True))
        for way in COPIES:
            for size in SIZES:
                page, faces = make_page(Case("colour", DPI, size, 0), four, rng, font)
                totals[way] += count(copied(page, way, rng), faces, own, others)
        others = own
    print("| copy | pairs of eyes | face finder | with twins | stray | of others | ms a page |")
    print("|---" * 7 + "|")
    for way, all_ in totals.items():
        cells = (all_[name] for name in ("faces", "before", "after", "stray", "others"))
        spent = all_["milliseconds"] / max(1, all_["pages"])
        print(f"| {way} | {' | '.join(map(str, cells))} | {spent:.0f} |")


if __name__ == "__main__":
    main()
