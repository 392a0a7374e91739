"""From unchecked rows to a round: every problem found in one pass, or a round fit to tally."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any, cast

from scoring.ballot import denominator, present_at
from scoring.errors import InputError
from scoring.field_reading import Fields
from scoring.policy import GROUNDS, Policy
from scoring.policy_needs import policy_needs
from scoring.round import (
    ATTENDANCE,
    SUBJECTS,
    Attendance,
    Ballot,
    Candidate,
    Committee,
    Correction,
    DefenceScore,
    Recusal,
    Round,
    Ruling,
    Sheet,
    Subject,
)
from scoring.round_rows import RoundRows, Row

_HEAD: tuple[str, ...] = ("year", "committee", "candidates", "sheets", "recusals", "defence_scores")
_HEAD += ("defence_results", "ballots", "rulings", "version", "replaces", "corrections")
_RULED = {
    "defence_result": ("pass", "fail"),
    "exemption": ("revoked",),
    "pool_member": ("keep", "drop"),
}


def build_round(rows: RoundRows, policy: Policy) -> Round:
    """A checked round, or InputError with every problem, each with its place and remedy.

    `policy` gives the rubric and the defence's maximum to check against; what it lacks for this
    round's arithmetic is reported together with the rest.
    """
    fields = Fields()
    fields.known(rows.head, _HEAD)
    year = fields.count(rows.head, "year", least=1900)
    committee = _committee(fields, rows.head)
    candidates = [_candidate(fields, row) for row in rows.candidates]
    if not candidates:
        fields.bad(rows.head, "candidates", "没有候选人。", "There are no candidates.")
    by_code = {item.code: item for item in candidates}
    _unique(fields, rows.candidates, ("code",))
    recusals = frozenset(_recusal(fields, row, by_code) for row in rows.recusals)
    sheets = [_sheet(fields, row, by_code, recusals, policy) for row in rows.sheets]
    _unique(fields, rows.sheets, ("reviewer", "code"))
    rulings = [_ruling(fields, row, by_code, policy) for row in rows.rulings]
    _unique(fields, rows.rulings, ("code", "subject"))
    revoked = {item.code for item in rulings if item.subject == "exemption"}
    may = {
        c.code
        for c in candidates
        if c.defence in ("attended", "waived") or (c.defence == "exempt" and c.code in revoked)
    }
    scores = [_defence_score(fields, row, by_code, may, policy) for row in rows.defence_scores]
    _unique(fields, rows.defence_scores, ("judge", "code"))
    results = {}
    for row in rows.defence_results:
        code, passed = _defence_result(fields, row, by_code, may)
        results[code] = passed
    _unique(fields, rows.defence_results, ("code",))
    ruled = {item.code for item in rulings}
    held = {item.code for item in scores if item} | set(results) | ruled
    if policy.defence.mode in ("scored", "pass_fail"):
        _refuse_unscored(fields, rows.candidates, candidates, held)
    ballots = {}
    recused: dict[str, set[str]] = defaultdict(set)
    for recusal in recusals:
        recused[recusal.code].add(recusal.reviewer)
    for row in rows.ballots:
        code = _code(fields, row, by_code)
        away = frozenset(recused.get(code, ()))
        ballots[code] = _ballot(fields, row, committee, away, policy)
    _unique(fields, rows.ballots, ("code",))
    corrections = tuple(_correction(fields, row) for row in rows.corrections)
    version = fields.count(rows.head, "version", least=1, default=1)
    replaces = fields.text(rows.head, "replaces", needed=version > 1)
    round_ = Round(
        year,
        tuple(candidates),
        committee,
        tuple(sheet for sheet in sheets if sheet),
        recusals,
        tuple(score for score in scores if score),
        results,
        ballots,
        tuple(rulings),
        version,
        replaces,
        corrections,
    )
    problems = [*fields.problems, *policy_needs(policy, round_)]
    if problems:
        raise InputError(problems)
    return round_


def _committee(fields: Fields, head: Row) -> Committee | None:
    value = head.values.get("committee")
    if value is None:
        return None
    if not isinstance(value, dict):
        fields.bad(head, "committee", "应为对象。", "It must be an object.")
        return None
    row = Row({f"committee.{key}": item for key, item in value.items()}, head.place)
    names = ("members", "present", "attendance", "chair")
    fields.known(row, [f"committee.{name}" for name in names])
    members = fields.count(row, "committee.members", least=1)
    present = fields.count(row, "committee.present")
    if present > members:
        fields.bad(
            row,
            "committee.present",
            f"出席 {present} 人多于评委会 {members} 人。请核对。",
            f"{present} present of a committee of {members}. Check it.",
        )
    attendance = _attendance(fields, row, "committee.attendance")
    if attendance and (len(attendance) != present or len(set(attendance)) != present):
        fields.bad(
            row,
            "committee.attendance",
            f"出席名单有 {len(set(attendance))} 人，与出席人数 {present} 不符。",
            f"The list names {len(set(attendance))}, but {present} were present.",
        )
    chair = fields.text(row, "committee.chair", needed=False)
    return Committee(members, present, tuple(sorted(attendance)), chair)


def _attendance(fields: Fields, row: Row, name: str) -> list[str]:
    given = row.values.get(name) or []
    if isinstance(given, list) and all(isinstance(seat, str) and seat for seat in given):
        return given
    fields.bad(row, name, "应为评委编号的列表。", "It must be a list of names.")
    return []


def _candidate(fields: Fields, row: Row) -> Candidate:
    names = ("code", "specialty", "level", "defence", "ground", "disqualified")
    fields.known(row, (*names, "disqualified_after_lock"))
    defence = fields.choice(row, "defence", ATTENDANCE)
    ground = fields.choice(row, "ground", GROUNDS, needed=defence == "exempt") or None
    after = fields.flag(row, "disqualified_after_lock")
    return Candidate(
        fields.text(row, "code"),
        fields.text(row, "specialty"),
        fields.text(row, "level", needed=False),
        cast(Attendance, defence or "not_required"),
        ground,
        fields.flag(row, "disqualified") or after,
        after,
    )


def _code(fields: Fields, row: Row, by_code: dict[str, Candidate]) -> str:
    code = fields.text(row, "code")
    if code and code not in by_code:
        fields.bad(
            row,
            "code",
            f"编码 {code} 不在候选人之中。请核对编码。",
            f"Code {code} is not among the candidates. Check the code.",
        )
    return code


def _recusal(fields: Fields, row: Row, by_code: dict[str, Candidate]) -> Recusal:
    fields.known(row, ("reviewer", "code"))
    return Recusal(fields.text(row, "reviewer"), _code(fields, row, by_code))


def _sheet(
    fields: Fields,
    row: Row,
    by_code: dict[str, Candidate],
    recusals: frozenset[Recusal],
    policy: Policy,
) -> Sheet | None:
    fields.known(row, ("reviewer", "code", "scores", "excluded", "reason"))
    reviewer, code = fields.text(row, "reviewer"), _code(fields, row, by_code)
    excluded = fields.flag(row, "excluded")
    reason = fields.text(row, "reason", needed=excluded)
    given: Any = row.values.get("scores")
    if not isinstance(given, dict):
        fields.bad(row, "scores", "应为各项分数。", "It must hold the scores by criterion.")
        return None
    idle = excluded or Recusal(reviewer, code) in recusals
    scores = {}
    for criterion in policy.criterion:
        name = criterion.id
        value = given.get(name)
        if idle and (value is None or value == ""):
            continue
        points = fields.points(row, f"scores.{name}", value, criterion.max, criterion.step)
        if points is not None:
            scores[name] = points
    # Without any rubric the policy's own problem says so; naming every score adds nothing.
    if policy.criterion and len(given) > len(scores):
        known = {criterion.id for criterion in policy.criterion}
        for name in given:
            if name not in known:
                fields.bad(
                    row,
                    f"scores.{name}",
                    f"评分标准中没有“{name}”这一项：{'、'.join(sorted(known))}。",
                    f"The rubric has no criterion '{name}': {', '.join(sorted(known))}.",
                )
    return Sheet(reviewer, code, scores, excluded, reason)


def _defence_score(
    fields: Fields, row: Row, by_code: dict[str, Candidate], may: set[str], policy: Policy
) -> DefenceScore | None:
    fields.known(row, ("judge", "code", "score"))
    judge, code = fields.text(row, "judge"), _code(fields, row, by_code)
    _refuse_stranger(fields, row, code, by_code, may)
    if policy.defence.mode in ("pass_fail", "none"):
        fields.bad(
            row,
            "score",
            "政策规定答辩不量化赋分，不能有答辩评分。请改用答辩结果，或改政策 defence.mode。",
            "The policy's defence is not scored: give results, or change defence.mode.",
        )
    rule = policy.defence
    points = fields.points(row, "score", row.values.get("score"), rule.max, rule.step)
    return DefenceScore(judge, code, points) if points is not None else None


def _defence_result(
    fields: Fields, row: Row, by_code: dict[str, Candidate], may: set[str]
) -> tuple[str, bool]:
    fields.known(row, ("code", "passed"))
    code = _code(fields, row, by_code)
    _refuse_stranger(fields, row, code, by_code, may)
    if row.values.get("passed") is None:
        fields.bad(row, "passed", "缺少答辩结果。", "The result of the defence is missing.")
    return code, fields.flag(row, "passed")


def _refuse_stranger(
    fields: Fields, row: Row, code: str, by_code: dict[str, Candidate], may: set[str]
) -> None:
    if code in by_code and code not in may:
        status = by_code[code].defence
        fields.bad(
            row,
            "code",
            f"{code} 登记为“{ATTENDANCE[status]}”却有答辩成绩。若答辩前已放弃免试，"
            "请登记为“放弃免试”（waived）；否则请更正答辩情况或删除该成绩。",
            f"{code} is recorded as '{status}' and yet has a defence. Record 'waived' if the "
            "exemption was waived beforehand; else correct the status or remove the defence.",
        )


def _refuse_unscored(
    fields: Fields, rows: list[Row], candidates: list[Candidate], held: set[str]
) -> None:
    for row, candidate in zip(rows, candidates, strict=True):
        waits = candidate.defence in ("attended", "waived") and not candidate.disqualified
        if waits and candidate.code and candidate.code not in held:
            fields.bad(
                row,
                "defence",
                f"{candidate.code} 参加了答辩却没有答辩成绩。请补录；"
                "缺席请登记为“缺席”（absent）。",
                f"{candidate.code} defended but has no defence score or result. Enter it; record "
                "'absent' if the candidate did not come.",
            )


def _ballot(
    fields: Fields,
    row: Row,
    committee: Committee | None,
    recused: frozenset[str],
    policy: Policy,
) -> Ballot:
    fields.known(row, ("code", "yes", "no", "abstain", "spoiled", "attendance"))
    ballot = Ballot(
        fields.count(row, "yes"),
        fields.count(row, "no", default=0),
        fields.count(row, "abstain", default=0),
        fields.count(row, "spoiled", default=0),
        tuple(sorted(set(_attendance(fields, row, "attendance")))),
    )
    if committee is None:
        fields.bad(
            row,
            "yes",
            "有投票却没有评委会人数和出席人数（committee）。请补上。",
            "There are ballots but no committee (members, present). Give it.",
        )
        return ballot
    committee = present_at(ballot, committee)
    if ballot.attendance and committee.present > committee.members:
        fields.bad(
            row,
            "attendance",
            f"投票时出席 {committee.present} 人多于评委会 {committee.members} 人。请核对。",
            f"{committee.present} present at this ballot of a committee of {committee.members}. "
            "Check it.",
        )
    most = denominator(committee, recused, policy, ballot.cast)
    if ballot.cast > most:
        fields.bad(
            row,
            "yes",
            f"共 {ballot.cast} 票（同意 {ballot.yes}），多于可投票的 {most} 人"
            f"（出席 {committee.present}，回避 {len(recused)}）。请核对票数、出席人数和回避。",
            f"{ballot.cast} ballots ({ballot.yes} yes) for {most} who may vote "
            f"({committee.present} present, {len(recused)} recused). Check all three.",
        )
    return ballot


def _ruling(fields: Fields, row: Row, by_code: dict[str, Candidate], policy: Policy) -> Ruling:
    fields.known(row, ("code", "subject", "value", "reason", "by"))
    code = _code(fields, row, by_code)
    subject = fields.choice(row, "subject", SUBJECTS)
    value = fields.text(row, "value")
    if subject == "defence_points" and value:
        fields.points(row, "value", value, policy.defence.max, None)
    elif subject == "tie_order" and value and not (value.isdecimal() and int(value) > 0):
        fields.bad(row, "value", "应为名次（1、2……）。", "It must be a place: 1, 2, ...")
    elif subject in _RULED and value:
        fields.choice(row, "value", _RULED[subject])
    return Ruling(
        code, cast(Subject, subject), value, fields.text(row, "reason"), fields.text(row, "by")
    )


def _correction(fields: Fields, row: Row) -> Correction:
    fields.known(row, ("item", "old", "new", "reason", "by"))
    by: Any = row.values.get("by")
    if not isinstance(by, list) or len(by) != 2 or len({str(name) for name in by}) != 2:
        fields.bad(
            row, "by", "更正须由两名不同的人签认。", "A correction needs two different persons."
        )
        by = ["", ""]
    return Correction(
        fields.text(row, "item"),
        fields.text(row, "old", needed=False),
        fields.text(row, "new", needed=False),
        fields.text(row, "reason"),
        (str(by[0]), str(by[1])),
    )


def _unique(fields: Fields, rows: list[Row], names: tuple[str, ...]) -> None:
    keys = [tuple(str(row.values.get(name, "")) for name in names) for row in rows]
    if len(set(keys)) == len(keys):
        return
    doubled = {key for key, n in Counter(keys).items() if n > 1}
    first: set[tuple[str, ...]] = set()
    for row, key in zip(rows, keys, strict=True):
        if key in doubled and key in first:
            said = "、".join(key)
            fields.bad(
                row,
                names[-1],
                f"重复：{said} 已经出现过。请只保留一条。",
                f"Duplicate: {said} is there already. Keep only one.",
            )
        first.add(key)
