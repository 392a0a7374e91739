"""Proves an archive offline: every byte of it, the audit chain, and the tally from the round."""

from __future__ import annotations

import hashlib
import json
import tempfile
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from models.audit import ChainEvent, Head, Walk, not_in_chain, walk_chain
from models.errors import RuleError, Sentence
from scoring.canonical import canonical_json
from scoring.result_json import verify_document
from scoring.round_json import strict_json
from webapp.archive_ballots import BALLOTS, PAPERS, RECEIPTS, ballot_problems
from webapp.archive_form import (
    FORMAT,
    IDENTITIES,
    MANIFEST,
    VERSION,
    file_sha256,
    manifest_of,
    put_member,
    tally_folder,
)

NEEDED = ("about.json", "attendance.json", "audit.jsonl", BALLOTS, PAPERS, RECEIPTS,
          "policies/001.toml", "round.json", "rulings.json", "sheets.json")  # fmt: skip
TALLY_FILES = ("minutes.pdf", "record.json", "result.json", "result.xlsx")
BLOCK = 1 << 20


@dataclass
class ArchiveCheck:
    """What an archive proved to be. `tallies`: sha256 of each numbered tally, to hold against the
    signed minutes. `head`: the end of its audit chain. Without `problems` it is whole."""

    sha256: str
    problems: list[Sentence] = field(default_factory=list)
    tallies: dict[int, str] = field(default_factory=dict)
    head: Head = field(default_factory=lambda: Head(0, ""))
    identities: bool = False

    def wrong(self, zh: str, en: str) -> None:
        self.problems.append(Sentence(zh, en))


