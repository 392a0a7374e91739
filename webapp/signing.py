"""What reviewers sign: their submitted sheets of a round as the review store holds them."""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.review import Candidate, Round
from models.round_export import final_sheets
from scoring.policy import Policy
from scoring.signature_sheets import SignatureSheet, signature_pdf


def sheets_to_sign(review: Session, round_id: int) -> dict[str, list[SignatureSheet]]:
    """Seat -> its sheets that count, by code; seats without any are left out."""
    found = review.get_one(Round, round_id)
    about = {
        row.code: row for row in review.scalars(select(Candidate).filter_by(round_id=round_id))
    }
    by_seat: dict[str, list[SignatureSheet]] = defaultdict(list)
    for sheet in final_sheets(review, round_id):
        if sheet.state == "submitted":
            scores = {key: Fraction(n, 10**found.places) for key, n in sheet.scores.items()}
            candidate = about[sheet.code]
            by_seat[sheet.reviewer].append(
                SignatureSheet(
                    round_id,
                    sheet.reviewer,
                    sheet.code,
                    candidate.specialty,
                    candidate.level,
                    sheet.version,
                    scores,
                )
            )
    return dict(sorted(by_seat.items()))


def seat_pdf(review: Session, round_id: int, seat: str, policy: Policy) -> bytes:
    """The PDF that a seat signs; ValueError for a seat without a submitted sheet."""
    found = review.get_one(Round, round_id)
    title = policy.notice.title if policy.notice else found.name
    sheets = sheets_to_sign(review, round_id).get(seat, [])
    return signature_pdf(seat, sheets, policy, title=title, year=found.year)


def stored_totals(review: Session, round_id: int) -> dict[str, Fraction]:
    """Name of a sheet ("seat|code") -> its total, for the draw and the comparison of the audit."""
    return {
        f"{seat}|{sheet.code}": sheet.total
        for seat, sheets in sheets_to_sign(review, round_id).items()
        for sheet in sheets
    }
