"""The experts' folder on disk: dossiers and pages appear and go whole, and tell no times."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from models.errors import RuleError, Sentence
from redactor.assembly import FIXED_TIME
from redactor.whole_file import write_whole
from webapp.folder_rights import like_parent, readable_like

STALE_SECONDS = 3600
"""Copies that are older were left by a process that was killed."""


def write_page(path: Path, data: bytes) -> None:
    """A page as experts get it: whole, private, with the one fixed time."""
    write_whole(path, data)
    path.chmod(0o600)
    os.utime(path, (FIXED_TIME, FIXED_TIME))


def place(copy: Path, target: Path) -> None:
    """Makes a copied dossier appear, whole and over nothing."""
    if target.exists():
        if {p.name: sha256_of(p.read_bytes()) for p in files_of(target)} == {
            p.name: sha256_of(p.read_bytes()) for p in files_of(copy)
        }:
            return
        raise RuleError(
            Sentence(
                f"盲评文件夹中已有 {target.name} 的其他页面，未覆盖。请先撤回该放行。",
                f"The blind folder holds other pages of {target.name}; nothing was overwritten. "
                "Take that release back first.",
            )
        )
    if not target.parent.exists():
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        like_parent(target.parent)
    readable_like(copy, target.parent)
    copy.rename(target)
    for folder in (target, target.parent):
        os.utime(folder, (FIXED_TIME, FIXED_TIME))
    sync(target.parent)


@contextlib.contextmanager
def copies(blind: Path) -> Iterator[Path]:
    """A folder beside the experts' dossiers in which copies are made; it never outlives its use."""
    parts = blind / ".parts"
    for left in files_of(parts):
        with contextlib.suppress(OSError):
            if time.time() - left.stat().st_mtime > STALE_SECONDS:
                shutil.rmtree(left)
    folder = parts / secrets.token_hex(8)
    folder.mkdir(mode=0o700, parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        with contextlib.suppress(OSError):  # somebody else is at the door as well
            parts.rmdir()
        os.utime(blind, (FIXED_TIME, FIXED_TIME))


def remove(blind: Path, folder: Path) -> None:
    """Takes a dossier away at once: first out of its place, then off the disk."""
    if not folder.exists():
        return
    with copies(blind) as away:
        folder.rename(away / folder.name)
    os.utime(folder.parent, (FIXED_TIME, FIXED_TIME))


def swap(copy: Path, target: Path) -> None:
    """Puts a copied page in the place of a released one, of whatever suffix that is."""
    copy.replace(target)
    readable_like(target.parent, target.parent)
    for old in files_of(target.parent):
        if old.stem == target.stem and old != target:
            old.unlink()
    os.utime(target.parent, (FIXED_TIME, FIXED_TIME))
    sync(target.parent)


def sync(folder: Path) -> None:
    """The rename reaches the disk before the rows that rest on it."""
    if hasattr(os, "O_DIRECTORY"):
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def files_of(folder: Path) -> list[Path]:
    """What lies in a folder, by name; nothing where there is none."""
    return sorted(folder.iterdir()) if folder.is_dir() else []


def sha256_of(data: bytes) -> str:
    """The hash that both stores keep of a page."""
    return hashlib.sha256(data).hexdigest()
