"""Reads manifest.json of a folder of blind dossiers and doubts every word of it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from redactor.attachment import CATEGORIES
from redactor.blind_code import is_code
from redactor.errors import Sentence

MANIFEST = "manifest.json"
VERSION = 1
PAGE_NAME = re.compile(r"(?P<code>[0-9A-Z]{4}-[0-9A-Z]{2})/(?!000)(\d{3}|[1-9]\d{3,})\.(jpg|png)")
"""<code>/<NNN>.<ext>; three digits, more only from page 1000 on."""
_ENTRY_KEYS = {"file", "category", "size", "sha256"}
_DOSSIER_KEYS = {"code", "pages", "files"}


@dataclass(frozen=True)
class Problem:
    """Something that does not hold. `file`: path below the folder; `sentence` has the remedy."""

    file: str
    sentence: Sentence


@dataclass(frozen=True)
class Entry:
    """A page as the manifest describes it. `size`: (width, height) in pixels."""

    file: str
    size: tuple[int, int]
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """What can be believed of a manifest.

    `entries`: the sound ones, by path; `named`: the path of every page that it lists, also where
    the rest of the entry is bad. `whole`: False when there is no list at all.
    """

    codes: frozenset[str]
    entries: Mapping[str, Entry]
    named: frozenset[str]
    whole: bool
    problems: tuple[Problem, ...]


def read_manifest(path: Path) -> Manifest:
    """The manifest with everything that is wrong in it; OSError when it cannot be read."""
    try:
        values = json.loads(path.read_bytes().decode("utf-8"), object_pairs_hook=_no_key_twice)
    except (ValueError, RecursionError):
        return _unusable("不是完整的 JSON", "is no complete JSON")
    if not isinstance(values, dict) or not isinstance(values.get("dossiers"), list):
        return _unusable("没有材料清单", "holds no list of dossiers")
    problems = [*_head_problems(values)]
    entries: dict[str, Entry] = {}
    named: set[str] = set()
    codes: list[str] = []
    for dossier in values["dossiers"]:
        problems += _dossier_problems(dossier)
        if not isinstance(dossier, dict):
            continue
        code = str(dossier.get("code"))
        codes.append(code)
        files = dossier.get("files")
        for item in files if isinstance(files, list) else ():
            entry, wrong = _entry(item, code)
            name = item.get("file") if isinstance(item, dict) else None
            if name in named:
                wrong = [*wrong, _wrong(f"重复列出了 {name}", f"lists {name} twice")]
            if isinstance(name, str) and PAGE_NAME.fullmatch(name):
                named.add(name)
            problems += wrong
            if entry is not None and not wrong:
                entries[entry.file] = entry
    if sorted(set(codes)) != codes:
        problems.append(
            _wrong(
                "中的编号有重复或未按编号排序，排列顺序可能透露花名册顺序",
                "names a code twice or not in their order, which may tell the order of the roster",
            )
        )
    return Manifest(frozenset(codes), entries, frozenset(named), True, tuple(problems))


def _head_problems(values: Mapping[str, Any]) -> Iterator[Problem]:
    if values.get("version") != VERSION or isinstance(values.get("version"), bool):
        yield _wrong(f"的版本不是 {VERSION}", f"is not of version {VERSION}")
    if extra := _others(values, {"version", "dossiers"}):
        yield _wrong(f"含有多余的内容 {extra}", f"holds something else, {extra}")


def _dossier_problems(dossier: object) -> Iterator[Problem]:
    if not isinstance(dossier, dict):
        yield _wrong("中有一份材料的格式不对", "holds a dossier of the wrong form")
        return
    code, files = dossier.get("code"), dossier.get("files")
    if not isinstance(code, str) or not is_code(code):
        yield _wrong(f"中的编号 {code} 无效", f"holds the code {code}, which is not valid")
    if extra := _others(dossier, _DOSSIER_KEYS):
        yield _wrong(
            f"中 {code} 含有多余的内容 {extra}", f"holds something else for {code}, {extra}"
        )
    if not isinstance(files, list):
        yield _wrong(f"中 {code} 没有页面清单", f"has no list of pages for {code}")
        return
    if not _is_count(dossier.get("pages")) or dossier["pages"] != len(files):
        yield _wrong(
            f"中 {code} 的页数与所列 {len(files)} 页不符",
            f"gives another number of pages for {code} than the {len(files)} that it lists",
        )
    names = [str(item.get("file")) for item in files if isinstance(item, dict)]
    if [_number(name) for name in names] != sorted(_number(name) for name in names):
        yield _wrong(f"中 {code} 的页面未按页号排列", f"lists the pages of {code} out of order")


def _entry(item: object, code: str) -> tuple[Entry | None, list[Problem]]:
    """(the entry, what is wrong with it) of one listed page."""
    if not isinstance(item, dict):
        return None, [
            _wrong(f"中 {code} 有一页的格式不对", f"holds a page of wrong form for {code}")
        ]
    name, size, sha256 = (item.get(key) for key in ("file", "size", "sha256"))
    wrong = []
    found = PAGE_NAME.fullmatch(name) if isinstance(name, str) else None
    if found is None or found["code"] != code:
        wrong.append(
            _wrong(
                f"中的 {name} 不是 {code} 的页面名称（{code}/三位页号.jpg 或 .png）",
                f"lists {name}, which is no page of {code} ({code}/<three digits>.jpg or .png)",
            )
        )
    if item.get("category") not in CATEGORIES:
        wrong.append(
            _wrong(f"中 {name} 的类别不在固定类别之内", f"gives {name} an unknown category")
        )
    if extra := _others(item, _ENTRY_KEYS):
        wrong.append(_wrong(f"中 {name} 含有多余的内容 {extra}", f"holds more of {name}, {extra}"))
    sized = isinstance(size, list) and len(size) == 2 and all(map(_is_count, size)) and all(size)
    if not sized:
        wrong.append(_wrong(f"中 {name} 的尺寸无效", f"gives no valid size for {name}"))
    if not isinstance(sha256, str) or not re.fullmatch(r"[0-9a-f]{64}", sha256):
        wrong.append(_wrong(f"中 {name} 的校验值无效", f"gives no valid sha256 for {name}"))
    if wrong or not isinstance(size, list):
        return None, wrong
    return Entry(str(name), (size[0], size[1]), str(sha256)), []


def _no_key_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A reader keeps the last of two equal keys, so the first could hide anything."""
    values = dict(pairs)
    if len(values) != len(pairs):
        raise ValueError("a key stands twice")
    return values


def _others(values: Mapping[str, Any], known: set[str]) -> str:
    return ", ".join(sorted(set(values) - known))


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _number(name: str) -> tuple[int, str]:
    return len(name), name


def _wrong(zh: str, en: str) -> Problem:
    return Problem(
        MANIFEST,
        Sentence(
            f"清单 {MANIFEST} {zh}。请重新向办公室领取这批材料；若在办公室，请加 --resume "
            "重新运行遮盖。",
            f"{MANIFEST} {en}. Have the folder handed out again by the office; in the office, run "
            "redact again with --resume.",
        ),
    )


def _unusable(zh: str, en: str) -> Manifest:
    return Manifest(frozenset(), {}, frozenset(), False, (_wrong(zh, en),))
