"""The files of one tally, written whole or not at all."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from scoring.errors import InputError, problem


def write_all(writers: dict[Path, Callable[[Path], None]]) -> None:
    """Write every file under a temporary name beside its place, then move all into place.

    If one cannot be written, none of them appears and existing files stay as they were. Raises
    InputError that names the file.
    """
    done: list[tuple[Path, Path]] = []
    try:
        for path, write in writers.items():
            try:
                handle, name = tempfile.mkstemp(dir=path.parent, suffix=path.suffix)
                os.close(handle)
                done.append((Path(name), path))
                write(Path(name))
            except OSError as error:
                raise InputError(
                    problem(
                        f"无法写入 {path}：{error.strerror or error}。请检查文件夹和权限。",
                        f"Cannot write {path}: {error.strerror or error}. Check folder and rights.",
                    )
                ) from error
        for temporary, path in done:
            os.replace(temporary, path)
    finally:
        for temporary, _ in done:
            temporary.unlink(missing_ok=True)


def json_text(document: object) -> str:
    """A JSON document for people: indented, in UTF-8, with a final newline."""
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"
