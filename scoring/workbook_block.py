"""One candidate in the workbook: every score, and formulas that lead to the exact total."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from xlsxwriter.format import Format
from xlsxwriter.utility import xl_rowcol_to_cell
from xlsxwriter.worksheet import Worksheet

from scoring.ballot import present_at
from scoring.case import Case
from scoring.points import exact_text, rounded_text
from scoring.policy import Policy
from scoring.result import BASIS, OUTCOME, CandidateResult, DefenceOutcome
from scoring.round import ATTENDANCE, Committee, Sheet

# A formula is computed in binary; this many places are far finer than any exact result needs
# (see `safe`) and far coarser than its error, so that half-way cases round up as they must.
_CLEAN = 10


@dataclass(frozen=True)
class Formats:
    """Cell formats shared by all sheets of one workbook."""

    bold: Format
    head: Format
    wrap: Format
    rounded: Format


@dataclass(frozen=True)
class Cells:
    """Absolute addresses, with the sheet's name, that other sheets refer to."""

    review: str
    defence_exact: str
    defence: str
    total: str


def safe(value: Fraction, places: int) -> bool:
    """Whether a formula's tiny error cannot change the rounding: on a half, or far from one."""
    distance = abs((value * 10**places) % 1 - Fraction(1, 2))
    return bool(distance == 0 or distance > Fraction(1, 10**7))


def rounding_formula(inner: str, places: int) -> str:
    """Half-up rounding of a formula, cleaned of its binary error first."""
    return f"=ROUND(ROUND({inner},{_CLEAN}),{places})"


