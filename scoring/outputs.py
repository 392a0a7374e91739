"""The files of one tally, written whole or not at all."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from pathlib import Path

from scoring.errors import InputError, problem


def write_all(writers: dict[Path, Callable[[Path], None]]) -> None:
    """Write every file under a temporary name beside its place, then move all into place.

    If one cannot be written, none of them appears and existing files stay as they were. Raises
    InputError that names the file.
    """
    done: list[tuple[Path, Path]] = []
    current = Path()
    try:
        for current, write in writers.items():
            temporary = current.with_name(f".{secrets.token_hex(6)}{current.suffix}")
            done.append((temporary, current))
            write(temporary)
        for temporary, current in done:
            temporary.replace(current)
    except OSError as error:
        why = error.strerror or error
        raise InputError(
            problem(
                f"无法写入 {current}：{why}。请检查文件夹和权限，并关闭已打开的同名文件。",
                f"Cannot write {current}: {why}. Check the folder and its rights, and close the "
                "file if it is open.",
            )
        ) from error
    finally:
        for temporary, _ in done:
            temporary.unlink(missing_ok=True)


def json_text(document: object) -> str:
    """A JSON document for people: indented, in UTF-8, with a final newline."""
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"
