"""Reads pictures that the program itself has written, sealed or not."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from redactor.errors import UnreadablePage
from redactor.page import Image
from redactor.sealed_files import read_file


def read_picture(path: Path) -> Image | None:
    """(H, W, 3) BGR pixels, None when it is missing or broken; LockedError without its key."""
    try:
        data = np.frombuffer(read_file(path), np.uint8)
    except (OSError, UnreadablePage):
        return None
    pixels = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
    return None if pixels is None else np.asarray(pixels, np.uint8)
