"""Gives the demo's round to a made-up committee: dossiers released, sheets given out and scored."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.base import open_store
from models.errors import RuleError
from models.office_experts import experts_of, put_experts, set_rule
from models.office_release import ask_release
from models.released import released_codes
from models.review_sheets import Sheet
from models.seat_access import IssuedCard, issue_card
from models.seats import add_seats
from models.sheets import CriterionRule, assign_sheets, submit_sheet
from models.vault_rounds import Entrant, OfficeRound
from scoring.assignment import assign
from scoring.policy import Policy
from webapp.office.committee import dossiers_of, reviewers_of
from webapp.office.door import Stores, let_out
from webapp.office.expert_list import experts_of_file
from webapp.office.policies import policy_of
from webapp.settings import Settings

EXPERTS = Path(__file__).with_name("demo_experts.csv")
REVIEWS = 3
SEED = 2024
CARDS = ("R01", "R02")
"""Seats whose cards are printed in the terminal; the others get theirs on the cards page."""
TRY = "R01"
"""One sheet of this seat is left for whoever tries the demo."""
KEPT_BACK_FROM = 4
"""With as many dossiers, one is not released, so that the office's desks have one to try."""


def seat_committee(settings: Settings, round_id: int, by: str) -> list[IssuedCard]:
    """Releases what may leave and fills the experts' side; the cards of CARDS.

    [] when no dossier could be released. Nothing is read again.
    """
    vault, review = open_store(settings.vault_url), open_store(settings.review_url)
    try:
        with Session(vault) as session, session.begin():
            rows = experts_of_file(EXPERTS.name, EXPERTS.read_bytes(), settings.vault)
            put_experts(session, round_id=round_id, rows=rows, by=by)
            asked = _ask(session, round_id, by)
        let_out(Stores(settings, vault, review), round_id=round_id, release_ids=asked, by=by)
        with Session(vault) as session, session.begin():
            office_round = session.get_one(OfficeRound, round_id)
            if office_round.review_round_id is None:
                return []
            with Session(review) as experts_side, experts_side.begin():
                return _fill(session, experts_side, office_round, by)
    finally:
        vault.dispose()
        review.dispose()


def _ask(vault: Session, round_id: int, by: str) -> list[int]:
    """Asks for the release of every dossier that may leave, all but one of many."""
    entrants = vault.scalars(
        select(Entrant).where(Entrant.round_id == round_id).order_by(Entrant.code)
    ).all()
    asked = []
    for entrant in entrants[: -1 if len(entrants) >= KEPT_BACK_FROM else None]:
        try:
            asked.append(ask_release(vault, entrant_id=entrant.id, by=by).id)
        except RuleError:
            continue  # a page waits for a person; the release desk says which
    return asked


def _fill(vault: Session, review: Session, office_round: OfficeRound, by: str) -> list[IssuedCard]:
    round_id = office_round.review_round_id
    assert round_id is not None
    experts = experts_of(vault, office_round.id)
    add_seats(review, round_id=round_id, seats=[expert.seat for expert in experts], by=by)
    dossiers = dossiers_of(vault, office_round.id, released_codes(review, round_id))
    rule = set_rule(
        vault, round_id=office_round.id, reviews=REVIEWS, by_specialty=True, seed=SEED, by=by
    )
    plan = assign(dossiers, reviewers_of(experts, {}, by_specialty=True), rule.reviews, seed=SEED)
    assign_sheets(review, round_id=round_id, pairs=plan.added, by=by)
    _score(review, round_id, policy_of(office_round))
    return [issue_card(review, round_id=round_id, seat=seat, by=by) for seat in CARDS]


def _score(review: Session, round_id: int, policy: Policy) -> None:
    """Submits made-up scores on every sheet but one."""
    rules = rules_of(policy)
    sheets = review.scalars(select(Sheet).filter_by(round_id=round_id).order_by(Sheet.code)).all()
    left = next((sheet for sheet in sheets if sheet.reviewer == TRY), sheets[-1])
    for sheet in sheets:
        if sheet is not left:
            submit_sheet(
                review,
                sheet_id=sheet.id,
                scores=_made_up(rules, f"{sheet.reviewer} {sheet.code}"),
                comment="",
                base_version=0,
                rules=rules,
                by=sheet.reviewer,
            )


def rules_of(policy: Policy) -> Sequence[CriterionRule]:
    """The policy's criteria as scaled integers."""
    scale = 10**policy.places
    return [
        CriterionRule(one.id, int(one.max * scale), int((one.step or Fraction(1, scale)) * scale))
        for one in policy.criterion
    ]


def _made_up(rules: Sequence[CriterionRule], seed: str) -> Mapping[str, int]:
    """Scores between a half and all of each criterion's points."""
    drawn = random.Random(seed)
    return {
        rule.id: rule.step
        * drawn.randint(rule.maximum // rule.step // 2, rule.maximum // rule.step)
        for rule in rules
    }
