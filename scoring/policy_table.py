"""Policies for people: one explained with its clauses, all side by side as a table."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from scoring.errors import Sentence
from scoring.policy import GROUNDS, Policy
from scoring.workbook import flat

SILENT = "-"


def side_by_side(policies: Sequence[Policy]) -> list[tuple[Sentence, list[Sentence]]]:
    """Rows of (rule, what each policy says); "-" where the notice is silent."""
    return [
        (Sentence(*label), [_or_silent(read(policy)) for policy in policies])
        for label, read in _ROWS
    ]


def explain(policy: Policy) -> list[tuple[str, str]]:
    """Every rule of a policy as (key, text), clauses included, in the order of the file."""
    return flat(policy.document())


def _or_silent(said: Sentence | None) -> Sentence:
    return said or Sentence(SILENT, SILENT)


def _same(value: object) -> Sentence | None:
    return None if value is None else Sentence(str(value), str(value))


def _yes(value: bool | None) -> Sentence | None:
    if value is None:
        return None
    return Sentence("是", "yes") if value else Sentence("否", "no")


def _ground(ground: str) -> Callable[[Policy], Sentence | None]:
    def read(policy: Policy) -> Sentence | None:
        item = policy.exemption_on(ground)
        if item is None:
            return None
        more = "，".join(part for part in (item.evidence, item.note) if part)
        return Sentence(f"免（{more}）", f"exempt ({more})") if more else Sentence("免", "exempt")

    return read


def _substitution(policy: Policy) -> Sentence | None:
    rule = policy.defence.substitution
    if rule is None:
        return None
    return Sentence(
        "、".join(GROUNDS[ground][0] for ground in rule.grounds),
        "; ".join(GROUNDS[ground][1] for ground in rule.grounds),
    )


def _unscored(policy: Policy) -> Sentence | None:
    if policy.defence.unscored_exempt != "pass":
        return None
    return Sentence("视为通过", "counts as passed")


def _submissions(policy: Policy) -> Sentence | None:
    rule = policy.submission
    return Sentence(f"最多 {rule.max_times} 次", f"at most {rule.max_times}") if rule else None


def _clock(policy: Policy) -> Sentence | None:
    rule = policy.submission
    if rule is None or rule.revise_hours is None:
        return None
    return Sentence(f"{rule.revise_hours} 小时", f"{rule.revise_hours} hours")


def _fees(policy: Policy) -> Sentence | None:
    fees = policy.fees
    if fees is None:
        return None
    amounts = (fees.middle, fees.junior, fees.first_fixed_junior, fees.first_fixed_middle)
    return _same(" / ".join(SILENT if item is None else str(item) for item in amounts))


def _publicity(policy: Policy) -> Sentence | None:
    rule = policy.publicity
    if rule is None:
        return None
    return Sentence(f"≥{rule.working_days} 个工作日", f">= {rule.working_days} working days")


def _fraud(policy: Policy) -> Sentence | None:
    rule = policy.fraud
    if rule is None:
        return None
    zh, en = [], []
    for years, who, name in (
        (rule.unit_years, "单位", "unit"),
        (rule.person_years, "个人", "person"),
        (rule.years, "", ""),
    ):
        if years:
            zh.append(f"{who}{years} 年")
            en.append(f"{name} {years} years".strip())
    if rule.revoked:
        zh.append("取消资格")
        en.append("revoked")
    return Sentence("，".join(zh), ", ".join(en))


def _blind(policy: Policy) -> Sentence | None:
    return _yes(policy.blind_review.required) if policy.blind_review else None


_ROWS: list[tuple[tuple[str, str], Callable[[Policy], Sentence | None]]] = [
    (("年度", "year"), lambda p: _same(p.notice.year if p.notice else None)),
    (("盲评", "blind review"), _blind),
    (("提交次数", "submissions"), _submissions),
    (("退回后时限", "after a return"), _clock),
    *(((f"免答辩：{zh}", f"exempt: {en}"), _ground(key)) for key, (zh, en) in GROUNDS.items()),
    (("平均分代入", "substituted average"), _substitution),
    (("不赋分时免试者", "unscored, exempt"), _unscored),
    (("须答辩者", "who must defend"), lambda p: _same(p.defence.who)),
    (("一票否决", "veto"), lambda p: _yes(p.defence.veto)),
    (("视频答辩", "defence by video"), lambda p: _yes(p.defence.video_counts)),
    (("收费（元）中级/初级/初定初级/初定或认定中级", "fees, yuan"), _fees),
    (("单位公示", "unit's public notice"), _publicity),
    (("弄虚作假", "fraud"), _fraud),
    (("申报材料项数", "categories of materials"), lambda p: _same(len(p.material) or None)),
]
