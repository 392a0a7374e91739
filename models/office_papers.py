"""Papers of a round: rosters as they were imported, scans of signed sheets, and their audit."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.base import utc_now
from models.errors import RuleError, Sentence
from models.office_log import record_event
from models.vault_results import AuditDraw, RekeyedTotal, RosterFile, SignedScan
from models.vault_rounds import OfficeRound


def note_roster(
    session: Session, *, round_id: int, sha256: str, suffix: str, sheet: str, name: str, by: str
) -> None:
    """Notes a roster whose bytes are kept; one that is known already changes nothing."""
    if session.scalar(select(RosterFile.id).filter_by(round_id=round_id, sha256=sha256)):
        return
    session.add(
        RosterFile(
            round_id=round_id, sha256=sha256, suffix=suffix, sheet=sheet, name=name[:300], by=by,
            at=utc_now(),
        )
    )  # fmt: skip
    details = {"sha256": sha256, "name": name[:300]}
    record_event(session, actor=by, action="roster.keep", round_id=round_id, details=details)
    session.flush()


def rosters_of(session: Session, round_id: int) -> list[RosterFile]:
    """The kept rosters, the newest first."""
    chosen = select(RosterFile).filter_by(round_id=round_id).order_by(RosterFile.id.desc())
    return list(session.scalars(chosen))


def note_scan(
    session: Session,
    *,
    round_id: int,
    sha256: str,
    suffix: str,
    name: str,
    pages: int,
    codes: Sequence[str],
    by: str,
) -> bool:
    """Whether the scan is new; the same bytes are kept once."""
    session.get_one(OfficeRound, round_id, with_for_update=True)
    if session.scalar(select(SignedScan.id).filter_by(round_id=round_id, sha256=sha256)):
        return False
    session.add(
        SignedScan(
            round_id=round_id, sha256=sha256, suffix=suffix, name=name[:300], pages=pages,
            codes=json.dumps(list(codes), ensure_ascii=False), by=by, at=utc_now(),
        )
    )  # fmt: skip
    details = {"sha256": sha256, "pages": pages, "codes": len(codes)}
    record_event(session, actor=by, action="signed.keep", round_id=round_id, details=details)
    session.flush()
    return True


def scans_of(session: Session, round_id: int) -> list[SignedScan]:
    """The kept scans, in the order in which they came."""
    chosen = select(SignedScan).filter_by(round_id=round_id).order_by(SignedScan.id)
    return list(session.scalars(chosen))


def keep_draw(
    session: Session, *, round_id: int, seed: str, sheets: Sequence[str], of: int, by: str
) -> AuditDraw:
    """Keeps a draw under the next number; earlier ones stay."""
    session.get_one(OfficeRound, round_id, with_for_update=True)
    last = session.scalar(select(func.max(AuditDraw.number)).filter_by(round_id=round_id)) or 0
    made = AuditDraw(
        round_id=round_id,
        number=last + 1,
        seed=seed,
        of=of,
        sheets=json.dumps(list(sheets), ensure_ascii=False),
        by=by,
        at=utc_now(),
    )
    session.add(made)
    session.flush()
    details = {"number": made.number, "seed": seed, "sheets": len(sheets), "of": of}
    record_event(session, actor=by, action="signed.draw", round_id=round_id, details=details)
    return made


def draws_of(session: Session, round_id: int) -> list[AuditDraw]:
    return list(session.scalars(select(AuditDraw).filter_by(round_id=round_id).order_by("number")))


def keep_totals(
    session: Session, *, round_id: int, draw: int, totals: Mapping[str, str], by: str
) -> None:
    """Keeps totals as they were read from paper; RuleError for a sheet that was not drawn."""
    found = session.get(AuditDraw, (round_id, draw))
    if found is None or set(totals) - set(json.loads(found.sheets)):
        raise RuleError(
            Sentence("只能录入抽中的评分表。", "Only totals of drawn sheets can be entered.")
        )
    before = rekeyed_of(session, round_id, draw)
    for sheet, total in sorted(totals.items()):
        if before.get(sheet) != total:
            session.add(
                RekeyedTotal(
                    round_id=round_id, draw=draw, sheet=sheet, total=total, by=by, at=utc_now()
                )
            )
    details = {"draw": draw, "totals": len(totals)}
    record_event(session, actor=by, action="signed.rekey", round_id=round_id, details=details)
    session.flush()


def rekeyed_of(session: Session, round_id: int, draw: int) -> dict[str, str]:
    """Sheet -> the total that was read last."""
    rows = session.scalars(
        select(RekeyedTotal).filter_by(round_id=round_id, draw=draw).order_by(RekeyedTotal.id)
    )
    return {row.sheet: row.total for row in rows}