class Block:
    """Writes one candidate from a row of a sheet downwards; `row` is the next free row."""

    def __init__(
        self,
        sheet: Worksheet,
        row: int,
        formats: Formats,
        policy: Policy,
        committee: Committee | None,
    ) -> None:
        self.sheet = sheet
        self.row = row
        self.formats = formats
        self.policy = policy
        self.committee = committee
        self.last = len(policy.criterion) + 1

    def write(self, case: Case, item: CandidateResult, pool_cell: str) -> Cells:
        """Write the block; `pool_cell` holds the average of the candidate's pool, if any."""
        self._line(f"{item.code}　{item.specialty}　{item.level}", form=self.formats.bold)
        review = self._review(case, item)
        exact, defence = self._defence(case, item.defence, pool_cell)
        total = self._total(item, review, exact)
        self._vote(case, item)
        self._line("结果", OUTCOME[item.decision], form=self.formats.bold)
        for reason in item.reasons:
            self._line("说明", reason.zh + (f"（依据：{reason.clause}）" if reason.clause else ""))
        self.row += 1
        return Cells(*(self._absolute(cell) for cell in (review, exact, defence, total)))

    def _review(self, case: Case, item: CandidateResult) -> str:
        valid = [s for s in case.sheets if not s.excluded and s.reviewer not in case.recused]
        valid.sort(key=lambda s: s.reviewer)
        names = [criterion.name for criterion in self.policy.criterion]
        self._line("评委", *names, "合计", "状态", form=self.formats.head)
        first = self.row
        for sheet in valid:
            self._scores(sheet, "有效")
        end = self.row - 1
        for sheet in sorted(case.sheets, key=lambda s: s.reviewer):
            if sheet.reviewer in case.recused:
                self._scores(sheet, "回避，不计入")
            elif sheet.excluded:
                self._scores(sheet, f"排除：{sheet.reason}")
        points = item.review.points
        if points is None:
            self._line("评审得分", "待裁定")
            return self._cell(self.row - 1, 1)
        trims = self.policy.aggregate.method == "trimmed" and len(valid) >= self.policy.trim_min_n
        by_total = self.policy.aggregate.per == "total"
        self.sheet.write(self.row, 0, "平均")
        for column, criterion in enumerate(self.policy.criterion, start=1):
            mean = item.review.criteria[criterion.id].value
            formula = _mean(self._range(first, end, column), trims and not by_total)
            self.sheet.write_formula(self.row, column, f"={formula}", None, float(mean))
        if trims and by_total:
            inner = _mean(self._range(first, end, self.last), True)
        else:
            inner = f"SUM({self._cell(self.row, 1)}:{self._cell(self.row, self.last - 1)})"
        self.sheet.write_formula(self.row, self.last, f"={inner}", None, float(points))
        unrounded = self._cell(self.row, self.last)
        self.row += 1
        return self._rounded("评审得分", unrounded, points)

    def _scores(self, sheet: Sheet, state: str) -> None:
        self.sheet.write_string(self.row, 0, sheet.reviewer)
        for column, criterion in enumerate(self.policy.criterion, start=1):
            if criterion.id in sheet.scores:
                self.sheet.write_number(self.row, column, float(sheet.scores[criterion.id]))
        inner = f"{self._cell(self.row, 1)}:{self._cell(self.row, self.last - 1)}"
        value = float(sum(sheet.scores.values(), Fraction(0)))
        self.sheet.write_formula(self.row, self.last, f"=SUM({inner})", None, value)
        self.sheet.write_string(self.row, self.last + 1, state)
        self.row += 1

    def _defence(self, case: Case, defence: DefenceOutcome, pool_cell: str) -> tuple[str, str]:
        """The cells of the unrounded and of the rounded defence points."""
        self._line("答辩", ATTENDANCE[case.candidate.defence], BASIS[defence.basis])
        first = self.row
        for score in case.scores:
            self.sheet.write_string(self.row, 0, score.judge)
            self.sheet.write_number(self.row, 1, float(score.score))
            self.row += 1
        for option in defence.alternatives:
            words = "计入" if option.ruling == "keep" else "不计入"
            shown = "无" if option.points is None else exact_text(option.points)
            self._line(f"平均分（{words}）", shown, f"n = {option.n}")
        if defence.points is None:
            self._line("答辩得分", "" if defence.basis != "undetermined" else "待裁定")
            return (self._cell(self.row - 1, 1),) * 2
        trims = self.policy.defence.method == "trimmed"
        if defence.basis == "own":
            trims = trims and len(case.scores) >= self.policy.defence_trim_min_n
            formula = "=" + _mean(self._range(first, self.row - 1, 1), trims)
        elif defence.basis == "substituted":
            formula = f"={pool_cell}"
        else:
            formula = f"={exact_text(defence.points)}"
        self.sheet.write_string(self.row, 0, "答辩分（未取整）")
        self.sheet.write_formula(self.row, 1, formula, None, float(defence.points))
        self.sheet.write_string(self.row, 2, exact_text(defence.points))
        self.row += 1
        exact = self._cell(self.row - 1, 1)
        return exact, self._rounded("答辩得分", exact, defence.points)

    def _total(self, item: CandidateResult, review: str, defence_exact: str) -> str:
        if item.total is None:
            self._line("总分", "待裁定" if item.decision == "undetermined" else "")
            return self._cell(self.row - 1, 1)
        # The row above 评审得分 holds the unrounded points, so that nothing is rounded twice.
        inner = self._review_exact
        if item.defence.points is not None:
            inner = f"{inner}+{defence_exact}"
        return self._rounded("总分", inner, item.total)

    def _rounded(self, label: str, inner: str, value: Fraction) -> str:
        places = self.policy.places
        shown = rounded_text(value, places)
        self.sheet.write_string(self.row, 0, label, self.formats.bold)
        if safe(value, places):
            formula = rounding_formula(inner, places)
            self.sheet.write_formula(
                self.row, 1, formula, self.formats.rounded, float(Fraction(shown))
            )
        else:
            self.sheet.write_number(self.row, 1, float(Fraction(shown)), self.formats.rounded)
            self.sheet.write_string(self.row, 3, "此数与进位点过近，写入精确结果，不用公式")
        self.sheet.write_string(self.row, 2, f"精确值 {exact_text(value)}")
        if label == "评审得分":
            self._review_exact = inner
        self.row += 1
        return self._cell(self.row - 1, 1)

    def _vote(self, case: Case, item: CandidateResult) -> None:
        vote = item.vote
        if vote is None or self.committee is None or case.ballot is None:
            return
        heads = ("同意", "反对", "弃权", "废票", "计票基数", "出席", "评委会")
        self._line("投票", *heads, form=self.formats.head)
        counts = (vote.yes, vote.no, vote.abstain, vote.spoiled, vote.denominator)
        there = present_at(case.ballot, self.committee)
        self.sheet.write_row(self.row, 1, (*counts, there.present, there.members))
        yes, base, present, members = (self._cell(self.row, c) for c in (1, 5, 6, 7))
        quorum, approve = self.policy.quorum, self.policy.approve
        formula = (
            f"=IF(AND({quorum.denominator}*{present}>={quorum.numerator}*{members},{base}>0,"
            f"{approve.denominator}*{yes}>={approve.numerator}*{base}),"
            '"投票通过","投票未通过")'
        )
        words = "投票通过" if vote.passed else "投票未通过"
        self.sheet.write_formula(self.row, 0, formula, None, words)
        self.row += 1

    def _line(self, *values: Any, form: Format | None = None) -> None:
        for column, value in enumerate(values):
            self.sheet.write_string(self.row, column, str(value), form)
        self.row += 1

    def _cell(self, row: int, column: int) -> str:
        return str(xl_rowcol_to_cell(row, column))

    def _range(self, first: int, end: int, column: int) -> str:
        return f"{self._cell(first, column)}:{self._cell(end, column)}"

    def _absolute(self, cell: str) -> str:
        return f"'{self.sheet.get_name()}'!{cell}"


def _mean(cells: str, trims: bool) -> str:
    if trims:
        return f"(SUM({cells})-MAX({cells})-MIN({cells}))/(COUNT({cells})-2)"
    return f"AVERAGE({cells})"
