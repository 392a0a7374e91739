"""The attachment categories: a fixed vocabulary, as nothing else may leave the vault as a word."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

OTHER = "其他"

_KEYWORDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("身份证", ("身份证",)),
    ("证件照", ("证件照", "照片", "一寸", "1寸", "二寸", "2寸", "寸照", "免冠")),
    ("学信网报告", ("学信网", "学历验证", "学历认证", "电子注册", "备案表", "在线验证")),
    ("学历证书", ("学历", "学位", "毕业")),
    ("继续教育", ("继续教育", "公需", "专业科目", "学时", "培训")),
    ("年度考核", ("考核",)),
    ("免试审批表", ("免试", "免答辩")),
    ("聘任文件", ("聘任", "聘用", "聘书", "受聘")),
    ("职称证书", ("职称", "任职资格", "资格证", "专业技术职务")),
    ("获奖证书", ("获奖", "奖状", "奖励", "荣誉", "表彰", "先进", "奖")),
    ("专利", ("专利",)),
    ("论文", ("论文", "期刊", "著作", "检索", "刊物")),
    ("工作总结", ("总结", "述职")),
    ("社保证明", ("社保", "社会保险", "参保", "养老保险")),
    ("承诺书", ("承诺",)),
    ("公示", ("公示",)),
    ("政治表现", ("政治", "政审")),
    ("业绩成果", ("业绩", "成果", "项目")),
    ("证明材料", ("证明",)),
)

CATEGORIES: tuple[str, ...] = (*(name for name, _ in _KEYWORDS), OTHER)
"""Every value that `neutral_category` returns (DOMAIN: the materials that the notices ask for)."""

_COUNTER = re.compile(r"[\s_\-—.、]*(?:[(（\[【]\s*\d{1,3}\s*[)）\]】]|(?<!\d)\d{1,3})\s*$")


def without_counter(stem: str) -> str:
    """A file name's stem without the counter behind it: _1, (2), -02, 3; a year stays."""
    shorter = _COUNTER.sub("", stem)
    return shorter.strip() or stem


def neutral_category(category: str, banned: Sequence[str] = ()) -> str:
    """The attachment category that a file or folder name speaks of, `其他` when it is unknown.

    `banned`: what identifies the applicant; taken out first, so that a unit called 专利局 does not
    make a 专利. The result is always one of CATEGORIES, so no part of a name can pass through.
    """
    text = unicodedata.normalize("NFKC", category)
    for word in sorted(banned, key=len, reverse=True):
        if word:
            text = text.replace(unicodedata.normalize("NFKC", word), " ")
    text = re.sub(r"\s+", "", text)
    for name, keywords in _KEYWORDS:
        if any(keyword in text for keyword in keywords):
            return name
    return OTHER
