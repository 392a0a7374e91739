"""A round of the office that experts have: applicants with units, released codes, seats, sheets."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass

from sqlalchemy import Engine, insert, select
from sqlalchemy.orm import Session

from models.office_experts import ExpertRow, put_experts
from models.office_rounds import make_round
from models.released import BlindDossier, BlindPage, opened_round, put_dossiers
from models.review_sheets import Sheet
from models.seats import add_seats
from models.sheets import CriterionRule, assign_sheets, submit_sheet
from models.vault_rounds import Entrant, OfficeRound
from redactor.applicant import Applicant
from redactor.blind_code import new_codes
from tests.webapp.review_round import POLICY
from webapp.settings import Settings

RULES = (CriterionRule("achievements", 6000, 50), CriterionRule("papers", 4000, 50))
SCORES = {"achievements": 4150, "papers": 2900}


@dataclass(frozen=True)
class CommitteeRound:
    """Ids in both stores; `codes` in the order of the roster."""

    round_id: int
    review_id: int
    codes: tuple[str, ...]
    seats: tuple[str, ...]


def furnish_committee(
    vault: Engine,
    review: Engine,
    *,
    dossiers: int = 3,
    seats: int = 4,
    reviews: int = 0,
    name: str = "2024年度科学研究系列",
    released: bool = True,
    policy: str = POLICY,
) -> CommitteeRound:
    """Seat R01 sits in the unit of the first applicant. Each dossier is with `reviews` seats."""
    with Session(vault) as session, session.begin():
        office_round = make_round(
            session, name=name, year=2024, policy_name="office", policy=policy, profile="strict",
            committee_members=max(seats, 1), by="test",
        )  # fmt: skip
        codes = new_codes(dossiers, [])
        session.execute(
            insert(Entrant),
            [_entrant(office_round.id, n, code) for n, code in enumerate(codes, 1)],
        )
        experts = [
            ExpertRow(n, f"专家{n:03d}", unit=f"第{n}中学" if n == 1 else f"研究所{n}")
            for n in range(1, seats + 1)
        ]
        names = []
        if experts:
            names = put_experts(session, round_id=office_round.id, rows=experts, by="test")
        round_id = office_round.id
    if not released:
        return CommitteeRound(round_id, 0, tuple(codes), tuple(names))
    with Session(review) as session, session.begin():
        review_id = opened_round(
            session, round_id=None, name=name, year=2024, places=2,
            committee_members=max(seats, 1), policy_text=policy, by="test",
        ).id  # fmt: skip
        page = BlindPage(1, "其他", "jpg", 620, 877, "0" * 64)
        put_dossiers(
            session,
            round_id=review_id,
            dossiers=[BlindDossier(code, "实验技术", "中级", (page,), code) for code in codes],
            by="test",
        )
        if names:
            add_seats(session, round_id=review_id, seats=names, by="test")
        pairs = [
            {"round_id": review_id, "reviewer": names[(at + 1 + k) % seats], "code": code}
            for at, code in enumerate(codes)
            for k in range(reviews)
        ]
        if pairs:
            session.execute(insert(Sheet), pairs)
    with Session(vault) as session, session.begin():
        session.get_one(OfficeRound, round_id).review_round_id = review_id
    return CommitteeRound(round_id, review_id, tuple(codes), tuple(names))


def submit(review: Engine, review_id: int, *, but: int = 0) -> None:
    """Submits the open sheets of a round, all but the last few."""
    with Session(review) as session, session.begin():
        sheets = session.scalars(
            select(Sheet).filter_by(round_id=review_id, state="open").order_by(Sheet.id)
        ).all()
        for sheet in sheets[: len(sheets) - but]:
            submit_sheet(
                session, sheet_id=sheet.id, scores=SCORES, comment="", base_version=sheet.version,
                rules=RULES, by=sheet.reviewer,
            )  # fmt: skip


def give(review: Engine, review_id: int, *pairs: tuple[str, str]) -> None:
    with Session(review) as session, session.begin():
        assign_sheets(session, round_id=review_id, pairs=pairs, by="test")


def _entrant(round_id: int, number: int, code: str) -> dict[str, object]:
    person = Applicant(number, number + 3, f"诸葛{number:03d}", f"第{number}中学")
    return {
        "round_id": round_id,
        "number": number,
        "name": person.name,
        "unit": person.unit,
        "specialty": "实验技术",
        "level": "中级",
        "row": json.dumps(dataclasses.asdict(person), ensure_ascii=False, sort_keys=True),
        "code": code,
    }


def bytes_of_experts(settings: Settings) -> bytes:
    """All that the experts' store has on disk, its write-ahead log too."""
    return b"".join(path.read_bytes() for path in settings.review.iterdir() if path.is_file())
