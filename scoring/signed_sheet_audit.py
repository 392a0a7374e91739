"""The audit of signed sheets: a draw that anyone can repeat, and stored totals against paper.

The draw orders all sheets by the sha256 of "seed:sheet", as a draw between equals does, and takes
the first ones: the seed alone decides, anyone can repeat it by hand, and a larger size only adds
sheets.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from scoring.errors import InputError, problem
from scoring.ranking import draw_order


@dataclass(frozen=True)
class Draw:
    """Sheets to re-key, in the order in which they were drawn; `seed` is printed with them."""

    seed: str
    sheets: tuple[str, ...]
    of: int


@dataclass(frozen=True)
class Mismatch:
    """A sheet whose paper says another total than the store; None: not keyed, or not drawn."""

    sheet: str
    stored: Fraction | None
    rekeyed: Fraction | None


def draw(seed: str, sheet_ids: Iterable[str], size: int) -> Draw:
    """`size` of the sheets (all, if there are fewer), decided by the seed and the names alone.

    The seed should come from dice or a public draw after the sheets were signed. InputError for
    a blank seed, a size below 1, and sheets that are named twice.
    """
    sheets = list(sheet_ids)
    problems = []
    if not seed.strip():
        problems.append(problem("请填写抽样种子。", "Give the seed of the draw."))
    if size < 1:
        problems.append(problem("抽样数至少为 1。", "Draw at least one sheet."))
    twice = sorted(sheet for sheet, n in Counter(sheets).items() if n > 1)
    problems += [problem(f"{s} 重复。", f"{s} is named twice.") for s in twice]
    if problems:
        raise InputError(problems)
    said = seed.strip()
    return Draw(said, draw_order(sheets, said)[:size], len(sheets))


def compare(
    stored_totals: Mapping[str, Fraction], rekeyed_totals: Mapping[str, Fraction]
) -> tuple[Mismatch, ...]:
    """Every sheet whose totals differ exactly or that one side lacks, by name; () if none.

    `stored_totals`: of the drawn sheets.
    """
    return tuple(
        Mismatch(sheet, stored_totals.get(sheet), rekeyed_totals.get(sheet))
        for sheet in sorted({*stored_totals, *rekeyed_totals})
        if stored_totals.get(sheet) != rekeyed_totals.get(sheet)
    )
