"""Pictures of a page at the sizes that screens show, each made once and kept as a file."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np

from redactor.page import Image
from redactor.sealed_files import write_file
from webapp.folder_rights import like_parent

WIDTHS = {"thumb": 240, "screen": 1400, "full": 0, "1x": 1000, "2x": 2000}
"""Pixels across, never enlarged; 0 keeps the page's own size. The experts' tablets get 1x or 2x,
as their screens have it, and the page itself when they zoom in."""
QUALITY = {"thumb": 70, "screen": 82, "full": 88, "1x": 80, "2x": 80}


def keep_pictures(folder: Path, name: str, pixels: Image, sizes: Iterable[str]) -> None:
    """Writes the pictures of one page; those that are there stay."""
    for size in sizes:
        path = picture_file(folder, name, size)
        if path.exists():
            continue
        width = WIDTHS[size]
        small = pixels
        if width and pixels.shape[1] > width:
            height = max(1, round(pixels.shape[0] * width / pixels.shape[1]))
            small = np.asarray(
                cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA), np.uint8
            )
        done, data = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, QUALITY[size]])
        if done:
            write_file(path, data.tobytes())


def picture_file(folder: Path, name: str, size: str) -> Path:
    """Where one picture is kept; in sub-folders, because a round has 100,000s."""
    below = folder / name[:2]
    if not below.exists():
        below.mkdir(mode=0o700, exist_ok=True)
        like_parent(below)
    return below / f"{name}-{size}.jpg"


def forget_pictures(folder: Path, name: str) -> None:
    """Removes all pictures of a page, such as of one that showed who it is."""
    for path in (folder / name[:2]).glob(f"{name}-*.jpg"):
        path.unlink(missing_ok=True)
