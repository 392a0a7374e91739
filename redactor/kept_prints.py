"""Keeps the looks of a dossier's seals and portraits, and small copies of pages to seek them on."""

from __future__ import annotations

import functools
import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from redactor.errors import UnreadablePage
from redactor.finders.photo_twins import PhotoPrint, distinct_portraits, find_photo_twins
from redactor.finders.pictures import Picture, find_pictures
from redactor.finders.prints import Prints
from redactor.finders.seal_twins import SealPrint, distinct_prints, find_twins
from redactor.kept_pictures import read_picture
from redactor.page import Finding, Image
from redactor.sealed_files import read_file, write_file

OVERVIEW_DPI = 101.6
"""4 pixels a millimetre: the finest scale at which seals and portraits are sought again."""
QUALITY = 90


def keep_prints(path: Path, prints: Prints) -> None:
    """Writes the prints of one page, if it has any."""
    if not prints:
        return
    values: dict[str, np.ndarray] = {}
    for number, seal in enumerate(prints.seals):
        values[f"{number}-strength"] = seal.strength
        values[f"{number}-corners"] = seal.corners
        values[f"{number}-rest"] = np.array([str(seal.radius), seal.shape, seal.ink])
    for number, portrait in enumerate(prints.portraits):
        values[f"{number}-patch"] = portrait.patch
        values[f"{number}-mask"] = portrait.corners
        values[f"{number}-face"] = np.array([str(portrait.apart), portrait.kind])
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **values)  # type: ignore[arg-type]
    write_file(path, buffer.getvalue())


@functools.lru_cache(maxsize=4)
def load_prints(paths: tuple[Path, ...]) -> Prints:
    """One print of each seal and portrait in these files, read once for all pages of a dossier.

    A file of prints is never written again under its name, which holds the hash of its source.

    Raises UnreadablePage when one is missing or broken: then nobody knows what to seek.
    """
    found: list[Prints] = []
    for path in paths:
        try:
            found.append(_prints_of(path))
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise UnreadablePage(
                f"无法读取本卷宗其他页面的印章和照片记录 {path}，"
                "因此无法确认本页是否有同样的印章或照片。请重新处理该申报人的全部文件。",
                f"The record {path} of the seals and portraits on the dossier's other pages "
                "cannot be read, so nobody knows whether this page shows them, too. Redact all "
                "files of this applicant again.",
            ) from error
    return Prints(
        distinct_prints(seal for prints in found for seal in prints.seals),
        distinct_portraits(portrait for prints in found for portrait in prints.portraits),
    )


def _prints_of(path: Path) -> Prints:
    """What `keep_prints` wrote."""
    with np.load(io.BytesIO(read_file(path)), allow_pickle=False) as values:
        seals = [_seal_of(values, number) for number in range(_count(values, "strength"))]
        portraits = [_portrait_of(values, number) for number in range(_count(values, "patch"))]
    return Prints(tuple(seals), tuple(portraits))


def _count(values: Mapping[str, np.ndarray], part: str) -> int:
    return sum(name.endswith(f"-{part}") for name in values)


def _seal_of(values: Mapping[str, np.ndarray], number: int) -> SealPrint:
    radius, shape, ink = (str(v) for v in values[f"{number}-rest"])
    strength, corners = values[f"{number}-strength"], values[f"{number}-corners"]
    return SealPrint(strength, float(radius), corners, shape, ink)


def _portrait_of(values: Mapping[str, np.ndarray], number: int) -> PhotoPrint:
    apart, kind = (str(v) for v in values[f"{number}-face"])
    return PhotoPrint(values[f"{number}-patch"], values[f"{number}-mask"], kind, float(apart))


def keep_overview(path: Path, masked: Image, dpi: float) -> None:
    """Writes a small copy of a masked page."""
    scale = min(1.0, OVERVIEW_DPI / dpi)
    small = cv2.resize(masked, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    _, data = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    write_file(path, data.tobytes())


def shows_twin(
    overview: Path,
    dpi: float,
    prints: Prints,
    masks: Sequence[Finding],
    pictures: Sequence[Sequence[int]] | None = None,
) -> bool:
    """Whether one of the prints stands unmasked on the page of a small copy.

    `dpi`, `masks`, `pictures`: of the page itself; the boxes (x0, y0, x1, y1) in which a portrait
    may be, all of its pictures when None. True, too, when the copy is missing or broken, because
    then nothing can be said of the page.
    """
    if not prints.seals and pictures is not None and not pictures:
        return False
    page = read_picture(overview)
    if page is None:
        return True
    scale = min(1.0, OVERVIEW_DPI / dpi)
    if find_twins(page, dpi * scale, prints.seals, ()):
        return True
    if not prints.portraits:
        return False
    known = [replace(mask, quad=mask.quad * scale) for mask in masks]
    if pictures is None:
        regions = find_pictures(page, dpi * scale)
    else:
        regions = tuple(_smaller(box, scale) for box in pictures)
    return bool(find_photo_twins(page, dpi * scale, prints.portraits, regions, known))


def _smaller(box: Sequence[int], scale: float) -> Picture:
    x0, y0, x1, y1 = (round(v * scale) for v in box)
    return Picture(x0, y0, x1, y1, 1.0)
