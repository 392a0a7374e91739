"""Made-up candidates for each notice, one for every rule that decides something there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Row = tuple[str, str, str, str, str | None, str, str, str]


@dataclass(frozen=True)
class Example:
    """One notice worked through: the office's example file, what it shows, and the candidates.

    A candidate is (code, specialty, level, defence, ground, achievements, papers, what it shows);
    every one has `sheets` equal score sheets unless `more` brings its own.
    """

    policy: str
    shows: str
    year: int
    candidates: tuple[Row, ...]
    defence: dict[str, tuple[str, ...]] = field(default_factory=dict)
    sheets: int = 3
    more: dict[str, Any] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """The round as CONTRACT's ROUND."""
        more = dict(self.more)
        extra = more.pop("disqualified", ())
        return {
            "year": self.year,
            "candidates": [
                {
                    "code": code,
                    "specialty": specialty,
                    "level": level,
                    "defence": defence,
                    "ground": ground,
                    "disqualified": code in extra,
                }
                for code, specialty, level, defence, ground, *_ in self.candidates
            ],
            "sheets": more.pop("sheets", [])
            + [
                {
                    "reviewer": f"R{n:02d}",
                    "code": row[0],
                    "scores": {"achievements": row[5], "papers": row[6]},
                }
                for row in self.candidates
                for n in range(1, self.sheets + 1)
            ],
            "defence_scores": [
                {"judge": f"R{n:02d}", "code": code, "score": score}
                for code, scores in self.defence.items()
                for n, score in enumerate(scores, start=1)
            ],
            **more,
        }


def _ruling(code: str, subject: str, value: str, reason: str) -> dict[str, str]:
    return {"code": code, "subject": subject, "value": value, "reason": reason, "by": "秘书 S1"}


def _ballot(yes: int, no: int, abstain: int = 0, spoiled: int = 0) -> dict[str, int]:
    return {"yes": yes, "no": no, "abstain": abstain, "spoiled": spoiled}


