"""What the arithmetic needs and notice and office left unsaid: asked for, never guessed."""

from __future__ import annotations

from scoring.errors import Problem, problem
from scoring.policy import Policy
from scoring.round import Round


def policy_needs(policy: Policy, round_: Round) -> list[Problem]:
    """One problem per missing setting, each with the table it belongs in and an example."""
    missing: list[tuple[str, str, str, str]] = []
    if not policy.criterion and (round_.sheets or policy.uses_score):
        missing.append(
            (
                "criterion",
                '[[criterion]]\nid = "achievements"\nname = "业绩"\nmax = "40"\nstep = "0.5"',
                "评分表需要评分标准",
                "score sheets need a rubric",
            )
        )
    if policy.decision.rule is None:
        missing.append(
            (
                "decision.rule",
                '[decision]\nrule = "vote"',
                "须说明按什么决定通过（vote、score、vote_and_score、rank）",
                "say what makes a candidate pass (vote, score, vote_and_score, rank)",
            )
        )
    if policy.decision.rule in ("score", "vote_and_score") and policy.decision.pass_score is None:
        missing.append(
            (
                "decision.pass_score",
                '[decision]\npass_score = "60"',
                "按分数决定时需要合格线",
                "deciding by score needs a pass mark",
            )
        )
    if policy.decision.rule == "rank" and policy.decision.quota is None:
        missing.append(
            (
                "decision.quota",
                "[decision]\nquota = 10",
                "按名次决定时需要名额",
                "deciding by rank needs a quota",
            )
        )
    if policy.aggregate.method == "trimmed" and policy.aggregate.per is None:
        missing.append(
            (
                "aggregate.per",
                '[aggregate]\nper = "criterion"',
                "去掉最高最低分时须说明按单项（criterion）还是按总分（total）",
                "trimming needs to know whether per criterion or per total",
            )
        )
    return [_lacks(policy, *item) for item in [*missing, *_defence_needs(policy, round_)]]


def _defence_needs(policy: Policy, round_: Round) -> list[tuple[str, str, str, str]]:
    defence = policy.defence
    asked = [item for item in round_.candidates if item.defence != "not_required"]
    if defence.mode is None:
        if not asked and not round_.defence_scores and not round_.defence_results:
            return []
        return [
            (
                "defence.mode",
                '[defence]\nmode = "scored"\nmax = "30"',
                "须说明答辩是量化赋分（scored）、只定通过与否（pass_fail）还是不答辩（none）",
                "say whether the defence is scored, pass_fail or none",
            )
        ]
    if defence.mode != "scored":
        return []
    missing = []
    if defence.max is None and round_.defence_scores:
        missing.append(
            (
                "defence.max",
                '[defence]\nmax = "30"',
                "核对答辩评分需要满分",
                "checking defence scores needs their maximum",
            )
        )
    judged = all(
        item.code in round_.defence_results
        for item in asked
        if item.defence in ("attended", "waived")
    )
    if defence.veto and defence.pass_score is None and not judged:
        missing.append(
            (
                "defence.pass_score",
                '[defence]\npass_score = "18"',
                "答辩量化赋分且一票否决，须说明多少分为答辩合格",
                "a scored defence with a veto needs the points that pass it",
            )
        )
    return missing


def _lacks(policy: Policy, key: str, example: str, zh: str, en: str) -> Problem:
    name = policy.name or "policy"
    return problem(
        f"政策 {name} 缺少 {key}：{zh}。通知没有规定的，请写在本单位的政策文件里"
        f'（首行 extends = "{name}"），例如：\n{example}',
        f"Policy {name} lacks {key}: {en}. What the notice does not state belongs in the office's "
        f'own policy file (first line: extends = "{name}"), for example:\n{example}',
    )
