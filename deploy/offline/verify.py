"""Compares this folder with SHA256SUMS, where there is no sha256sum; `--id` prints the bundle's id.

Runs on a bare Python, before anything is installed.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
SUMS = HERE / "SHA256SUMS"


def sha256(path: Path) -> str:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as stream:
            for block in iter(lambda: stream.read(2**20), b""):
                digest.update(block)
    except OSError as error:
        return f"{error.strerror}"
    return digest.hexdigest()


def differing() -> list[str]:
    """Files that are missing or not as they were made."""
    lines = SUMS.read_text(encoding="utf-8").splitlines()
    return [line[66:] for line in lines if sha256(HERE / line[66:]) != line[:64]]


if __name__ == "__main__":
    if sys.argv[1:] == ["--id"]:
        print(sha256(SUMS)[:12])
        sys.exit(0)
    wrong = differing()
    print("\n".join(wrong), end="\n" if wrong else "")
    sys.exit(1 if wrong else 0)
