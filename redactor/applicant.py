"""The roster and its people as plain values, without the code that reads sheets."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from redactor.errors import Sentence


@dataclass(frozen=True)
class Applicant:
    """A roster row. `number`: 序号 or running number; `row`: row of the sheet, from 1.

    Texts are trimmed but otherwise as written; optional cells are "" or None; lists come from
    cells split by ；;、, and are () when the column or cell is empty. `id_number` is 18 (upper-case
    X) or 15 characters. `native_names`, `native_units`: in the script of a minority, such as
    Uyghur. `repr` shows number and row only, so that no log line names a person.
    """

    number: int
    row: int
    name: str
    unit: str
    gender: str = ""
    ethnicity: str = ""
    political: str = ""
    id_number: str | None = None
    current_title: str = ""
    title_since: str = ""
    target_title: str = ""
    passed: str = ""
    remark: str = ""
    former_names: tuple[str, ...] = ()
    unit_short: tuple[str, ...] = ()
    former_units: tuple[str, ...] = ()
    pinyin: tuple[str, ...] = ()
    native_names: tuple[str, ...] = ()
    native_units: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    specialty: str = ""
    level: str = ""
    exemption: str = ""
    folder: str | None = None

    def __repr__(self) -> str:
        return f"Applicant(number={self.number}, row={self.row})"


@dataclass(frozen=True)
class Roster:
    """All applicants of one sheet, in its order. `warnings`: what to look at but may stay."""

    path: Path
    sheet: str
    applicants: tuple[Applicant, ...]
    warnings: tuple[Sentence, ...] = ()
