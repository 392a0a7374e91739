"""Keeps the seals of a dossier's pages, and small copies of the pages to seek them on."""

from __future__ import annotations

import functools
import io
import zipfile
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from redactor.errors import UnreadablePage
from redactor.finders.seal_twins import SealPrint, distinct_prints, find_twins
from redactor.kept_pictures import read_picture
from redactor.page import Image
from redactor.sealed_files import read_file, write_file

OVERVIEW_DPI = 101.6
"""4 pixels a millimetre: the finest scale at which twins are sought."""
QUALITY = 90


def keep_prints(path: Path, prints: Sequence[SealPrint]) -> None:
    """Writes the prints of one page, if it has any."""
    if not prints:
        return
    values: dict[str, np.ndarray] = {}
    for number, print_ in enumerate(prints):
        values[f"{number}-strength"] = print_.strength
        values[f"{number}-corners"] = print_.corners
        values[f"{number}-rest"] = np.array([str(print_.radius), print_.shape, print_.ink])
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **values)  # type: ignore[arg-type]
    write_file(path, buffer.getvalue())


@functools.lru_cache(maxsize=4)
def load_prints(paths: tuple[Path, ...]) -> tuple[SealPrint, ...]:
    """One print of each seal in these files, read once for all pages of a dossier.

    A file of prints is never written again under its name, which holds the hash of its source.

    Raises UnreadablePage when one is missing or broken: then nobody knows which seals to seek.
    """
    found = []
    for path in paths:
        try:
            found += _prints_of(path)
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise UnreadablePage(
                f"无法读取本卷宗其他页面的印章记录 {path}，因此无法确认本页是否有同样的印章。"
                "请重新处理该申报人的全部文件。",
                f"The record {path} of the seals on the dossier's other pages cannot be read, so "
                "nobody knows whether this page shows them, too. Redact all files of this "
                "applicant again.",
            ) from error
    return distinct_prints(found)


def _prints_of(path: Path) -> list[SealPrint]:
    """What `keep_prints` wrote."""
    with np.load(io.BytesIO(read_file(path)), allow_pickle=False) as values:
        found = []
        for number in range(len(values.files) // 3):
            radius, shape, ink = (str(v) for v in values[f"{number}-rest"])
            strength, corners = values[f"{number}-strength"], values[f"{number}-corners"]
            found.append(SealPrint(strength, float(radius), corners, shape, ink))
        return found


def keep_overview(path: Path, masked: Image, dpi: float) -> None:
    """Writes a small copy of a masked page."""
    scale = min(1.0, OVERVIEW_DPI / dpi)
    small = cv2.resize(masked, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    _, data = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    write_file(path, data.tobytes())


def shows_twin(overview: Path, dpi: float, prints: Sequence[SealPrint]) -> bool:
    """Whether one of the prints stands unmasked on the page of a small copy.

    True, too, when the copy is missing or broken, because then nothing can be said of the page.
    """
    page = read_picture(overview)
    if page is None:
        return True
    return bool(find_twins(page, min(dpi, OVERVIEW_DPI), prints, ()))
