"""The tally: a checked round and a policy in, an explained result out; the same for any order."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from scoring.aggregate import review_of
from scoring.ballot import count_votes
from scoring.case import Case, cases
from scoring.decision import barred, decide, settled, total_of
from scoring.defence import defence_of
from scoring.errors import InputError, PolicyError, Problem, problem
from scoring.exemption import defended
from scoring.points import ZERO
from scoring.policy import Policy
from scoring.policy_needs import policy_needs
from scoring.ranking import Places, Standing, allot, rank_groups, tie_break_names
from scoring.result import CandidateResult, Outcome, Reason, Result
from scoring.round import SUBJECTS, Round
from scoring.substitution import Key, Pool, own_points, pools


def tally(round_: Round, policy: Policy) -> Result:
    """Tally a round exactly (Fraction arithmetic; nothing is rounded here).

    Raises PolicyError if the policy lacks what the arithmetic needs, InputError if a
    ruling has nothing to decide; each holds every problem at once.
    """
    _check_policy(round_, policy)
    all_cases = cases(round_)
    own = {c.candidate.code: own_points(c, policy) for c in all_cases if defended(c)}
    shared = pools(all_cases, own, policy) if policy.defence.mode == "scored" else {}
    drafts = [_draft(case, own, shared, round_, policy) for case in all_cases]
    _refuse_idle_rulings(all_cases, drafts, policy, round_.version)
    places = _places(all_cases, drafts, policy)
    ranks = _ranks(places.groups)
    results = tuple(
        _finish(case, draft, places, ranks, policy)
        for case, draft in zip(all_cases, drafts, strict=True)
    )
    return Result(results, places.groups, (*_warnings(round_, policy), *places.warnings))


def _draft(
    case: Case,
    own: dict[str, Fraction | None],
    shared: dict[Key, Pool],
    round_: Round,
    policy: Policy,
) -> CandidateResult:
    candidate = case.candidate
    review = review_of(case.sheets, case.recused, policy)
    defence = defence_of(case, own.get(candidate.code), shared, policy)
    total = total_of(review, defence, policy)
    vote = None
    if case.ballot is not None and round_.committee is not None:
        vote = count_votes(case.ballot, round_.committee, case.recused, policy)
    decision, why = decide(case, review, defence, total, vote, policy)
    reasons = (*review.reasons, *defence.reasons, *why)
    return CandidateResult(
        candidate.code,
        candidate.specialty,
        candidate.level,
        review,
        defence,
        total,
        vote,
        None,
        decision,
        reasons,
    )


def _places(all_cases: tuple[Case, ...], drafts: list[CandidateResult], policy: Policy) -> Places:
    standings = [
        Standing(
            draft.code,
            draft.total,
            eligible=not barred(case, draft.defence),
            review=draft.review.points or ZERO,
            defence=draft.defence.points or ZERO,
            criteria={key: item.value for key, item in draft.review.criteria.items()},
            order=_order(case),
        )
        for case, draft in zip(all_cases, drafts, strict=True)
        if not case.candidate.disqualified
    ]
    groups = rank_groups(standings, policy)
    if policy.decision.rule != "rank":
        return Places(groups, {}, {}, ())
    return allot(standings, groups, policy)


def _order(case: Case) -> int | None:
    ruling = case.rulings.get("tie_order")
    return int(ruling.value) if ruling else None


def _ranks(groups: tuple[tuple[str, ...], ...]) -> dict[str, int]:
    ranks: dict[str, int] = {}
    for group in groups:
        place = len(ranks) + 1
        ranks |= dict.fromkeys(group, place)
    return ranks


def _finish(
    case: Case, draft: CandidateResult, places: Places, ranks: dict[str, int], policy: Policy
) -> CandidateResult:
    decision: Outcome = draft.decision
    reasons = draft.reasons
    if policy.decision.rule == "rank" and not barred(case, draft.defence):
        decision = places.outcomes.get(draft.code, "undetermined")
        if decision == "pass" and not settled(draft.review, draft.defence, policy):
            decision = "undetermined"
        if draft.code in places.reasons:
            reasons = (*reasons, places.reasons[draft.code])
    return replace(draft, rank=ranks.get(draft.code), decision=decision, reasons=reasons)


def _check_policy(round_: Round, policy: Policy) -> None:
    problems = policy_needs(policy, round_)
    allowed = tie_break_names(policy)
    for name in policy.decision.tie_break or ():
        if name not in allowed:
            problems.append(
                problem(
                    f"政策 decision.tie_break 中的“{name}”不认识。"
                    f"可用：{', '.join(sorted(allowed))}。",
                    f"decision.tie_break: '{name}' is not one of {', '.join(sorted(allowed))}.",
                )
            )
    if problems:
        raise PolicyError(problems)


def _refuse_idle_rulings(
    all_cases: tuple[Case, ...], drafts: list[CandidateResult], policy: Policy, version: int
) -> None:
    """A ruling decides what is open; one on a settled case would overrule notice or judges."""
    problems: list[Problem] = []
    for case, draft in zip(all_cases, drafts, strict=True):
        if not case.rulings:
            continue
        used = {
            "defence_points": draft.defence.basis == "ruling" and draft.defence.points is not None,
            "defence_result": bool(policy.defence.veto)
            or (draft.defence.basis == "ruling" and draft.defence.points is None),
            "exemption": case.candidate.defence == "exempt",
            "pool_member": case.candidate.disqualified and defended(case),
            "tie_order": True,
        }
        for subject in sorted(case.rulings):
            if not used[subject]:
                zh = SUBJECTS[subject]
                problems.append(
                    problem(
                        f"{draft.code} 的裁定“{zh}”没有可裁定的事项"
                        f"（当前依据：{draft.defence.basis}）。请删除这条裁定。",
                        f"{draft.code}: the ruling '{subject}' has nothing to decide (basis now: "
                        f"{draft.defence.basis}). Remove the ruling.",
                    )
                )
        locked = case.candidate.disqualified_after_lock and "pool_member" in case.rulings
        if locked and version == 1:
            problems.append(
                problem(
                    f"{draft.code} 在锁定后被取消资格，已锁定的平均分只能通过编号的重新汇总改变："
                    "请把 version 写成 2 并注明 replaces。",
                    f"{draft.code} was disqualified after the lock; locked averages change only "
                    "in a numbered re-tally: set version to 2 and say what it replaces.",
                )
            )
    if problems:
        raise InputError(problems)


def _warnings(round_: Round, policy: Policy) -> tuple[Reason, ...]:
    notes = []
    if policy.notice and policy.notice.year and policy.notice.year != round_.year:
        notes.append(
            Reason(
                f"提醒：本轮年度 {round_.year} 与通知年度 {policy.notice.year} 不同。",
                f"Note: the round is of {round_.year}, the notice of {policy.notice.year}.",
                policy.notice.title,
            )
        )
    return tuple(notes)
