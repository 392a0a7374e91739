"""Which exemption ground the free words of a roster's column 免答辩情形 mean."""

from __future__ import annotations

WORDS: dict[str, tuple[str, ...]] = {
    "service": ("访惠聚", "驻村", "管寺", "支教", "内地服务", "第一书记", "基层服务"),
    "remote_county": ("且末", "若羌"),
    "below_county": ("县级以下", "县以下", "乡镇"),
    "junior": ("初级",),
    "non_public": ("非公", "民营", "私营", "社会组织", "自由职业"),
}
"""Words of the notices; a person decides on anything else."""


def ground_in(text: str) -> str | None:
    """The ground that a text names; None where it names none, or more than one."""
    named = [ground for ground, words in WORDS.items() if any(word in text for word in words)]
    return named[0] if len(named) == 1 else None
