"""Writes the archive of a closed round: one ZIP that proves itself offline (archive_proof.py)."""

from __future__ import annotations

import hashlib
import tempfile
import unicodedata
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.audit import Head, audit_head, chain_events, verify_audit
from models.errors import RuleError, Sentence
from models.review import PolicySnapshot, Reviewer, Round, Ruling, Tally
from models.review_sheets import Sheet, SheetVersion
from models.round_export import export_round
from models.vault_rounds import Entrant, OfficeRound
from scoring.canonical import canonical_json, sha256
from scoring.minutes_pdf import write_minutes
from scoring.outputs import json_text, write_all
from scoring.policy_files import policy_from_document
from scoring.result_json import tally_document, verify_document
from scoring.round_json import round_document, round_from_document, strict_json
from scoring.tally import tally
from scoring.workbook import write_workbook
from webapp.archive_ballots import ballot_members
from webapp.archive_form import (
    IDENTITIES,
    MANIFEST,
    file_sha256,
    manifest_of,
    put_member,
    tally_folder,
)
from webapp.office.door import identity_words
from webapp.policy_texts import policy_from_text


@dataclass(frozen=True)
class Archived:
    """What to write on the receipt of an archive: its own hash, and the head of its audit chain.

    `named_in`: members in which an applicant's name, unit or number stands, though no key was asked
    for: somebody wrote it into a reason or a remark. Known only where the vault was at hand.
    """

    sha256: str
    head: Head
    named_in: tuple[str, ...] = ()


def write_archive(
    out: Path,
    review: Session,
    round_id: int,
    *,
    vault: Session | None = None,
    include_identities: bool = False,
) -> Archived:
    """Writes the archive of a closed round to `out`, as a whole or not at all.

    Nobody is named in it unless `include_identities`; then the key (code, number, name, unit) is a
    member of its own and `vault` is needed. RuleError with everything that is in the way: the
    round is not closed or has no tally, its last tally is not what the store gives now, the audit
    chain is broken, the policy in force is not the one that was tallied with.
    """
    if include_identities and vault is None:
        raise ValueError("the key is in the vault")
    document = _checked(review, round_id)
    with tempfile.TemporaryDirectory(prefix=".archive-", dir=out.parent) as name:
        folder = Path(name)
        texts = _texts(review, round_id)
        texts["round.json"] = json_text(document)
        if include_identities and vault is not None:
            texts[IDENTITIES] = _lines_json(_key(vault, round_id))
        for member, text in texts.items():
            _put(folder / member, text)
        for kept in _tallies(review, round_id):
            texts[f"{tally_folder(kept.number)}/result.json"] = kept.body
            _print_tally(folder / tally_folder(kept.number), kept)
        head = audit_head(review)
        words = _words(vault, round_id) if vault is not None else set()
        named = tuple(sorted(name for name, text in texts.items() if _names(words, name, text)))
        write_all({out: lambda path: _pack(path, folder, head)})
    return Archived(file_sha256(out), head, named)


def _checked(review: Session, round_id: int) -> dict[str, Any]:
    """The round as CONTRACT's ROUND, in its one canonical form; RuleError with every obstacle."""
    found = review.get(Round, round_id)
    kept = _tallies(review, round_id)
    if found is None or found.phase != "closed" or not kept:
        raise RuleError(
            Sentence(
                "只有已结束并有冻结汇总的批次才能归档。请先冻结汇总并结束本轮。",
                "Only a closed round with a frozen tally can be archived. Freeze its tally and "
                "close it first.",
            )
        )
    problems = list(verify_audit(review).problems)
    for one in kept:
        given = strict_json(one.body)
        same = hashlib.sha256(one.body.encode()).hexdigest() == one.body_sha256
        if not same or not verify_document(one.body).equal:
            problems.append(_broken_tally(one.number))
    if problems:
        raise RuleError(problems)
    policy = policy_from_document(given["policy"])
    now = round_document(
        round_from_document(export_round(review, round_id, version=kept[-1].number), policy)
    )
    if canonical_json(now) != canonical_json(given["input"]):
        problems.append(
            Sentence(
                f"冻结第 {kept[-1].number} 版汇总之后，本轮数据有变动。请先冻结新一版汇总。",
                f"The round changed after tally number {kept[-1].number} was frozen. Freeze a new "
                "tally first.",
            )
        )
    snapshot = review.scalars(
        select(PolicySnapshot).filter_by(round_id=round_id).order_by(PolicySnapshot.number.desc())
    ).first()
    if snapshot is not None:
        in_force = policy_from_text(snapshot.text, str(given["policy"].get("name", "")))
        if _unnamed(in_force.document()) != _unnamed(given["policy"]):
            problems.append(
                Sentence(
                    f"第 {kept[-1].number} 版汇总使用的政策与现行政策不同。请先冻结新一版汇总。",
                    f"Tally number {kept[-1].number} used another policy than the one in force. "
                    "Freeze a new tally first.",
                )
            )
    if problems:
        raise RuleError(problems)
    return now


def _unnamed(policy: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in policy.items() if key != "name"}


