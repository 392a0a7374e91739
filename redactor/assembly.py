"""The last step of a run: staged pages become BLIND/<code>/<NNN>.<ext> and manifest.json."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from redactor.errors import OutputError
from redactor.file_job import PageRecord
from redactor.page import State
from redactor.vault import Vault
from redactor.whole_file import write_whole

FIXED_TIME = 946_684_800
"""File times of everything in BLIND: 2000-01-01 00:00:00 UTC."""


@dataclass(frozen=True)
class BlindPage:
    """A record with its place in the dossier. `output`: path below BLIND, None unless clean.

    `held`: path below VAULT of a page that a person must look at first.
    """

    code: str
    page: int
    record: PageRecord
    output: str | None
    held: str | None


def assemble(
    vault: Vault, blind: Path, code: str, records: Sequence[PageRecord]
) -> list[BlindPage]:
    """Moves one dossier's pages to their places, numbered from 001 in attachment order.

    Clean pages go to BLIND, pages to review stay in the vault; a failed page keeps its number, so
    that the others keep theirs when it is mended.
    """
    pages = []
    for number, record in enumerate(records, 1):
        output = held = None
        if record.staged is not None:
            name = f"{code}/{number:03d}{Path(record.staged).suffix}"
            root = blind if record.state == State.CLEAN else vault.held
            _move(vault.staging / record.staged, root / name, record.sha256)
            if root == blind:
                output = name
            else:
                held = f"{vault.held.name}/{name}"
        pages.append(BlindPage(code, number, record, output, held))
    return pages


def write_manifest(blind: Path, pages: Sequence[BlindPage], beside: Path | None = None) -> None:
    """manifest.json of all dossiers, by code; then every file time is set to one value.

    `beside`: the folder in which it is written before it appears, see write_whole.
    """
    dossiers: dict[str, list[dict[str, Any]]] = {}
    for page in pages:
        entries = dossiers.setdefault(page.code, [])
        if page.output is not None:
            entries.append(
                {
                    "file": page.output,
                    "category": page.record.category,
                    "size": list(page.record.size),
                    "sha256": page.record.sha256,
                }
            )
    listing = {
        "version": 1,
        "dossiers": [
            {"code": code, "pages": len(entries), "files": entries}
            for code, entries in sorted(dossiers.items())
        ],
    }
    text = json.dumps(listing, ensure_ascii=False, indent=1) + "\n"
    write_whole(blind / "manifest.json", text.encode(), beside)
    for path in (*sorted(blind.rglob("*"), reverse=True), blind):
        os.utime(path, (FIXED_TIME, FIXED_TIME))


def recall(vault: Vault, blind: Path) -> None:
    """Takes the pages of an earlier run back into the vault, so that it can be assembled anew.

    Whatever else lies in BLIND's dossiers is removed: it has no record.
    """
    placed = {
        _sha256(path): path
        for root in (blind, vault.held)
        for path in root.glob("*/*")
        if path.is_file()
    }
    for record in vault.all_records():
        if record.staged is None:
            continue
        staged = vault.staging / record.staged
        if not staged.exists() and record.sha256 in placed:
            write_whole(staged, placed[record.sha256].read_bytes())
    # First, because a manifest says that everything is in its place.
    (blind / "manifest.json").unlink(missing_ok=True)
    for root in (blind, vault.held):
        for path in root.iterdir():
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()


def _move(staged: Path, target: Path, sha256: str) -> None:
    """Moves a staged page, provided that it is still the one that was proven."""
    data = staged.read_bytes() if staged.exists() else b""
    if hashlib.sha256(data).hexdigest() != sha256:
        raise OutputError(
            f"暂存页 {staged.name} 缺失或已被改动，未放行。请删除保险库中的 records 文件夹后"
            "加 --resume 重新运行。",
            f"The staged page {staged.name} is missing or was changed; it was not let out. Delete "
            "the folder records in the vault and run again with --resume.",
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    # Not renamed from staging: the time at which a file was made would tell the order of work.
    write_whole(target, data, beside=staged.parent)
    staged.unlink()


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
