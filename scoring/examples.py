"""Writes docs/POLICIES.md: every key, the notices side by side, each worked through.

Run `python -m scoring.examples docs/POLICIES.md` after changing a policy or a rule.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from importlib.resources import as_file, files
from pathlib import Path

from scoring.example_rounds import EXAMPLES, Example
from scoring.points import rounded_text
from scoring.policy import Policy
from scoring.policy_files import load_policy, shipped_names
from scoring.policy_settings import SETTINGS
from scoring.policy_table import side_by_side
from scoring.result import CandidateResult, Result
from scoring.result_json import tally_document
from scoring.round_json import round_from_document
from scoring.round_sheets import CORRECTIONS, MEETING_ITEMS, REQUIRED
from scoring.tally import tally

_FOLDER = files("scoring") / "policies" / "examples"

_INTRO = """\
# Policies

<!-- Written by `python -m scoring.examples docs/POLICIES.md`. Do not edit by hand. -->

A policy is a TOML file. The five shipped ones hold what five notices (通知) say, each rule with its
clause. A rule that a notice does not state is not in its file, and the program does not invent it:
a case that needs such a rule is **undetermined (待裁定)**, or the tally stops and names the key.

An office (评委会办公室) writes what is missing into a file of its own that begins with `extends`:
the rubric, the pass mark, what absence means. Tables are merged key by key. Entries of
`exemption`, `criterion` and `material` replace the entry with the same ground, id or category.
The whole policy is printed on the result and is part of its hash.

```
mangping policies                      the five side by side
mangping policies NAME                 one with its clauses (a shipped name or a file)
mangping tally ROUND.xlsx --policy FILE --template      an empty workbook with the rubric's columns
mangping tally ROUND --policy NAME_OR_FILE --out RESULT.xlsx [--json RESULT.json] [--pdf OUT.pdf]
mangping tally ROUND2 --policy NAME_OR_FILE --out RESULT2.xlsx --previous RESULT.json
mangping verify-tally RESULT.json [--expect SHA256]
```

A correction after the lock is a new version: `version` is one more, `replaces` holds the sha256 of
the tally before, `corrections` what changed, signed by two persons. `--previous` checks all of this
and prints every difference. The old files stay as they are.

Exit codes: 0 done, or equal; 1 `verify-tally` found a difference; 2 bad input, nothing written.
"""

_EXACT = """\
## How numbers are treated

Scores are decimal strings and become exact fractions. Nothing is rounded before the end, and only
for showing: half-up (四舍五入), 2 places unless `rounding.places` says otherwise. Pass marks, ties
and ranks compare exact values. Every total in the workbook is a formula over the given scores. It
cleans the binary error of spreadsheets at 10 places and then rounds; where an exact value lies
nearer than 1/10,000,000 of a shown unit to a rounding edge without being on it, the exact result
is written instead and the cell says so.

Up to 500 candidates each have a sheet of their own. Larger rounds stack the same blocks on sheets
named 逐人计分1, 逐人计分2 and so on.

Votes are counted in whole numbers: `3 * yes >= 2 * denominator`. Without an attendance list every
recused reviewer is taken to be a present member, unless there are as many ballots as present
members: then none of those present was recused. Give the list where it matters. A round as JSON may
give a ballot an `attendance` of its own, where members came or left between ballots: quorum and
denominator of that ballot are then counted from it, and the minutes name it.

A draw orders the codes that tie across the last place by ascending sha256 of `seed:code`, so that
anybody can repeat it. The seed is printed.
"""


def policies_document() -> str:
    """The text of docs/POLICIES.md; the same for the same policies and rules."""
    parts = [_INTRO, _side_by_side(), _keys(), _EXACT, _round_sheets(), _examples_intro()]
    parts += [_example(item) for item in EXAMPLES]
    return "\n".join(parts)


def example_policy(name: str) -> Policy:
    """An office's example file by its name."""
    with as_file(_FOLDER / f"{name}.toml") as path:
        return load_policy(path)


