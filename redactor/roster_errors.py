"""What is wrong with a roster, cell by cell, in one error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from redactor.errors import Sentence, UsageError


class RosterError(UsageError):
    """The roster has cells that must be mended first; `cells` lists them all."""

    def __init__(self, zh: str, en: str, cells: tuple[BadCell, ...] = ()) -> None:
        super().__init__(zh, en)
        self.cells = cells


@dataclass(frozen=True)
class BadCell:
    """Where (row from 1), what is wrong and how to mend it; never the value itself."""

    sheet: str
    row: int
    column: str
    heading: str
    problem: Sentence

    def sentence(self) -> Sentence:
        return Sentence(
            f"工作表“{self.sheet}”第 {self.row} 行 {self.column} 列“{self.heading}”："
            f"{self.problem.zh}",
            f'Sheet "{self.sheet}", row {self.row}, column {self.column} "{self.heading}": '
            f"{self.problem.en}",
        )


def roster_error(path: Path, bad: Sequence[BadCell]) -> RosterError:
    """One error that lists all bad cells in the order of the sheet."""
    cells = tuple(sorted(bad, key=lambda cell: (cell.row, len(cell.column), cell.column)))
    lines = [cell.sentence() for cell in cells]
    return RosterError(
        f"名册 {path.name} 有 {len(cells)} 处需要修改：\n" + "\n".join(s.zh for s in lines),
        f"The roster {path.name} has {len(cells)} cells to mend:\n"
        + "\n".join(s.en for s in lines),
        cells,
    )
