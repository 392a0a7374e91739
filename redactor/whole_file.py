"""Writes files as a whole or not at all, so that a crash or a full disk leaves no half of one."""

from __future__ import annotations

import contextlib
import errno
import os
from pathlib import Path

from redactor.errors import OutputError


def write_whole(path: Path, data: bytes, beside: Path | None = None) -> None:
    """Writes a file as a whole or not at all; OutputError with the remedy when it cannot.

    `beside`: folder for the part that is being written, instead of the file's own. A crash then
    leaves nothing where the file was to be, as long as both are on one file system.
    """
    part = (beside or path.parent) / f".{path.name}.part"
    try:
        with part.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        # On a read-only disk removing fails as well: the first error is the one to tell.
        with contextlib.suppress(OSError):
            part.unlink()
        if beside is not None and error.errno == errno.EXDEV:
            write_whole(path, data)
            return
        raise OutputError(
            f"无法写入 {path.parent}：{error.strerror}。请腾出磁盘空间或检查权限，"
            "然后加上 --resume 重新运行。",
            f"Cannot write to {path.parent}: {error.strerror}. Free some disk space or check the "
            "permissions, then run again with --resume.",
        ) from error