def _side_by_side() -> str:
    policies = [load_policy(name) for name in shipped_names()]
    heads = ["rule", *(f"`{policy.name}`" for policy in policies)]
    rows = [
        [f"{label.en} {label.zh}", *(_cell(item.zh, item.en) for item in said)]
        for label, said in side_by_side(policies)
    ]
    return f"## The five notices\n\n`-`: the notice is silent.\n\n{_table(heads, rows)}"


def _cell(zh: str, en: str) -> str:
    return zh if zh == en else f"{zh} ({en})"


def _keys() -> str:
    rows = [[f"`{key}`", words] for key, words in SETTINGS.items()]
    return f"## Keys\n\n{_table(['key', 'meaning'], rows)}"


def _round_sheets() -> str:
    rows = []
    for shape in (*REQUIRED, CORRECTIONS):
        heads = "、".join(shape.headings)
        words = "; ".join(
            f"{heading}: {'、'.join(word for word in shape.words[name] if not word.isascii())}"
            for heading, name in shape.headings.items()
            if name in shape.words
        )
        if shape.name == "会议":
            words = f"项目: {'、'.join(MEETING_ITEMS)}"
        if shape.name == "评分":
            heads += "、one column for each criterion (its name or id)"
        rows.append([shape.name, heads, words])
    return (
        "## ROUND as a workbook\n\n"
        "Title rows above the headings, empty rows and a column 备注 are skipped. 更正 may be left "
        "out.\nA row 回避 in 评分 is a recusal. In 答辩, 得分 is one judge's points, 结果 the "
        "result of an\nunscored defence.\n\n" + _table(["sheet", "headings", "fixed words"], rows)
    )


def _examples_intro() -> str:
    return (
        "## The notices worked through\n\n"
        "The candidates and the offices' files are made up. Each candidate meets one rule.\n"
    )


def _example(example: Example) -> str:
    policy = example_policy(example.policy)
    round_ = round_from_document(example.document(), policy)
    result = tally(round_, policy)
    document = tally_document(round_, policy, result)
    text = (_FOLDER / f"{example.policy}.toml").read_text(encoding="utf-8").strip()
    title = policy.notice.title if policy.notice else ""
    notes = [f"- {item.zh} {item.en}" for item in result.warnings]
    return "\n".join(
        [
            f"### {title}: `{example.policy}.toml`\n",
            f"{example.shows}\n",
            f"```toml\n{text}\n```\n",
            _results(example, result, policy.places),
            *([*notes, ""] if notes else []),
            "Reasons, as they stand on the result:\n",
            *_reasons(result),
            f"\nsha256 of this tally: `{document['sha256']}`\n",
        ]
    )


def _results(example: Example, result: Result, places: int) -> str:
    shows = {row[0]: row for row in example.candidates}
    heads = ["code", "shows", "defence", "review", "defence points", "total", "yes", "rank"]
    rows = [
        [
            item.code,
            shows[item.code][7],
            _status(shows[item.code][3], shows[item.code][4]),
            *_points(item, places),
            f"{item.vote.yes}/{item.vote.denominator}" if item.vote else "",
            str(item.rank or ""),
            item.decision,
        ]
        for item in result.candidates
    ]
    return _table([*heads, "decision"], rows)


def _status(defence: str, ground: str | None) -> str:
    return f"{defence}, {ground}" if ground else defence


def _points(item: CandidateResult, places: int) -> list[str]:
    values = (item.review.points, item.defence.points, item.total)
    review, defence, total = ("" if v is None else rounded_text(v, places) for v in values)
    said = item.defence.basis if not defence else f"{defence} ({item.defence.basis})"
    return [review, said, total]


def _reasons(result: Result) -> Iterable[str]:
    for item in result.candidates:
        for reason in item.reasons:
            clause = f" [{reason.clause}]" if reason.clause else ""
            yield f"- {item.code}: {reason.zh} {reason.en}{clause}"


def _table(heads: list[str], rows: list[list[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(policies_document(), encoding="utf-8")
