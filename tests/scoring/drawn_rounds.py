"""Hypothesis strategies for whole rounds that pass every check, with all kinds of candidates."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.scoring.rounds import policy, sheet

HALVES = st.integers(0, 60).map(lambda n: str(n // 2) + (".5" if n % 2 else ""))
POLICIES = st.sampled_from(
    [
        policy(),
        policy(aggregate={"method": "trimmed", "per": "criterion", "trim_min_n": 3}),
        policy(aggregate={"method": "trimmed", "per": "total", "trim_min_n": 3}),
        policy(defence={"method": "trimmed", "trim_min_n": 3, "absent": "zero"}),
        policy(decision={"rule": "vote_and_score"}, rounding={"places": 1}),
        policy(
            decision={
                "rule": "rank",
                "pass_score": None,
                "quota": 2,
                "tie_break": ["papers", "draw"],
                "seed": "7",
            }
        ),
    ]
)


@st.composite
def rounds(draw: st.DrawFn) -> dict[str, Any]:
    """A ROUND of 1 to 7 candidates with 1 to 4 sheets each."""
    candidates: list[dict[str, Any]] = []
    sheets: list[dict[str, Any]] = []
    scores: list[dict[str, Any]] = []
    ballots: dict[str, dict[str, int]] = {}
    for n in range(draw(st.integers(1, 7))):
        code = f"C{n}"
        status = draw(st.sampled_from(["attended", "attended", "exempt", "absent", "not_required"]))
        candidates.append(
            {
                "code": code,
                "specialty": draw(st.sampled_from(["林学", "园林"])),
                "level": draw(st.sampled_from(["初级", "中级"])),
                "defence": status,
                "ground": "service" if status == "exempt" else None,
                "disqualified": draw(st.integers(0, 9)) == 0,
            }
        )
        for reviewer in range(draw(st.integers(1, 4))):
            sheets.append(sheet(f"R{reviewer}", code, draw(HALVES), draw(HALVES)))
        if status == "attended":
            for judge in range(draw(st.integers(1, 4))):
                scores.append({"judge": f"J{judge}", "code": code, "score": draw(HALVES)})
        if draw(st.booleans()):
            yes = draw(st.integers(0, 8))
            ballots[code] = {"yes": yes, "no": 8 - yes, "abstain": 0, "spoiled": 0}
    return {
        "year": 2024,
        "committee": {"members": 11, "present": 9},
        "candidates": candidates,
        "sheets": sheets,
        "recusals": draw(
            st.lists(
                st.builds(
                    lambda c: {"reviewer": "R0", "code": c["code"]}, st.sampled_from(candidates)
                ),
                max_size=1,
            )
        ),
        "defence_scores": scores,
        "ballots": ballots,
    }
