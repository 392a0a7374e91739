"""A policy's rules on dossiers in the forms that the helpers of the office take."""

from __future__ import annotations

from scoring.continuing_education import EducationRule
from scoring.fees import FeeTable, fee_table
from scoring.materials import MaterialRule
from scoring.policy import Policy
from scoring.submissions import SubmissionRule


def material_rules(policy: Policy) -> tuple[MaterialRule, ...]:
    """The checklist of attachments; empty where the policy has none."""
    return tuple(
        MaterialRule(
            item.category,
            item.required,
            item.clause,
            item.years or (),
            item.note or "",
            bool(item.paper),
            item.instead or (),
            frozenset(item.levels) if item.levels else None,
        )
        for item in policy.material
    )


def education_rules(policy: Policy) -> tuple[EducationRule, ...]:
    """What continuing education is asked for; empty where the policy has no rule."""
    return tuple(
        EducationRule(
            item.kind,
            item.years,
            item.hours,
            item.clause,
            frozenset(item.levels) if item.levels else None,
        )
        for item in policy.education
    )


def submission_rule(policy: Policy) -> SubmissionRule:
    """How often and how fast; a silent policy gives no limit and no clock."""
    rule = policy.submission
    if rule is None:
        return SubmissionRule()
    return SubmissionRule(rule.max_times, rule.revise_hours, rule.clause)


def fees_of(policy: Policy) -> FeeTable:
    """The fees in yuan; kinds on which the policy is silent are missing."""
    title = policy.notice.title if policy.notice else policy.name or ""
    if policy.fees is None:
        return fee_table(title, {})
    amounts = policy.fees.model_dump(exclude_none=True, exclude={"clause"})
    return fee_table(title, amounts, policy.fees.clause)
