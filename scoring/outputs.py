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


def json_text(document: object, depth: int = 0) -> str:
    """A JSON document for people and for diffs: one line per candidate, score sheet, ballot.

    Indenting it all would take three times as long and twice the space for a large round.
    """
    if isinstance(document, dict) and document and depth < 2:
        lines = [
            f"{_one_line(key)}: {json_text(item, depth + 1)}" for key, item in document.items()
        ]
        text = "{\n" + ",\n".join(lines) + "\n}"
    elif isinstance(document, list) and document and depth <= 2:
        text = "[\n" + ",\n".join(map(_one_line, document)) + "\n]"
    else:
        text = _one_line(document)
    return text if depth else text + "\n"


def _one_line(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
