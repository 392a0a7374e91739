"""The criteria that a round's sheets ask for, from the policy that holds now."""

from __future__ import annotations

from functools import lru_cache

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.review import PolicySnapshot
from scoring.policy import Policy
from webapp.policy_texts import policy_from_text


def policy_of_round(session: Session, round_id: int) -> Policy:
    """The round's newest policy. One without criteria has no sheet to fill in."""
    text = session.scalars(
        select(PolicySnapshot.text)
        .where(PolicySnapshot.round_id == round_id)
        .order_by(PolicySnapshot.number.desc())
        .limit(1)
    ).one()
    return _parsed(text)


@lru_cache(maxsize=32)
def _parsed(text: str) -> Policy:
    return policy_from_text(text, "office")
