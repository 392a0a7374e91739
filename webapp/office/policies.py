"""The policy that is in force in a round of the office."""

from __future__ import annotations

from models.vault_rounds import OfficeRound
from scoring.policy import Policy
from webapp.policy_texts import policy_from_text


def policy_of(office_round: OfficeRound) -> Policy:
    """The policy in force of a round; PolicyError when its text no longer holds."""
    return policy_from_text(office_round.policy, office_round.policy_name)
