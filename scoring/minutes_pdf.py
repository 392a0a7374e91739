"""The summary and minutes of a round as a printable PDF with room for signatures."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Any

from scoring.points import exact_text, rounded_text
from scoring.policy import Policy
from scoring.result import BASIS, OUTCOME, CandidateResult, Result
from scoring.round import SUBJECTS, Round
from scoring.typst_pdf import print_pdf
from scoring.workbook import summary_order

_LAYOUT = files("scoring") / "minutes.typ"


def write_minutes(
    path: Path, round_: Round, policy: Policy, result: Result, hashes: tuple[str, str]
) -> None:
    """Write the PDF: attendance, summary, ballots, substituted scores, rulings, hash, signatures.

    `hashes` are sha256 of the tally and of its input. Text goes to typst as data, never as markup.
    """
    data = minutes_data(round_, policy, result, hashes)
    path.write_bytes(print_pdf(_LAYOUT, data))


def minutes_data(
    round_: Round, policy: Policy, result: Result, hashes: tuple[str, str]
) -> dict[str, Any]:
    """What the minutes say, as texts; every value as on RESULT.json."""
    items = summary_order(result)
    committee = round_.committee
    return {
        "title": policy.notice.title if policy.notice else policy.name or "",
        "year": str(round_.year),
        "version": str(round_.version),
        "replaces": round_.replaces,
        "members": str(committee.members) if committee else "",
        "present": str(committee.present) if committee else "",
        "attendance": "、".join(committee.attendance) if committee else "",
        "chair": committee.chair if committee else "",
        "attendance_at_ballots": _attendance_at_ballots(round_),
        "rules": _rules(policy),
        "warnings": [item.zh for item in result.warnings],
        "summary": [_summary_row(item, policy.places) for item in items],
        "ballots": [_ballot_row(item) for item in items if item.vote],
        "substituted": _substituted(items, policy.places),
        "open": [
            [item.code, " ".join(reason.zh for reason in item.reasons)]
            for item in items
            if item.decision == "undetermined"
        ],
        "rulings": [
            [item.code, SUBJECTS[item.subject], item.value, item.reason, item.by]
            for item in sorted(round_.rulings, key=lambda r: (r.code, r.subject))
        ],
        "corrections": [
            [item.item, item.old, item.new, item.reason, "、".join(item.by)]
            for item in round_.corrections
        ],
        "sha256": hashes[0],
        "input_sha256": hashes[1],
    }


def _attendance_at_ballots(round_: Round) -> list[str]:
    """One line for each attendance, where it was not the same at all ballots."""
    codes: dict[tuple[str, ...], list[str]] = {}
    for code, ballot in sorted(round_.ballots.items()):
        if ballot.attendance:
            codes.setdefault(ballot.attendance, []).append(code)
    return [
        f"对 {'、'.join(of)} 投票时出席 {len(seats)} 人：{'、'.join(seats)}。"
        for seats, of in sorted(codes.items())
    ]


def _rules(policy: Policy) -> list[str]:
    mode = {"scored": "量化赋分", "pass_fail": "不量化赋分", "none": "不答辩"}
    rule = {"vote": "投票", "score": "总分", "vote_and_score": "投票和总分", "rank": "名次和名额"}
    lines = [f"决定方式：{rule.get(policy.decision.rule or '', '')}"]
    if policy.decision.pass_score is not None:
        lines.append(f"合格线：{exact_text(policy.decision.pass_score)}")
    if policy.decision.quota:
        lines.append(f"名额：{policy.decision.quota}")
    if policy.defence.mode:
        lines.append(f"答辩：{mode[policy.defence.mode]}")
    lines.append(f"取整：四舍五入，{policy.places} 位小数，只取整一次")
    if policy.uses_vote:
        base = "出席人数减回避" if policy.denominator == "present_minus_recused" else "出席人数"
        lines.append(
            f"法定出席：{policy.quorum}；同意比例：{policy.approve}；计票基数：{base}，"
            "弃权和废票计入基数"
        )
    if policy.aggregate.method == "trimmed":
        lines.append(f"去掉一个最高分和一个最低分（不少于 {policy.trim_min_n} 份时）")
    return lines


def _summary_row(item: CandidateResult, places: int) -> list[str]:
    values = (item.review.points, item.defence.points, item.total)
    review, defence, total = ("" if v is None else rounded_text(v, places) for v in values)
    vote = f"{item.vote.yes}/{item.vote.denominator}" if item.vote else ""
    rank = str(item.rank or "")
    places_ = [rank, item.code, item.specialty, item.level, review, BASIS[item.defence.basis]]
    return [*places_, defence, total, vote, OUTCOME[item.decision]]


def _ballot_row(item: CandidateResult) -> list[str]:
    vote = item.vote
    assert vote is not None
    counts = (vote.yes, vote.no, vote.abstain, vote.spoiled, vote.denominator)
    words = "通过" if vote.passed else "未通过" if vote.quorum_met else "无效（出席不足）"
    return [item.code, *map(str, counts), words]


def _substituted(items: list[CandidateResult], places: int) -> list[list[str]]:
    """One row per average: all candidates who were given it, its members and its formula."""
    shared: dict[tuple[str, ...], list[str]] = {}
    for item in items:
        points = item.defence.points
        if item.defence.basis != "substituted" or points is None:
            continue
        clause = next((reason.clause for reason in item.defence.reasons if reason.clause), "")
        shown = f"{rounded_text(points, places)}（精确值 {exact_text(points)}）"
        members = "、".join(item.defence.pool)
        key = (shown, str(item.defence.n), members, item.defence.formula, clause)
        shared.setdefault(key, []).append(item.code)
    return [["、".join(codes), *key] for key, codes in shared.items()]
