"""A round of the review store as CONTRACT's ROUND: the one input of every tally of it.

Screens, frozen tallies and the archive all read the round through this function, so that what
`mangping tally` makes of the export is what the office froze.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.audit import AuditEvent
from models.defences import defence_scores
from models.errors import Sentence
from models.review import WITHDRAWN, Candidate, Recusal, Reviewer, Round, Ruling, Tally
from models.review_ballots import CHOICES, Ballot, BallotItem, VoterRoll
from models.review_sheets import DefenceResult, DefenceScore, Sheet, SheetScore, SheetVersion
from models.rounds import InputError, OrderError


@dataclass(frozen=True)
class FinalSheet:
    """A sheet as it counts: `scores` are scaled integers of its newest submitted version.

    `version` is 0 and `scores` are empty where nothing was ever submitted.
    """

    sheet_id: int
    reviewer: str
    code: str
    state: str
    reason: str
    version: int
    scores: Mapping[str, int]


def export_round(session: Session, round_id: int, *, version: int | None = None) -> dict[str, Any]:
    """The round as it stands, as a ROUND document of plain JSON values, in one fixed order.

    `version`: the number of the tally that it is for, the next one by default; `replaces` is then
    the sha256 of the tally before. Sheets that are open or withdrawn are left out, so a round that
    is not locked gives a preview. `disqualified_after_lock` means after the first frozen tally.
    Reads only. Raises InputError where a ROUND cannot say what the store holds: no such round or
    tally, an open ballot, a candidate in two ballots. Where ballots were held with different
    attendance, each says its own, and the committee's is of all who came to any.
    """
    found = session.get(Round, round_id)
    if found is None:
        raise InputError(
            Sentence(f"没有编号为 {round_id} 的评审轮次。", f"There is no round {round_id}.")
        )
    tallies = {
        tally.number: tally for tally in session.scalars(select(Tally).filter_by(round_id=round_id))
    }
    number = len(tallies) + 1 if version is None else version
    if number != 1 and number - 1 not in tallies:
        raise InputError(
            Sentence(f"没有第 {number - 1} 版汇总。", f"There is no tally number {number - 1}.")
        )
    replaces = json.loads(tallies[number - 1].body)["sha256"] if number > 1 else ""
    places = found.places
    ballots, attendance = _ballots(session, round_id)
    late = _disqualified_late(session, round_id)
    return {
        "year": found.year,
        "version": number,
        "replaces": replaces,
        "committee": {
            "members": found.committee_members,
            "present": len(attendance),
            "attendance": attendance,
        },
        "candidates": [
            {
                "code": item.code,
                "specialty": item.specialty,
                "level": item.level,
                "defence": item.defence,
                "ground": item.ground,
                "disqualified": item.disqualified,
                "disqualified_after_lock": item.disqualified and item.code in late,
            }
            for item in session.scalars(
                select(Candidate).filter_by(round_id=round_id).order_by(Candidate.code)
            )
        ],
        "sheets": [
            {
                "reviewer": item.reviewer,
                "code": item.code,
                "scores": {key: decimal_of(n, places) for key, n in item.scores.items()},
                "excluded": item.state == "excluded",
                "reason": item.reason if item.state == "excluded" else "",
            }
            for item in final_sheets(session, round_id)
            if item.state in ("submitted", "excluded") or (item.state == "recused" and item.version)
        ],
        "recusals": [
            {"reviewer": item.reviewer, "code": item.code}
            for item in session.scalars(
                select(Recusal).filter_by(round_id=round_id).order_by("code", "reviewer")
            )
        ],
        "defence_scores": [
            {"judge": judge, "code": code, "score": decimal_of(points, places)}
            for (judge, code), points in sorted(
                defence_scores(session, round_id).items(), key=lambda item: item[0][::-1]
            )
        ],
        "defence_results": [
            {"code": code, "passed": passed}
            for code, passed in sorted(_defence_results(session, round_id).items())
        ],
        "ballots": ballots,
        "rulings": _rulings(session, round_id),
        "corrections": _corrections(session, round_id, places),
    }


def final_sheets(session: Session, round_id: int) -> list[FinalSheet]:
    """Every sheet of a round with what was last submitted on it, by code and seat."""
    scores: dict[tuple[int, int], dict[str, int]] = defaultdict(dict)
    newest: dict[int, int] = {}
    rows = session.execute(
        select(SheetScore.sheet_id, SheetScore.number, SheetScore.criterion, SheetScore.points)
        .join(
            SheetVersion,
            (SheetVersion.sheet_id == SheetScore.sheet_id)
            & (SheetVersion.number == SheetScore.number),
        )
        .join(Sheet, Sheet.id == SheetScore.sheet_id)
        .where(Sheet.round_id == round_id, SheetVersion.kind != "draft")
        .order_by(SheetScore.criterion)
    )
    for row in rows:
        scores[row.sheet_id, row.number][row.criterion] = row.points
        newest[row.sheet_id] = max(newest.get(row.sheet_id, 0), row.number)
    sheets = session.scalars(
        select(Sheet).filter_by(round_id=round_id).order_by("code", "reviewer")
    )
    return [
        FinalSheet(
            sheet.id,
            sheet.reviewer,
            sheet.code,
            sheet.state,
            sheet.reason,
            newest.get(sheet.id, 0),
            scores.get((sheet.id, newest.get(sheet.id, 0)), {}),
        )
        for sheet in sheets
    ]


def decimal_of(points: int, places: int) -> str:
    """Scaled points as the shortest plain decimal string: (3150, 2) -> "31.5"."""
    text = f"{Decimal(points).scaleb(-places):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _ballots(session: Session, round_id: int) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """(counts by code, seats that were present): of the ballots, else as recorded."""
    held = session.scalars(select(Ballot).filter_by(round_id=round_id)).all()
    if not held:
        seats = select(Reviewer.seat).filter_by(round_id=round_id, present=True)
        return {}, sorted(session.scalars(seats))
    problems = []
    if any(ballot.state == "open" for ballot in held):
        problems.append(
            Sentence(
                "有投票尚未结束。请先结束投票。", "A ballot is still open. Close the ballot first."
            )
        )
    ids = [ballot.id for ballot in held]
    items = session.scalars(
        select(BallotItem).where(BallotItem.ballot_id.in_(ids)).order_by(BallotItem.code)
    ).all()
    for code, count in sorted(Counter(item.code for item in items).items()):
        if count > 1:
            problems.append(
                Sentence(
                    f"{code} 在 {count} 次投票中都有票数，无法确定以哪一次为准。",
                    f"{code} stands in {count} ballots; nothing says which of them holds.",
                )
            )
    rolls: dict[str, set[str]] = defaultdict(set)
    for row in session.execute(
        select(VoterRoll.ballot_id, VoterRoll.reviewer).where(VoterRoll.ballot_id.in_(ids))
    ):
        rolls[row.ballot_id].add(row.reviewer)
    if problems:
        raise InputError(problems)
    differ = len({frozenset(rolls[ballot_id]) for ballot_id in ids}) > 1
    counts: dict[str, dict[str, Any]] = {}
    for item in items:
        counts[item.code] = {name: getattr(item, name) or 0 for name in CHOICES}
        if differ:
            counts[item.code]["attendance"] = sorted(rolls[item.ballot_id])
    return counts, sorted(set().union(*rolls.values()))


def _disqualified_late(session: Session, round_id: int) -> set[str]:
    """Codes whose first disqualification came after the first frozen tally; the chain knows."""
    frozen: int | None = None
    first: dict[str, int] = {}
    events = session.execute(
        select(AuditEvent.number, AuditEvent.action, AuditEvent.details)
        .where(AuditEvent.action.in_(("disqualify", "freeze_tally")))
        .order_by(AuditEvent.number)
    )
    for event in events:
        details = json.loads(event.details)
        if details.get("round") != round_id:
            continue
        if event.action == "freeze_tally":
            frozen = event.number if frozen is None else frozen
        else:
            first.setdefault(details["code"], event.number)
    return {code for code, number in first.items() if frozen is not None and number > frozen}


def _defence_results(session: Session, round_id: int) -> dict[str, bool]:
    rows = session.scalars(
        select(DefenceResult).filter_by(round_id=round_id).order_by(DefenceResult.number)
    )
    return {row.code: row.passed for row in rows}


def _rulings(session: Session, round_id: int) -> list[dict[str, str]]:
    """The rulings that hold: of several on one subject the last, unless it takes them back."""
    rows = session.scalars(select(Ruling).filter_by(round_id=round_id).order_by(Ruling.number))
    last = {(row.code, row.subject): row for row in rows}
    return [
        {
            "code": row.code,
            "subject": row.subject,
            "value": row.value,
            "reason": row.reason,
            "by": row.by,
        }
        for _, row in sorted(last.items())
        if row.value != WITHDRAWN
    ]


def _corrections(session: Session, round_id: int, places: int) -> list[dict[str, Any]]:
    """Every correction after the lock, each by two persons, in the order of codes and seats."""
    return [
        *_sheet_corrections(session, round_id, places),
        *_defence_corrections(session, round_id, places),
    ]


def _sheet_corrections(session: Session, round_id: int, places: int) -> list[dict[str, Any]]:
    versions = session.execute(
        select(Sheet.reviewer, Sheet.code, SheetVersion)
        .join(Sheet, Sheet.id == SheetVersion.sheet_id)
        .where(Sheet.round_id == round_id, SheetVersion.kind == "correction")
    ).all()
    ids = {version.sheet_id for _, _, version in versions}
    scores: dict[tuple[int, int], dict[str, int]] = defaultdict(dict)
    for row in session.scalars(select(SheetScore).where(SheetScore.sheet_id.in_(ids))):
        scores[row.sheet_id, row.number][row.criterion] = row.points
    return [
        _correction(
            f"{reviewer} 对 {code} 的评分表第 {version.number} 版",
            _said(scores[version.sheet_id, version.number - 1], places),
            _said(scores[version.sheet_id, version.number], places),
            version,
        )
        # Sorted here: databases order texts in different ways.
        for reviewer, code, version in sorted(versions, key=lambda v: (v[1], v[0], v[2].number))
    ]


def _defence_corrections(session: Session, round_id: int, places: int) -> list[dict[str, Any]]:
    found = []
    points: dict[tuple[str, str], int] = {}
    scores = session.scalars(select(DefenceScore).filter_by(round_id=round_id))
    for score in sorted(scores, key=lambda s: (s.code, s.judge, s.number)):
        key = score.judge, score.code
        if key in points:
            item = f"{score.judge} 对 {score.code} 的答辩分"
            old, new = decimal_of(points[key], places), decimal_of(score.points, places)
            found.append(_correction(item, old, new, score))
        points[key] = score.points
    passed: dict[str, bool] = {}
    results = session.scalars(select(DefenceResult).filter_by(round_id=round_id))
    for result in sorted(results, key=lambda r: (r.code, r.number)):
        if result.code in passed:
            words = {True: "通过", False: "未通过"}
            item = f"{result.code} 的答辩结果"
            found.append(
                _correction(item, words[passed[result.code]], words[result.passed], result)
            )
        passed[result.code] = result.passed
    return found


def _correction(
    item: str, old: str, new: str, row: SheetVersion | DefenceScore | DefenceResult
) -> dict[str, Any]:
    if row.confirmed_by is None:
        raise OrderError(
            Sentence(
                f"{item}的更正没有第二人签认，不能汇总。",
                f"{item}: this correction lacks its second person and cannot be tallied.",
            )
        )
    by = [row.by, row.confirmed_by]
    return {"item": item, "old": old, "new": new, "reason": row.reason, "by": by}


def _said(scores: Mapping[str, int], places: int) -> str:
    return "、".join(f"{key} {decimal_of(n, places)}" for key, n in sorted(scores.items()))
