"""The committee between the two stores: the experts of the vault as seats of the review round."""

from __future__ import annotations

import json
import secrets
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache

from flask import abort, request
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.errors import RuleError, Sentence
from models.office_experts import experts_of
from models.review import PolicySnapshot, Recusal, Round
from models.review_sheets import Sheet
from models.seats import add_seats
from models.second_person import second_person
from models.vault_experts import AssignmentRule, Expert
from models.vault_rounds import Entrant, OfficeRound
from scoring.assignment import Dossier, Reviewer
from scoring.policy import Policy
from webapp.office.app import review, vault
from webapp.office.door import identity_words, review_round_id
from webapp.policy_texts import policy_from_text

DESK = ("secretary", "admin")
"""Who sees experts' names and how far their scores are."""
DEFAULT_REVIEWS = 3
"""National practice: at least three experts comment on each applicant."""
SPLIT = "；"


def opened(found: OfficeRound) -> Round | None:
    """The round as experts have it, None before the first release."""
    round_id = review_round_id(review(), found)
    return None if round_id is None else review().get(Round, round_id)


def opened_or_404(found: OfficeRound) -> Round:
    """The same, for acts that need it."""
    return opened(found) or abort(404)


def take_turn(round_id: int) -> None:
    """Puts two people who change the committee or its dossiers at once in line."""
    vault().get_one(OfficeRound, round_id, with_for_update=True, populate_existing=True)


def second_of_form(by: str) -> str:
    """The login of the second person whose password the form holds; RuleError for anybody else."""
    return second_person(
        vault(),
        login=request.form.get("second_login", ""),
        password=request.form.get("second_password", ""),
        by=by,
    )


def bring_seats(found: OfficeRound, by: str) -> None:
    """Seats that were named before the round was opened are added to it."""
    there = opened(found)
    if there is not None and there.phase != "closed":
        seats = [expert.seat for expert in experts_of(vault(), found.id)]
        add_seats(review(), round_id=there.id, seats=seats, by=by)


def policy_in_force(found: OfficeRound) -> Policy | None:
    """The policy by which experts score: the review round's newest, else the office's; None if
    neither is set."""
    there = opened(found)
    text = None
    if there is not None:
        text = review().scalar(
            select(PolicySnapshot.text)
            .where(PolicySnapshot.round_id == there.id)
            .order_by(PolicySnapshot.number.desc())
            .limit(1)
        )
    text = found.policy if text is None else text
    return _parsed(text) if text else None


@lru_cache(maxsize=16)
def _parsed(text: str) -> Policy:
    return policy_from_text(text, "office")


def rule_of(found: OfficeRound, policy: Policy | None) -> AssignmentRule:
    """The rule that was set, else a fresh one that is not kept yet."""
    rule = vault().get(AssignmentRule, found.id)
    if rule is not None:
        return rule
    least = (policy.aggregate.min_sheets if policy is not None else None) or 0
    return AssignmentRule(
        round_id=found.id,
        reviews=max(least, DEFAULT_REVIEWS),
        by_specialty=True,
        seed=secrets.randbelow(10**9),
    )


def reviewers_of(
    experts: Sequence[Expert], declared: dict[str, set[str]], *, by_specialty: bool
) -> list[Reviewer]:
    """The experts as the assignment takes them. `declared`: seat -> codes it must not get."""
    return [
        Reviewer(
            expert.seat,
            specialties=frozenset(_parts(expert.specialties)) or None if by_specialty else None,
            units=(expert.unit,) if expert.unit else (),
            former_units=_parts(expert.former_units),
            declared=frozenset(declared.get(expert.seat, ())),
            family=_parts(expert.relatives),
            capacity=expert.capacity,
        )
        for expert in experts
    ]


def dossiers_of(session: Session, round_id: int, codes: Iterable[str]) -> list[Dossier]:
    """What the vault knows of the released dossiers, in the order of codes."""
    wanted = set(codes)
    found = session.scalars(
        select(Entrant).where(Entrant.round_id == round_id).order_by(Entrant.code)
    )
    return [_dossier(entrant) for entrant in found if entrant.code in wanted]


def _dossier(entrant: Entrant) -> Dossier:
    row = json.loads(entrant.row)
    return Dossier(
        entrant.code,
        entrant.specialty,
        entrant.name,
        tuple(text for text in (entrant.unit, *(row.get("unit_short") or ())) if text),
        tuple(row.get("former_units") or ()),
    )


def barred_pairs(round_id: int) -> dict[str, set[str]]:
    """Seat -> codes that it was recused from, or whose sheet of it is excluded."""
    found: dict[str, set[str]] = {}
    recused = select(Recusal.reviewer, Recusal.code).where(Recusal.round_id == round_id)
    left = select(Sheet.reviewer, Sheet.code).where(
        Sheet.round_id == round_id, Sheet.state.in_(("excluded", "recused"))
    )
    for query in (recused, left):
        for seat, code in review().execute(query):
            found.setdefault(seat, set()).add(code)
    return found


def require_neutral(found: OfficeRound, code: str | None, text: str) -> str:
    """`text` trimmed; RuleError where a reason would take a name or unit to the experts' store.

    `code`: whose identity is sought beside the experts' names; None for every applicant's.
    """
    about = select(Entrant).filter_by(round_id=found.id)
    about = about if code is None else about.filter_by(code=code)
    words = {word for entrant in vault().scalars(about) for word in identity_words(entrant)}
    words |= {_plain(expert.name) for expert in experts_of(vault(), found.id)}
    plain = _plain(text)
    if any(len(word) > 1 and word in plain for word in words):
        raise RuleError(
            Sentence(
                "理由会保存在评委一侧的库中，不能写出申报人或专家的姓名、单位、号码。请改写。",
                "Reasons are kept in the experts' store: write no name, unit or number of the "
                "applicant, and no expert's name.",
            )
        )
    return text.strip()


def _plain(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).split()).casefold()


def _parts(text: str) -> tuple[str, ...]:
    return tuple(part for part in text.split(SPLIT) if part)
