"""The sheets of a round's workbook: headings in Chinese, their field names, their fixed words."""

from __future__ import annotations

from dataclasses import dataclass, field

from scoring.policy import GROUNDS
from scoring.round import ATTENDANCE, SUBJECTS

YES_NO: dict[str, object] = {"是": True, "否": False, "true": True, "false": False}
SHEET_STATES = {"有效": "valid", "排除": "excluded", "回避": "recused"}
RESULTS: dict[str, object] = {"通过": True, "未通过": False, "不通过": False}
VALUES = {
    "通过": "pass",
    "未通过": "fail",
    "不通过": "fail",
    "撤销": "revoked",
    "计入": "keep",
    "不计入": "drop",
}


def _words(pairs: dict[str, str]) -> dict[str, object]:
    return {zh: key for key, zh in pairs.items()}


@dataclass(frozen=True)
class SheetShape:
    """Name of a sheet, heading -> field, and for some fields the words that stand for values."""

    name: str
    headings: dict[str, str]
    needed: tuple[str, ...]
    words: dict[str, dict[str, object]] = field(default_factory=dict)


MEETING = SheetShape("会议", {"项目": "item", "内容": "value"}, ("item", "value"))
MEETING_ITEMS = {
    "年度": "year",
    "评委会人数": "members",
    "出席人数": "present",
    "出席评委": "attendance",
    "主任委员": "chair",
    "版次": "version",
    "替代的结果": "replaces",
}
CANDIDATES = SheetShape(
    "候选人",
    {
        "编码": "code",
        "专业": "specialty",
        "级别": "level",
        "答辩情况": "defence",
        "免答辩情形": "ground",
        "取消资格": "disqualified",
        "锁定后取消资格": "disqualified_after_lock",
    },
    ("code", "specialty", "defence"),
    {
        "defence": _words(ATTENDANCE),
        "ground": {zh: key for key, (zh, _) in GROUNDS.items()},
        "disqualified": YES_NO,
        "disqualified_after_lock": YES_NO,
    },
)
SHEETS = SheetShape(
    "评分",
    {"评委": "reviewer", "编码": "code", "状态": "state", "原因": "reason"},
    ("reviewer", "code"),
    {"state": dict(SHEET_STATES)},
)
DEFENCE = SheetShape(
    "答辩",
    {"评委": "judge", "编码": "code", "得分": "score", "结果": "passed"},
    ("code",),
    {"passed": RESULTS},
)
BALLOTS = SheetShape(
    "投票",
    {"编码": "code", "同意": "yes", "反对": "no", "弃权": "abstain", "废票": "spoiled"},
    ("code", "yes"),
)
RULINGS = SheetShape(
    "裁定",
    {"编码": "code", "事项": "subject", "内容": "value", "理由": "reason", "裁定人": "by"},
    ("code", "subject", "value", "reason", "by"),
    {"subject": _words(SUBJECTS), "value": dict(VALUES)},
)
CORRECTIONS = SheetShape(
    "更正",
    {
        "事项": "item",
        "原值": "old",
        "新值": "new",
        "原因": "reason",
        "签认人一": "first",
        "签认人二": "second",
    },
    ("item", "reason", "first", "second"),
)
REQUIRED = (MEETING, CANDIDATES, SHEETS, DEFENCE, BALLOTS, RULINGS)