FORESTRY = Example(
    "forestry_office",
    "The average goes to group (a) only; other exempt candidates are open until ruled on.",
    2021,
    (
        ("F01", "林学", "中级", "attended", None, "31.5", "12", "defended before three judges"),
        ("F02", "林学", "副高级", "attended", None, "30", "14.5", "other level, same pool"),
        (
            "F03",
            "林学",
            "中级",
            "exempt",
            "service",
            "28",
            "11",
            "group (a): average of F01, F02, F09",
        ),
        (
            "F04",
            "林学",
            "中级",
            "exempt",
            "remote_county",
            "29",
            "12",
            "exempt, clause excludes it",
        ),
        ("F05", "林学", "初级", "exempt", "junior", "27", "10", "as F04, and ruled on"),
        ("F06", "林学", "中级", "exempt", "non_public", "30", "13", "as F04, private firm"),
        (
            "F07",
            "园林",
            "中级",
            "exempt",
            "service",
            "33",
            "15",
            "nobody of the specialty defended",
        ),
        ("F08", "林学", "中级", "absent", None, "35", "18", "absent: fails by the office's file"),
        ("F09", "林学", "中级", "waived", "below_county", "26", "12", "waived and defended"),
    ),
    {"F01": ("26.5", "24", "27"), "F02": ("20", "21", "21"), "F09": ("22", "22", "22")},
    more={"rulings": [_ruling("F05", "defence_points", "22.5", "评委会集体研究，按初级答辩惯例")]},
)
WATER = Example(
    "water_office",
    "The notice is silent on averages and on unscored defences; the committee votes.",
    2021,
    (
        ("W01", "水利工程", "中级", "attended", None, "30", "12", "6 of 9 is exactly 2/3"),
        ("W02", "水利工程", "中级", "attended", None, "30", "12", "abstained, spoiled: stay in 9"),
        ("W03", "水利工程", "中级", "attended", None, "30", "12", "two recused: 5 of 7"),
        ("W04", "水利工程", "中级", "exempt", "non_public", "30", "12", "exempt: notice is silent"),
        ("W05", "水利工程", "初级", "exempt", "junior", "30", "12", "as W04, and ruled on"),
        ("W06", "水利工程", "中级", "absent", None, "30", "12", "absent: office file is silent"),
    ),
    more={
        "committee": {"members": 11, "present": 9},
        "recusals": [{"reviewer": r, "code": "W03"} for r in ("R08", "R09")],
        "defence_results": [{"code": c, "passed": True} for c in ("W01", "W02", "W03")],
        "ballots": {
            "W01": _ballot(6, 3),
            "W02": _ballot(5, 1, 2, 1),
            "W03": _ballot(5, 2),
            "W04": _ballot(8, 1),
            "W05": _ballot(8, 1),
            "W06": _ballot(7, 2),
        },
        "rulings": [_ruling("W05", "defence_result", "pass", "初级免答辩，评委会研究同意")],
    },
)
NONFERROUS = Example(
    "nonferrous_office",
    "Failing the defence is a veto; how it meets the exempt is open until the policy rules.",
    2021,
    (
        (
            "N01",
            "采矿",
            "副高级",
            "attended",
            None,
            "36",
            "26",
            "total 79.50, defence failed: veto",
        ),
        ("N02", "采矿", "副高级", "attended", None, "30", "15", "defence passed at 18"),
        ("N03", "采矿", "中级", "not_required", None, "38", "24", "need not defend"),
        ("N04", "采矿", "副高级", "exempt", "service", "30", "16", "exempt under a veto"),
        (
            "N05",
            "采矿",
            "副高级",
            "exempt",
            "remote_county",
            "30",
            "16",
            "no ground of this notice",
        ),
    ),
    {"N01": ("17", "17.5", "18"), "N02": ("18", "18", "18")},
    more={
        "committee": {"members": 11, "present": 10},
        "ballots": {f"N0{n}": _ballot(8, 2) for n in range(1, 6)},
    },
)
SCIENCE = Example(
    "science_office",
    "All exempt groups get the average; a 0 counts, an absence does not.",
    2024,
    (
        ("S01", "实验技术", "中级", "attended", None, "31.5", "16", "defended"),
        (
            "S02",
            "实验技术",
            "初级",
            "attended",
            None,
            "28",
            "10",
            "scored 0: counts in the average",
        ),
        ("S03", "实验技术", "中级", "exempt", "service", "32", "17", "average of S01, S02"),
        ("S04", "实验技术", "中级", "exempt", "below_county", "33", "18", "as S03"),
        ("S05", "实验技术", "初级", "exempt", "junior", "30", "14", "as S03"),
        ("S06", "实验技术", "中级", "exempt", "non_public", "33", "18", "no ground of this notice"),
        ("S07", "自然科学", "中级", "attended", None, "34", "18", "only one to defend there"),
        ("S08", "自然科学", "中级", "exempt", "remote_county", "30", "15", "n = 1, with a note"),
        ("S09", "实验技术", "中级", "absent", None, "36", "20", "absent: 0 by the office's file"),
        ("S10", "科技管理", "中级", "attended", None, "30", "12", "disqualified before the lock"),
        ("S11", "科技管理", "中级", "attended", None, "30", "12", "defended"),
        ("S12", "科技管理", "中级", "exempt", "service", "30", "12", "open: two averages possible"),
    ),
    {
        "S01": ("26.5", "26", "25"),
        "S02": ("0", "0", "0"),
        "S07": ("21", "20", "20"),
        "S10": ("29", "29", "29"),
        "S11": ("20", "20", "20"),
    },
    more={"disqualified": ("S10",)},
)
SCIENCE_UNSCORED = Example(
    "science_unscored_office",
    "The same notice where the defence is not scored: the exempt count as having passed.",
    2024,
    (
        ("U01", "实验技术", "中级", "attended", None, "31.5", "16", "defence passed"),
        ("U02", "实验技术", "中级", "exempt", "service", "32", "13", "exempt: counts as passed"),
        ("U03", "实验技术", "中级", "exempt", "non_public", "33", "18", "no ground of this notice"),
    ),
    more={"defence_results": [{"code": "U01", "passed": True}]},
)
CULTURE = Example(
    "culture_office",
    "A quota of 2 with trimmed means, a tie across the last place and a seeded draw.",
    2021,
    (
        ("C01", "群众文化", "中级", "attended", None, "33", "18", "first"),
        ("C02", "群众文化", "中级", "attended", None, "30", "16", "ties with C03 in everything"),
        ("C03", "群众文化", "中级", "attended", None, "30", "16", "ties with C02 in everything"),
        (
            "C04",
            "图书资料",
            "中级",
            "attended",
            None,
            "25",
            "12",
            "one sheet of 40 is trimmed away",
        ),
        ("C05", "图书资料", "中级", "attended", None, "39", "29", "disqualified: takes no place"),
    ),
    {
        "C01": ("25", "26", "24"),
        "C02": ("22", "22", "22"),
        "C03": ("21", "22", "23"),
        "C04": ("20", "20", "20"),
        "C05": ("28", "28", "28"),
    },
    sheets=5,
    more={
        "disqualified": ("C05",),
        "sheets": [
            {"reviewer": "R06", "code": "C04", "scores": {"achievements": "40", "papers": "12"}}
        ],
    },
)
EXAMPLES = (FORESTRY, WATER, NONFERROUS, SCIENCE, SCIENCE_UNSCORED, CULTURE)
