"""Keeps readings in the vault, so that a changed roster or rule needs no second OCR."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import zipfile
import zlib
from pathlib import Path

import numpy as np

from redactor.errors import OutputError, UnreadablePage
from redactor.page import Char, Image, Line, Reading
from redactor.sealed_files import for_file, read_file

_BROKEN = (
    OSError,
    EOFError,
    ValueError,
    LookupError,
    TypeError,
    StopIteration,
    zipfile.BadZipFile,
    zlib.error,
    UnreadablePage,
)
"""What numpy, zipfile and the seal raise for a file that is empty, cut off or of another make."""


def reading_key(pixels: Image, reader: str) -> str:
    """Names a reading: sha256 over the page's size, its pixels and the reader's version."""
    digest = hashlib.sha256()
    digest.update(f"{pixels.shape}|{reader}|".encode())
    digest.update(np.ascontiguousarray(pixels).data)
    return digest.hexdigest()


class ReadingCache:
    """A folder of readings, one file each, written atomically; a broken file counts as absent."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def get(self, key: str) -> Reading | None:
        """The reading kept under `key`, None when there is none that can be read."""
        try:
            with np.load(io.BytesIO(read_file(self._path(key))), allow_pickle=False) as stored:
                return _unpack(stored["meta"].item(), stored["quads"])
        except _BROKEN:
            return None

    def put(self, key: str, reading: Reading) -> None:
        """Keeps a reading; a file that is already there is replaced as a whole.

        Raises OutputError when the disk is full or may not be written to.
        """
        path = self._path(key)
        # Two workers may read two equal pages at once: each writes its own part.
        part = path.with_suffix(f".{os.getpid()}.part")
        meta, quads = _pack(reading)
        try:
            path.parent.mkdir(mode=0o700, exist_ok=True)
            buffer = io.BytesIO()
            np.savez_compressed(buffer, meta=np.array(meta), quads=quads)
            part.write_bytes(for_file(buffer.getvalue(), path))
            part.replace(path)
        except OSError as error:
            with contextlib.suppress(OSError):
                part.unlink()
            raise OutputError(
                f"无法写入 {self._folder}：{error.strerror}。请腾出磁盘空间或检查权限，"
                "然后加上 --resume 重新运行。",
                f"Cannot write to {self._folder}: {error.strerror}. Free some disk space or check "
                "the permissions, then run again with --resume.",
            ) from error

    def _path(self, key: str) -> Path:
        return self._folder / reading_place(key)


def reading_place(key: str) -> str:
    """Where a reading is kept: a posix path below the folder of readings."""
    return f"{key[:2]}/{key}.npz"


def _pack(reading: Reading) -> tuple[str, np.ndarray]:
    """JSON of everything but coordinates, and all quads in one (N, 4, 2) float32 array."""
    quads = [*reading.cells]
    lines = []
    for line in reading.lines:
        quads.append(line.quad)
        quads.extend(c.quad for c in line.chars)
        lines.append(
            [
                [c.text for c in line.chars],
                [round(c.score, 4) for c in line.chars],
                {i: c.others for i, c in enumerate(line.chars) if c.others},
                line.score,
                line.vertical,
                line.layer,
            ]
        )
    meta = {
        "cells": len(reading.cells),
        "size": reading.size,
        "rotation": reading.rotation,
        "reader": reading.reader,
        "lines": lines,
    }
    stacked = np.array(quads, dtype=np.float32).reshape(-1, 4, 2)
    return json.dumps(meta, ensure_ascii=False), stacked


def _unpack(meta_text: str, quads: np.ndarray) -> Reading:
    meta = json.loads(meta_text)
    rest = iter(quads.astype(np.float64))
    cells = tuple(next(rest) for _ in range(meta["cells"]))
    lines = []
    for texts, scores, others, score, vertical, layer in meta["lines"]:
        quad = next(rest)
        chars = tuple(
            Char(
                text,
                next(rest),
                own,
                tuple((t, p) for t, p in others.get(str(i), ())),
            )
            for i, (text, own) in enumerate(zip(texts, scores, strict=True))
        )
        lines.append(Line(chars, quad, score, vertical, layer))
    width, height = meta["size"]
    return Reading(tuple(lines), cells, (width, height), meta["rotation"], meta["reader"])
