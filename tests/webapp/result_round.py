"""A round of a notice up to its result: scored, defended, voted on, as both stores hold it."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from fractions import Fraction
from importlib.resources import files
from itertools import cycle, islice

from sqlalchemy import Engine, insert, select
from sqlalchemy.orm import Session

from models.ballots import cast_ballot, close_ballot, open_ballot
from models.candidates import NewCandidate, add_candidates
from models.defences import record_defence_result, record_defence_score
from models.office_experts import ExpertRow, put_experts
from models.office_rounds import make_round
from models.review_sheets import Sheet
from models.rounds import advance_round, lock_round, open_round, record_attendance, record_recusal
from models.sheets import CriterionRule, assign_sheets, submit_sheet
from models.vault_rounds import Entrant, OfficeRound
from redactor.applicant import Applicant
from redactor.blind_code import new_codes

NOTICES = ("forestry", "water", "nonferrous", "science", "culture")
SEATS = tuple(f"R{n:02d}" for n in range(1, 10))
SCORING = 5
"""The first seats score every dossier."""
RULES = (CriterionRule("achievements", 4000, 50), CriterionRule("papers", 3000, 50))
SPECIALTIES = ("林学", "园林", "水利工程", "采矿")
STANDINGS = (
    ("attended", None), ("attended", None), ("exempt", "service"), ("attended", None),
    ("absent", None), ("exempt", "below_county"), ("attended", None), ("not_required", None),
)  # fmt: skip


def name_of(number: int) -> str:
    """The name of an applicant of the round, as rosters may have it: without digits."""
    signs = "甲乙丙丁戊己庚辛壬癸"
    return f"诸葛{signs[number // 10 % 10]}{signs[number % 10]}"


@dataclass(frozen=True)
class ResultRound:
    """Ids in both stores; `codes` in the order of the roster."""

    round_id: int
    review_id: int
    codes: tuple[str, ...]
    policy: str


def policy_text(notice: str) -> str:
    """The example policy of an office under a notice."""
    path = files("scoring") / "policies" / "examples" / f"{notice}_office.toml"
    return path.read_text("utf-8")


def furnish_result(
    vault: Engine,
    review: Engine,
    *,
    notice: str = "science",
    candidates: int = 8,
    policy: str | None = None,
    level_scores: bool = False,
    close: bool = False,
) -> ResultRound:
    """A round past its defence and vote. `level_scores`: all candidates score the same."""
    policy = policy_text(notice) if policy is None else policy
    codes = new_codes(candidates, [])
    name = f"2024年度评审 {notice}"
    with Session(vault) as session, session.begin():
        made = make_round(
            session, name=name, year=2024, policy_name="office", policy=policy, profile="strict",
            committee_members=11, by="test",
        )  # fmt: skip
        session.execute(
            insert(Entrant), [_entrant(made.id, n, code) for n, code in enumerate(codes, 1)]
        )
        experts = [ExpertRow(n, f"专家{n:03d}", unit=f"研究所{n}") for n in range(1, 10)]
        put_experts(session, round_id=made.id, rows=experts, by="test")
        round_id = made.id
    with Session(review) as session, session.begin():
        review_id = open_round(
            session, name=name, year=2024, places=2, committee_members=11, policy_text=policy,
            seats=SEATS, by="test",
        ).id  # fmt: skip
        _score(session, review_id, codes, level_scores=level_scores)
        _meet(session, review_id, codes, scored="pass_fail" not in policy)
        _vote(session, review_id, codes)
        if close:
            advance_round(session, round_id=review_id, to="closed", by="test")
    with Session(vault) as session, session.begin():
        session.get_one(OfficeRound, round_id).review_round_id = review_id
    return ResultRound(round_id, review_id, tuple(codes), policy)


def _score(session: Session, round_id: int, codes: list[str], *, level_scores: bool) -> None:
    standings = list(islice(cycle([STANDINGS[0]] if level_scores else STANDINGS), len(codes)))
    add_candidates(
        session,
        round_id=round_id,
        candidates=[
            NewCandidate(code, SPECIALTIES[n // 3 % 4], "中级", *standings[n])
            for n, code in enumerate(codes)
        ],
        by="test",
    )
    pairs = [(seat, code) for seat in SEATS[:SCORING] for code in codes]
    assign_sheets(session, round_id=round_id, pairs=pairs, by="test")
    if not level_scores and len(codes) > 1:
        record_recusal(
            session, round_id=round_id, reviewer="R05", code=codes[1], reason="同事", by="test"
        )
    for sheet in session.scalars(select(Sheet).filter_by(round_id=round_id, state="open")).all():
        n, seat = codes.index(sheet.code), int(sheet.reviewer[1:])
        scores = {
            "achievements": 2400 + (n * 350 + seat * 50 * (n % 3)) % 1500,
            "papers": 1400 + (n * 250 + seat * 50) % 1500,
        }
        submit_sheet(
            session, sheet_id=sheet.id,
            scores={"achievements": 3000, "papers": 1600} if level_scores else scores,
            comment="", base_version=sheet.version, rules=RULES, by=sheet.reviewer,
        )  # fmt: skip
    lock_round(session, round_id=round_id, min_sheets=3, by="test")


def _meet(session: Session, round_id: int, codes: list[str], *, scored: bool) -> None:
    for seat in SEATS:
        record_attendance(session, round_id=round_id, seat=seat, present=True, by="test")
    advance_round(session, round_id=round_id, to="defence", by="test")
    from models.review import Candidate

    for n, code in enumerate(codes):
        if session.get_one(Candidate, (round_id, code)).defence != "attended":
            continue
        if not scored:
            record_defence_result(
                session, round_id=round_id, code=code, passed=n % 5 > 0, by="test"
            )
            continue
        for judge in range(1, 4):
            if (judge, n) != (5, 1):
                record_defence_score(
                    session, round_id=round_id, judge=f"R{judge:02d}", code=code,
                    points=1500 + n * 50 % 1400 * (0 if _level(session, round_id) else 1),
                    maximum=3000, by="test",
                )  # fmt: skip


def _level(session: Session, round_id: int) -> bool:
    from models.review import Candidate

    defences = session.scalars(select(Candidate.defence).filter_by(round_id=round_id)).all()
    return set(defences) == {"attended"}


def _vote(session: Session, round_id: int, codes: list[str]) -> None:
    advance_round(session, round_id=round_id, to="voting", by="test")
    ballot = open_ballot(session, round_id=round_id, codes=codes, by="test", quorum=Fraction(2, 3))
    away = () if _level(session, round_id) or len(codes) < 2 else (codes[1],)
    for at, seat in enumerate(SEATS):
        choices = {
            code: "yes" if at < 5 + n % 4 else ("no", "abstain", "spoiled")[n % 3]
            for n, code in enumerate(codes)
            if not (seat == "R05" and code in away)
        }
        cast_ballot(session, ballot_id=ballot, reviewer=seat, choices=choices)
    close_ballot(session, ballot_id=ballot, by="test")


def _entrant(round_id: int, number: int, code: str) -> dict[str, object]:
    person = Applicant(number, number + 3, name_of(number), f"第{number}中学", level="中级")
    return {
        "round_id": round_id,
        "number": number,
        "name": person.name,
        "unit": person.unit,
        "specialty": SPECIALTIES[(number - 1) // 3 % 4],
        "level": "中级",
        "row": json.dumps(dataclasses.asdict(person), ensure_ascii=False, sort_keys=True),
        "code": code,
    }
