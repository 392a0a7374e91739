"""The defence of one candidate: own points, a substituted average, a ruling, or still open."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from scoring.case import Case
from scoring.exemption import defended, exemption_gap
from scoring.points import ZERO, decimal_text, mean_formula, parse_points
from scoring.policy import GROUNDS, Policy
from scoring.result import Alternative, DefenceOutcome, Reason
from scoring.substitution import EMPTY, Key, Pool, pool_key

NOT_ASKED = DefenceOutcome("none")


def defence_of(
    case: Case, own: Fraction | None, pools: dict[Key, Pool], policy: Policy
) -> DefenceOutcome:
    """The outcome for one candidate, by the policy's mode, with all reasons."""
    if policy.defence.mode == "none" or case.candidate.defence == "not_required":
        return _not_required(case, policy)
    scored = policy.defence.mode == "scored"
    outcome = _by_rule(case, own, pools, policy, scored)
    if outcome.basis == "undetermined":
        outcome = _ruled(case, outcome, scored)
    return _veto(case, outcome, policy)


def _by_rule(
    case: Case, own: Fraction | None, pools: dict[Key, Pool], policy: Policy, scored: bool
) -> DefenceOutcome:
    if defended(case):
        return _own(case, own, policy) if scored else _judged(case)
    if case.candidate.defence == "absent":
        return _absent(policy, scored)
    gap = exemption_gap(case, policy)
    if gap:
        return DefenceOutcome("undetermined", reasons=(gap,))
    return _substituted(case, pools, policy) if scored else _counts_as_passed(case, policy)


def _not_required(case: Case, policy: Policy) -> DefenceOutcome:
    if policy.defence.mode != "scored":
        return NOT_ASKED
    note = Reason(
        "不需答辩：总分中没有答辩分，与参加答辩者的总分口径不同。",
        "No defence required: the total has no defence part, unlike that of those who defended.",
        policy.defence.clause or "",
    )
    return replace(NOT_ASKED, reasons=(note,))


def _own(case: Case, own: Fraction | None, policy: Policy) -> DefenceOutcome:
    if own is None:
        return DefenceOutcome(
            "undetermined",
            reasons=(
                Reason(
                    "参加了答辩，但没有可以计入的答辩评分：待裁定。",
                    "Defended, but no defence score can be counted: undetermined.",
                ),
            ),
        )
    values = [score.score for score in case.scores]
    reasons: tuple[Reason, ...] = ()
    if policy.defence.method == "trimmed" and len(values) >= policy.defence_trim_min_n:
        values = sorted(values)[1:-1]
        reasons = (
            Reason(
                "答辩评分去掉一个最高分和一个最低分后取平均。",
                "One highest and one lowest defence score were dropped before the mean.",
            ),
        )
    if case.candidate.defence == "waived":
        reasons += (
            Reason(
                "答辩前已登记放弃免试：以本人答辩成绩为准，并计入平均分。",
                "The exemption was waived before the defence: the own score counts and enters "
                "the average.",
            ),
        )
    return DefenceOutcome("own", own, formula=mean_formula(values), n=len(values), reasons=reasons)


def _judged(case: Case) -> DefenceOutcome:
    if case.passed is None:
        return DefenceOutcome(
            "undetermined",
            reasons=(
                Reason(
                    "参加了答辩，但没有答辩结果：待裁定。",
                    "Defended, but no result of the defence is recorded: undetermined.",
                ),
            ),
        )
    return DefenceOutcome("pass" if case.passed else "fail", passed=case.passed)


def _absent(policy: Policy, scored: bool) -> DefenceOutcome:
    rule = policy.defence.absent
    absent = Reason(
        "无免试资格而缺席答辩（不等于零分，不计入任何平均分）。",
        "Absent from the defence without exemption (not a 0; in no average).",
    )
    if rule == "fail":
        return DefenceOutcome("fail", passed=False, bars=True, reasons=(absent,))
    if rule == "zero" and scored:
        return DefenceOutcome("zero", ZERO, reasons=(absent,))
    ask = Reason(
        "政策未规定缺席如何处理：待裁定。可在单位政策文件 [defence] 中写 "
        'absent = "fail" 或 "zero"。',
        "The policy does not say what absence means: undetermined. Add to [defence] of the "
        'office\'s policy file: absent = "fail" or "zero".',
    )
    return DefenceOutcome("undetermined", reasons=(absent, ask) if rule is None else (absent,))


def _counts_as_passed(case: Case, policy: Policy) -> DefenceOutcome:
    exemption = policy.exemption_on(case.candidate.ground)
    clause = policy.defence.unscored_clause or (exemption.clause if exemption else "")
    if policy.defence.unscored_exempt == "pass":
        why = Reason(
            "免答辩，且答辩不量化赋分：视为通过答辩。",
            "Exempt, and the defence is not scored: counts as passed.",
            clause,
        )
        return DefenceOutcome("pass", passed=True, reasons=(why,))
    why = Reason(
        "答辩不量化赋分，政策未规定免答辩者是否视为通过：待裁定。"
        '可在单位政策文件 [defence] 中写 unscored_exempt = "pass"。',
        "The defence is not scored and the policy does not say that the exempt pass it: "
        'undetermined. The office\'s policy file may say unscored_exempt = "pass" in [defence].',
        clause,
    )
    return DefenceOutcome("undetermined", reasons=(why,))


