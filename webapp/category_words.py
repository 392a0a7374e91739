"""The attachment categories in the language of a page; the stores keep the Chinese words."""

from __future__ import annotations

from webapp.language import t

ENGLISH = {
    "身份证": "ID card",
    "证件照": "Photo",
    "学信网报告": "Degree report (学信网)",
    "学历证书": "Degree certificate",
    "继续教育": "Continuing education",
    "年度考核": "Annual appraisal",
    "免试审批表": "Exemption form",
    "聘任文件": "Appointment",
    "职称证书": "Title certificate",
    "获奖证书": "Award",
    "专利": "Patent",
    "论文": "Paper",
    "工作总结": "Work summary",
    "社保证明": "Social insurance",
    "承诺书": "Pledge",
    "公示": "Public notice",
    "政治表现": "Political appraisal",
    "业绩成果": "Achievements",
    "证明材料": "Other proof",
    "其他": "Other",
}


def category_name(category: str) -> str:
    """What an attachment category is called."""
    return t(category, ENGLISH.get(category, category))
