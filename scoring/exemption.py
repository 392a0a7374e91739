"""Who is exempt from the defence, on which clause, and who in truth has to defend."""

from __future__ import annotations

from scoring.case import Case
from scoring.policy import GROUNDS, Policy
from scoring.result import Reason


def defended(case: Case) -> bool:
    """Whether the candidate's own defence counts.

    That is: attended, waived the exemption beforehand, or had it revoked and then defended.
    """
    if case.candidate.defence in ("attended", "waived"):
        return True
    revoked = case.candidate.defence == "exempt" and "exemption" in case.rulings
    return revoked and (bool(case.scores) or case.passed is not None)


def exemption_gap(case: Case, policy: Policy) -> Reason | None:
    """Why an exempt candidate is not exempt after all, or None if the exemption stands."""
    revoked = case.rulings.get("exemption")
    if revoked:
        return Reason(
            f"免答辩资格已撤销（{revoked.reason}；裁定人 {revoked.by}）：代入的平均分作废，"
            "须参加答辩，否则待裁定。",
            f"The exemption was revoked ({revoked.reason}; by {revoked.by}): the substituted "
            "score is void; the candidate must defend, or stays undetermined.",
        )
    if policy.exemption_on(case.candidate.ground) is None:
        zh, en = GROUNDS.get(case.candidate.ground or "", ("未注明", "not stated"))
        return Reason(
            f"通知没有“{zh}”这一免答辩情形：待裁定，或由单位政策文件补充 [[exemption]]。",
            f"The notice has no exemption for '{en}': undetermined, or the office's policy file "
            "adds an [[exemption]].",
            policy.notice.title if policy.notice else "",
        )
    return None