def _substituted(case: Case, pools: dict[Key, Pool], policy: Policy) -> DefenceOutcome:
    rule = policy.defence.substitution
    exemption = policy.exemption_on(case.candidate.ground)
    zh, en = GROUNDS[case.candidate.ground or ""]
    if rule is None:
        why = Reason(
            "政策没有平均分代入的规定：待裁定。可在单位政策文件中补充 [defence.substitution]。",
            "The policy has no rule on a substituted average: undetermined. The office's policy "
            "file may add [defence.substitution].",
            exemption.clause if exemption else "",
        )
        return DefenceOutcome("undetermined", reasons=(why,))
    if case.candidate.ground not in rule.grounds:
        why = Reason(
            f"平均分代入的规定不包括“{zh}”：待裁定。",
            f"The rule on the substituted average does not cover '{en}': undetermined.",
            rule.clause,
        )
        return DefenceOutcome("undetermined", reasons=(why,))
    return _average(pools.get(pool_key(case.candidate, policy), EMPTY), rule.clause)


def _average(pool: Pool, clause: str) -> DefenceOutcome:
    if pool.open_members:
        return _open_average(pool, clause)
    value = pool.mean
    if value is None:
        why = Reason(
            "同年度同专业没有人实际参加答辩，没有平均分可取：待裁定，由秘书记录裁定和理由。",
            "Nobody of the same year and specialty defended, so there is no average: "
            "undetermined until the secretary records a ruling with a reason.",
            clause,
        )
        return DefenceOutcome("undetermined", reasons=(why,))
    n = len(pool.members)
    why = Reason(
        f"免答辩，取同年度同专业实际参加答辩的 {n} 人的平均分。",
        f"Exempt: given the average of the {n} who defended, same year and specialty.",
        clause,
    )
    few = Reason("提醒：只有 1 人参加答辩，平均分即其成绩。", "Note: only one defended (n = 1).")
    return DefenceOutcome(
        "substituted",
        value,
        pool=pool.members,
        formula=pool.formula,
        n=n,
        reasons=(why, few) if n == 1 else (why,),
    )


def _open_average(pool: Pool, clause: str) -> DefenceOutcome:
    both = (
        Alternative("keep", pool.mean_with_open, len(pool.points) + len(pool.open_points)),
        Alternative("drop", pool.mean, len(pool.points)),
    )
    keep, drop = ("-" if item.points is None else decimal_text(item.points) for item in both)
    why = Reason(
        f"参加答辩的 {'、'.join(pool.open_members)} 在锁定前被取消资格，"
        "其成绩是否计入平均分须裁定："
        f"计入为 {keep}（{both[0].n} 人），不计入为 {drop}（{both[1].n} 人）。",
        f"{', '.join(pool.open_members)} defended and was disqualified before the lock: a ruling "
        f"must say whether that score counts: {keep} with it (n = {both[0].n}), {drop} without "
        f"(n = {both[1].n}).",
        clause,
    )
    return DefenceOutcome("undetermined", pool=pool.members, alternatives=both, reasons=(why,))


def _ruled(case: Case, open_: DefenceOutcome, scored: bool) -> DefenceOutcome:
    ruling = case.rulings.get("defence_points" if scored else "defence_result")
    if ruling is None:
        return open_
    by = Reason(
        f"裁定：{ruling.value}。理由：{ruling.reason}。裁定人：{ruling.by}。",
        f"Ruling: {ruling.value}. Reason: {ruling.reason}. By: {ruling.by}.",
    )
    reasons = (*open_.reasons, by)
    if scored:
        value = parse_points(ruling.value)
        return DefenceOutcome("ruling", value, formula=decimal_text(value), reasons=reasons)
    return DefenceOutcome("ruling", passed=ruling.value == "pass", reasons=reasons)


def _veto(case: Case, outcome: DefenceOutcome, policy: Policy) -> DefenceOutcome:
    """Failing the defence fails the application whatever the total, where the notice says so."""
    if not policy.defence.veto or outcome.basis == "undetermined":
        return outcome
    clause = policy.defence.clause or ""
    result = case.rulings.get("defence_result")
    passed = outcome.passed
    if passed is None and result is not None:
        passed = result.value == "pass"
    if passed is None and defended(case):
        passed = case.passed
    if passed is None and outcome.basis == "substituted":
        if policy.defence.veto_exempt == "pass":
            passed = True
        elif policy.defence.veto_exempt != "compare":
            why = Reason(
                "通知规定答辩不合格一票否决，但未规定免答辩者如何适用：待裁定。可在单位政策文件 "
                '[defence] 中写 veto_exempt = "pass" 或 "compare"。',
                "The notice has a veto and does not say how it meets the exempt: undetermined. "
                'The office\'s policy file may say veto_exempt = "pass" or "compare" in [defence].',
                clause,
            )
            return replace(outcome, veto_open=True, reasons=(*outcome.reasons, why))
    if passed is None and outcome.points is not None and policy.defence.pass_score is not None:
        passed = outcome.points >= policy.defence.pass_score
    if passed is False:
        why = Reason(
            "答辩不合格，一票否决。", "Failed the defence: vetoed whatever the total.", clause
        )
        return replace(outcome, passed=False, bars=True, reasons=(*outcome.reasons, why))
    return replace(outcome, passed=passed)
