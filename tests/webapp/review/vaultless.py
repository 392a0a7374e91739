"""The experts' process as a child that falls over when it opens anything below a vault's folder.

    python -m tests.webapp.review.vaultless DATABASE BLIND FOLDER PORT SAID

SIGTERM makes it write to SAID which modules it loaded and which files it opened, and end.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

VAULT = "/vault"
EVENTS = ("open", "sqlite3.connect", "os.listdir", "os.scandir", "os.mkdir", "os.rename")
opened: list[str] = []


def watch(event: str, arguments: tuple[Any, ...]) -> None:
    """Refuses every path of a vault, also in a database's address."""
    if event not in EVENTS or not arguments:
        return
    path = arguments[0]
    if isinstance(path, bytes):
        path = os.fsdecode(path)
    if not isinstance(path, (str, os.PathLike)):
        return
    text = str(Path.cwd() / str(path).removeprefix("file:"))
    opened.append(text)
    if VAULT in text:
        os.write(2, f"opened {text}\n".encode())
        os._exit(77)


def main() -> None:
    database, blind, folder, port, said = sys.argv[1:]
    sys.addaudithook(watch)
    from webapp.answering import run_review
    from webapp.settings import ReviewSettings

    def end(*_: object) -> None:
        told = {"modules": sorted(sys.modules), "opened": opened}
        Path(said).write_text(json.dumps(told), "utf-8")
        os._exit(0)

    signal.signal(signal.SIGTERM, end)
    run_review(ReviewSettings(database, Path(blind), Path(folder), "127.0.0.1", int(port), False))


if __name__ == "__main__":
    main()