def _broken_tally(number: int) -> Sentence:
    return Sentence(
        f"第 {number} 版汇总与登记的校验码不符，或不能重新算出。请从备份恢复评审库。",
        f"Tally number {number} is not what was frozen, or does not re-compute. Restore the review "
        "store from a backup.",
    )


def _tallies(review: Session, round_id: int) -> list[Tally]:
    chosen = select(Tally).filter_by(round_id=round_id).order_by(Tally.number)
    return list(review.scalars(chosen))


def _texts(review: Session, round_id: int) -> dict[str, str]:
    """Name -> text of what the review store knows of a round."""
    found = review.get_one(Round, round_id)
    names = ("id", "name", "year", "places", "committee_members", "phase")
    about = {name: getattr(found, name) for name in names}
    texts = {
        "about.json": json_text(about),
        "attendance.json": _lines_json(
            {"seat": row.seat, "present": row.present}
            for row in _sorted(review, Reviewer, round_id, "seat")
        ),
        "rulings.json": _lines_json(
            _columns(row, "number", "code", "subject", "value", "reason", "by", "at")
            for row in _sorted(review, Ruling, round_id, "number")
        ),
        "sheets.json": _lines_json(_sheets(review, round_id)),
        "audit.jsonl": "".join(
            canonical_json(vars(event)).decode() + "\n" for event in chain_events(review)
        ),
    }
    for name, rows in ballot_members(review, round_id).items():
        texts[name] = _lines_json(rows)
    for snapshot in _sorted(review, PolicySnapshot, round_id, "number"):
        texts[f"policies/{snapshot.number:03d}.toml"] = snapshot.text
    return texts


def _sheets(review: Session, round_id: int) -> list[dict[str, Any]]:
    """Every submitted or corrected version of every sheet, with the reviewer's comment."""
    rows = review.execute(
        select(Sheet, SheetVersion)
        .join(SheetVersion, SheetVersion.sheet_id == Sheet.id)
        .where(Sheet.round_id == round_id, SheetVersion.kind != "draft")
    ).all()
    return [
        {
            **_columns(sheet, "reviewer", "code", "state"),
            **_columns(version, "number", "kind", "comment", "reason", "by", "confirmed_by", "at"),
        }
        for sheet, version in sorted(rows, key=lambda r: (r[0].code, r[0].reviewer, r[1].number))
    ]


def _entrants(vault: Session, round_id: int) -> list[Entrant]:
    rows = vault.scalars(
        select(Entrant)
        .join(OfficeRound, OfficeRound.id == Entrant.round_id)
        .where(OfficeRound.review_round_id == round_id)
    )
    return sorted(rows, key=lambda entrant: entrant.code)


def _words(vault: Session, round_id: int) -> set[str]:
    return {word for entrant in _entrants(vault, round_id) for word in identity_words(entrant)}


def _names(words: set[str], name: str, text: str) -> bool:
    return name != IDENTITIES and any(word in _plain(text) for word in words)


def _plain(text: str) -> str:
    """As identity_words gives them: without spaces, in one form."""
    return "".join(unicodedata.normalize("NFKC", text).split()).casefold()


def _key(vault: Session, round_id: int) -> list[dict[str, Any]]:
    names = ("code", "number", "name", "unit")
    return [_columns(row, *names) for row in _entrants(vault, round_id)]


def _print_tally(folder: Path, kept: Tally) -> None:
    """The numbered RESULT.json as it was frozen, and its workbook and minutes."""
    given = strict_json(kept.body)
    policy = policy_from_document(given["policy"])
    round_ = round_from_document(given["input"], policy)
    result = tally(round_, policy)
    document = tally_document(round_, policy, result)
    hashes = (document["sha256"], document["input_sha256"])
    record = _columns(kept, "number", "body_sha256", "reason", "by", "confirmed_by", "at")
    _put(folder / "record.json", json_text({**record, "policy_sha256": sha256(given["policy"])}))
    _put(folder / "result.json", kept.body)
    write_workbook(folder / "result.xlsx", round_, policy, result, hashes)
    write_minutes(folder / "minutes.pdf", round_, policy, result, hashes)


def _sorted(review: Session, table: Any, round_id: int, column: str) -> list[Any]:
    """A round's rows, ordered here: databases order texts in different ways."""
    rows = review.scalars(select(table).filter_by(round_id=round_id))
    return sorted(rows, key=lambda row: getattr(row, column))


def _columns(row: Any, *names: str) -> dict[str, Any]:
    return {name: getattr(row, name) for name in names}


def _lines_json(rows: Iterable[dict[str, Any]]) -> str:
    return json_text(list(rows))


def _put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode())


def _pack(path: Path, folder: Path, head: Head) -> None:
    """The ZIP of a folder; one member at a time is in memory."""
    names = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
    files = []
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name in names:
            data = (folder / name).read_bytes()
            put_member(archive, name, data)
            files.append((name, len(data), hashlib.sha256(data).hexdigest()))
        put_member(archive, MANIFEST, manifest_of(files, head))