def verify_archive(path: Path, *, head: str = "") -> ArchiveCheck:
    """Checks an archive, with no store and no network; every problem is in the answer.

    `head`: the chain's hash as printed on the signed minutes (64 hexadecimal digits): it must be
    one of the chain's events, or the chain was cut off or written anew. RuleError where there is
    no archive to check.
    """
    check = ArchiveCheck(_hash_of(path))
    try:
        with zipfile.ZipFile(path) as archive:
            texts = _members(archive, check)
            _check_frame(archive, path, check)
    except (OSError, zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        check.wrong(
            f"{path.name} 不是完整的 ZIP 文件（{error}）：被截断或改动过。",
            f"{path.name} is no whole ZIP file ({error}): it was cut off or changed.",
        )
        return check
    check.identities = IDENTITIES in texts
    walk = _check_chain(texts.get("audit.jsonl", b""), texts.get(MANIFEST, b""), head, check)
    if walk is not None:
        _check_contents(texts, walk, check)
    return check


def _hash_of(path: Path) -> str:
    try:
        return file_sha256(path)
    except OSError as error:
        raise RuleError(
            Sentence(f"无法读取 {path}：{error}。", f"Cannot read {path}: {error}.")
        ) from error


def _members(archive: zipfile.ZipFile, check: ArchiveCheck) -> dict[str, bytes]:
    """Name -> bytes of the members that are text; all are held against the manifest."""
    infos = archive.infolist()
    names = [info.filename for info in infos]
    if any(info.compress_type != zipfile.ZIP_STORED for info in infos):
        raise ValueError("packed members")
    manifest = archive.read(MANIFEST) if MANIFEST in names else b""
    listed = _listed(manifest, check)
    for name in sorted({name for name in names if names.count(name) > 1}):
        check.wrong(f"文件 {name} 出现了两次。", f"The member {name} is there twice.")
    for name in sorted(listed.keys() - set(names)):
        check.wrong(f"缺少文件 {name}。", f"The member {name} is missing.")
    for name in sorted(set(names) - listed.keys() - {MANIFEST}):
        check.wrong(
            f"文件 {name} 不在清单中，是后来加入的。",
            f"The member {name} is not on the manifest; it was added later.",
        )
    texts = {MANIFEST: manifest}
    for name in sorted(listed.keys() & set(names)):
        data = archive.read(name)
        if (len(data), hashlib.sha256(data).hexdigest()) != listed[name]:
            check.wrong(
                f"文件 {name} 与清单中的校验码不符，被改动过。",
                f"The member {name} is not what the manifest says; it was changed.",
            )
        if not name.endswith((".xlsx", ".pdf")):
            texts[name] = data
    tallies = {name.split("/")[1] for name in listed if name.startswith("tallies/")}
    wanted = {*NEEDED, *(f"tallies/{number}/{file}" for number in tallies for file in TALLY_FILES)}
    for name in sorted(wanted - listed.keys()):
        check.wrong(
            f"档案中没有 {name}，内容不全。",
            f"The archive has no {name} and is not complete.",
        )
    return texts


def _listed(manifest: bytes, check: ArchiveCheck) -> dict[str, tuple[int, str]]:
    """Name -> (size, sha256) of the manifest; {} and a problem where it is none of ours."""
    try:
        given = strict_json(manifest.decode())
        if (given["format"], given["version"]) != (FORMAT, VERSION):
            raise ValueError
        head = Head(int(given["audit"]["number"]), str(given["audit"]["hash"]))
        rows = [(str(f["name"]), int(f["size"]), str(f["sha256"])) for f in given["files"]]
        if manifest != manifest_of(rows, head) or len({row[0] for row in rows}) != len(rows):
            raise ValueError
    except (RuleError, ValueError, TypeError, KeyError):
        check.wrong(
            f"清单 {MANIFEST} 缺失、被改动过，或不是本程序第 {VERSION} 版档案的清单。",
            f"{MANIFEST} is missing, was changed, or is not of an archive of version {VERSION}.",
        )
        return {}
    return {name: (size, digest) for name, size, digest in rows}


def _check_frame(archive: zipfile.ZipFile, path: Path, check: ArchiveCheck) -> None:
    """What stands between the members, too, is what this program writes, byte for byte."""
    with tempfile.TemporaryFile() as again, path.open("rb") as given:
        with zipfile.ZipFile(again, "w", zipfile.ZIP_STORED) as made:
            for name in sorted({info.filename for info in archive.infolist()} - {MANIFEST}):
                put_member(made, name, archive.read(name))
            if MANIFEST in archive.namelist():
                put_member(made, MANIFEST, archive.read(MANIFEST))
        again.seek(0)
        while (block := given.read(BLOCK)) == again.read(BLOCK):
            if not block:
                return
    check.wrong(
        "ZIP 文件的结构（次序、时间、附加数据）与本程序写出的不同，被改动过。",
        "The frame of the ZIP (order, times, extra bytes) is not as this program writes it; it was "
        "changed.",
    )


def _check_chain(lines: bytes, manifest: bytes, printed: str, check: ArchiveCheck) -> Walk | None:
    """The chain hashed again, held against the manifest's head and the printed one."""
    try:
        events = [ChainEvent(**strict_json(line)) for line in _lines(lines)]
        walk = walk_chain(events)
        stated = strict_json(manifest.decode())["audit"]
    except (RuleError, TypeError, ValueError, KeyError):
        check.wrong(
            "审计链 audit.jsonl 或清单无法读取。", "The audit chain or the manifest is unreadable."
        )
        return None
    check.head = walk.head
    check.problems += walk.problems
    if stated != {"number": walk.head.number, "hash": walk.head.hash}:
        check.wrong(
            f"审计链止于第 {walk.head.number} 条，与清单登记的链头不符：末尾被删除或替换。",
            f"The audit chain ends at event {walk.head.number}, which is not the manifest's head: "
            "its end was removed or replaced.",
        )
    wanted = printed.strip().lower()
    if wanted and wanted not in {walk.hashes[n] for n in walk.hashes if n}:
        check.problems.append(not_in_chain(wanted))
    return walk


def _lines(data: bytes) -> list[str]:
    """Lines as they were written; str.splitlines would also part at characters inside of texts."""
    return data.decode().removesuffix("\n").split("\n")


def _check_contents(texts: Mapping[str, bytes], walk: Walk, check: ArchiveCheck) -> None:
    """Tallies, ballots and rulings against the round and against what the chain says of them."""
    try:
        round_id = strict_json(texts["about.json"].decode())["id"]
        events = _events_of(texts["audit.jsonl"], round_id)
        document = strict_json(texts["round.json"].decode())
        _check_tallies(texts, document, events, check)
        given = {n: strict_json(texts[n].decode()) for n in (BALLOTS, PAPERS, RECEIPTS)}
        check.problems += ballot_problems(document, given, events)
        _check_rulings(strict_json(texts["rulings.json"].decode()), events, check)
        _check_policies(texts, events, check)
    except RuleError as error:
        check.problems += error.sentences
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        check.wrong(
            f"档案内容不全或格式不对（{error!r}），无法完成核对。",
            f"The content is incomplete or malformed ({error!r}); the check cannot be completed.",
        )


def _events_of(lines: bytes, round_id: int) -> dict[str, list[dict[str, Any]]]:
    """Action -> details of the chain's events of one round, each with its `actor`."""
    found: dict[str, list[dict[str, Any]]] = {}
    for line in _lines(lines):
        event = strict_json(line)
        details = json.loads(event["details"])
        if details.get("round") == round_id:
            details["actor"] = event["actor"]
            found.setdefault(event["action"], []).append(details)
    return found


def _check_tallies(
    texts: Mapping[str, bytes],
    document: Any,
    events: Mapping[str, list[dict[str, Any]]],
    check: ArchiveCheck,
) -> None:
    frozen = {int(event["number"]): event["sha256"] for event in events.get("freeze_tally", [])}
    there = {int(n.split("/")[1]) for n in texts if n.endswith("/result.json")}
    for number in sorted(set(frozen) ^ there):
        check.wrong(
            f"第 {number} 版汇总只在档案与审计链之一中出现。",
            f"Tally number {number} stands in only one of archive and audit chain.",
        )
    before = ""
    for number in sorted(there):
        folder = tally_folder(number)
        body = texts[f"{folder}/result.json"]
        record = strict_json(texts[f"{folder}/record.json"].decode())
        digest = hashlib.sha256(body).hexdigest()
        if not digest == frozen.get(number, digest) == record["body_sha256"]:
            check.wrong(
                f"第 {number} 版汇总不是审计链中冻结的那一份：被换过。",
                f"Tally number {number} is not the one that was frozen in the audit chain: it was "
                "swapped.",
            )
        found = verify_document(body.decode())
        check.tallies[number] = found.sha256
        if not found.equal:
            check.wrong(
                f"第 {number} 版汇总重新计算后在 {found.difference} 处不同，被改动过。",
                f"Tally number {number}, computed again, differs at {found.difference}: it was "
                "changed.",
            )
        given = strict_json(body.decode())["input"]
        if (given["version"], given["replaces"]) != (number, before):
            check.wrong(
                f"第 {number} 版汇总与上一版不相接。",
                f"Tally number {number} does not follow the one before it.",
            )
        before = found.sha256
    if there and canonical_json(given) != canonical_json(document):
        check.wrong(
            "round.json 与最后一版汇总所用的数据不同，被改动过。",
            "round.json is not what the last tally was computed from; it was changed.",
        )


def _check_rulings(
    rulings: Iterable[dict[str, Any]],
    events: Mapping[str, list[dict[str, Any]]],
    check: ArchiveCheck,
) -> None:
    names = ("number", "code", "subject", "value")
    said = sorted([event[name] for name in names] for event in events.get("record_ruling", []))
    if said != sorted([ruling[name] for name in names] for ruling in rulings):
        check.wrong(
            "裁定记录与审计链不符。", "The rulings are not those that the audit chain recorded."
        )


def _check_policies(
    texts: Mapping[str, bytes], events: Mapping[str, list[dict[str, Any]]], check: ArchiveCheck
) -> None:
    said = {int(e["number"]): e["sha256"] for e in events.get("snapshot_policy", [])}
    there = {
        int(name.split("/")[1].removesuffix(".toml")): hashlib.sha256(text).hexdigest()
        for name, text in texts.items()
        if name.startswith("policies/")
    }
    if said != there:
        check.wrong(
            "政策文本与审计链中登记的不符，被换过或缺少。",
            "The texts of the policy are not those that the audit chain recorded.",
        )
