"""How an archive is laid out, for the writer and the proof alike.

Members are stored, not packed, with fixed times and in the order of their names, the manifest last:
the bytes of an archive follow from the round alone, today and on any other machine.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Iterable
from pathlib import Path

from models.audit import Head

FORMAT, VERSION = "mangping-archive", 1
MANIFEST = "manifest.json"
IDENTITIES = "identities.json"
FIXED = (1980, 1, 1, 0, 0, 0)


def tally_folder(number: int) -> str:
    """Where the files of a numbered tally stand in an archive."""
    return f"tallies/{number:03d}"


def manifest_of(files: Iterable[tuple[str, int, str]], head: Head) -> bytes:
    """The manifest of (name, size, sha256) of all other members, in the order of their names."""
    document = {
        "format": FORMAT,
        "version": VERSION,
        "audit": {"number": head.number, "hash": head.hash},
        "files": [{"name": n, "size": size, "sha256": digest} for n, size, digest in sorted(files)],
    }
    return (json.dumps(document, ensure_ascii=False, indent=1) + "\n").encode()


def put_member(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    """Adds a member in the one way in which an archive holds any."""
    info = zipfile.ZipInfo(name, FIXED)
    info.create_system, info.external_attr = 3, 0o600 << 16
    archive.writestr(info, data, compress_type=zipfile.ZIP_STORED)


def file_sha256(path: Path) -> str:
    """The hash of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
