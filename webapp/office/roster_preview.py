"""A roster file before it is imported: every row as it stands, what it changes, what is wrong."""

from __future__ import annotations

import dataclasses
import json
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from models.errors import RuleError, Sentence
from models.office_rounds import EntrantRow
from models.vault_rounds import Entrant
from redactor.applicant import Applicant, Roster
from redactor.errors import UsageError
from redactor.roster import RosterError, read_roster
from redactor.roster_cells import Grid, column_letter, read_grids, text_of
from redactor.roster_header import Header, find_header
from redactor.roster_values import whole_id
from redactor.sealed_files import write_file
from webapp.office.reader_process import read_sheet_apart
from webapp.office.work import applicant_of, round_folder
from webapp.settings import Settings

LARGEST = 20 << 20
KEPT_HOURS = 24
"""A roster that nobody confirmed holds ID numbers and goes after this long."""
_SUFFIXES = (".xlsx", ".xls", ".csv")


@dataclass(frozen=True)
class Cell:
    """A cell as it is written. `column`: its letter. `problems`: what is wrong with it."""

    column: str
    text: str
    problems: tuple[Sentence, ...] = ()


@dataclass(frozen=True)
class Row:
    """A row of the sheet. `state`: new, changed, same; bad; unread where it is no applicant's."""

    number: int
    state: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Preview:
    """A sheet with its headings. `missing`: applicants of the round that it lacks; they stay."""

    sheet: str
    headings: tuple[str, ...]
    rows: tuple[Row, ...]
    problems: int
    warnings: tuple[Sentence, ...]
    missing: tuple[str, ...]
    new: int
    changed: int


def keep_roster(settings: Settings, round_id: int, name: str, data: bytes) -> Path:
    """Keeps an uploaded roster for the confirmation; RuleError for what cannot be one."""
    suffix = Path(name).suffix.lower()
    if suffix not in _SUFFIXES or not data or len(data) > LARGEST:
        raise RuleError(
            Sentence(
                "请选择花名册文件（.xlsx、.xls 或 .csv，不超过 20 MB，不能为空）。",
                "Choose the roster: .xlsx, .xls or .csv, not empty, up to 20 MB.",
            )
        )
    folder = _folder(settings, round_id)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for old in folder.iterdir():
        if time.time() - old.stat().st_mtime > KEPT_HOURS * 3600:
            old.unlink(missing_ok=True)
    path = folder / f"{sha256(data).hexdigest()}{suffix}"
    write_file(path, data)
    return path


def kept_roster(settings: Settings, round_id: int, token: str) -> Path:
    """The roster that a preview showed; RuleError when it has gone."""
    for path in _folder(settings, round_id).glob("*"):
        if path.name == token:
            return path
    raise RuleError(
        Sentence(
            "预览已过期，请重新上传花名册。", "The preview has expired; upload the roster again."
        )
    )


def _folder(settings: Settings, round_id: int) -> Path:
    return round_folder(settings, round_id) / "roster"


@dataclass(frozen=True)
class RosterSheet:
    """The sheet with the applicants. `roster`: None where cells are `bad` ((row, column), why)."""

    grid: Grid
    header: Header
    roster: Roster | None
    bad: tuple[tuple[tuple[int, str], Sentence], ...]


def roster_sheet(path: Path) -> RosterSheet:
    """Reads a roster; UsageError when the file holds none at all."""
    roster: Roster | None = None
    bad: tuple[tuple[tuple[int, str], Sentence], ...] = ()
    grids = read_grids(path)
    try:
        roster = read_roster(path, grids)
        sheet = roster.sheet
    except RosterError as error:
        if not error.cells:
            raise
        sheet = error.cells[0].sheet
        bad = tuple(
            ((cell.row, cell.column), Sentence(cell.problem.zh, cell.problem.en))
            for cell in error.cells
        )
    grid = next(grid for grid in grids if grid.name == sheet)
    header = find_header(grid)
    if header is None:
        raise UsageError("找不到表头。", "There is no header row.")
    return RosterSheet(grid, header, roster, bad)


def preview_of(
    settings: Settings, path: Path, entrants: Sequence[Entrant]
) -> tuple[Preview, Roster | None]:
    """(the sheet as people see it, the roster, or None while something must be mended).

    RuleError when the file holds no roster at all.
    """
    read = read_sheet_apart(settings, roster_sheet, path)
    grid, header, roster = read.grid, read.header, read.roster
    bad: dict[tuple[int, str], list[Sentence]] = defaultdict(list)
    for place, sentence in read.bad:
        bad[place].append(sentence)
    people = roster.applicants if roster is not None else ()
    for (row, field), sentence in _conflicts(people, entrants):
        column = header.columns.get(field, header.columns["name"])
        bad[row, column_letter(column)].append(sentence)
    states = _states(people, entrants)
    rows = _rows(grid, header, bad, states)
    problems = sum(len(found) for found in bad.values())
    shown = Preview(
        sheet=grid.name,
        headings=tuple(header.headings[field] for field in header.columns),
        rows=rows,
        problems=problems,
        warnings=tuple(
            Sentence(w.zh, w.en) for w in (roster.warnings if roster is not None else ())
        ),
        missing=_missing(people, entrants) if roster is not None else (),
        new=list(states.values()).count("new"),
        changed=list(states.values()).count("changed"),
    )
    return shown, None if problems else roster


def _rows(
    grid: Grid,
    header: Header,
    bad: dict[tuple[int, str], list[Sentence]],
    states: dict[int, str],
) -> tuple[Row, ...]:
    rows = []
    with_problems = {row for row, _ in bad}
    for index in range(header.first, len(grid.rows)):
        number = index + 1
        texts = [
            (column_letter(c), " ".join(text_of(grid.at(index, c)).split()))
            for c in header.columns.values()
        ]
        if number not in with_problems and not any(text for _, text in texts):
            continue
        cells = tuple(
            Cell(column, text, tuple(bad.get((number, column), ()))) for column, text in texts
        )
        unread = "unread" if states else ""  # while something is bad nobody knows what is read
        state = "bad" if number in with_problems else states.get(number, unread)
        rows.append(Row(number, state, cells))
    return tuple(rows)


def _states(people: Sequence[Applicant], entrants: Sequence[Entrant]) -> dict[int, str]:
    there = {entrant.number: entrant.row for entrant in entrants}
    return {
        person.row: "new"
        if person.number not in there
        else ("same" if same_row(there[person.number], person) else "changed")
        for person in people
    }


def _missing(people: Sequence[Applicant], entrants: Sequence[Entrant]) -> tuple[str, ...]:
    numbers = {person.number for person in people}
    return tuple(f"{e.number} {e.name}" for e in entrants if e.number not in numbers)


def _conflicts(
    people: Sequence[Applicant], entrants: Sequence[Entrant]
) -> list[tuple[tuple[int, str], Sentence]]:
    """Rows that would make one applicant another: scans would pass to the wrong person."""
    there = {entrant.number: applicant_of(entrant) for entrant in entrants}
    holders = {whole_id(a.id_number): a for a in there.values() if a.id_number}
    found: list[tuple[tuple[int, str], Sentence]] = []
    for person in people:
        before = there.get(person.number)
        own = whole_id(person.id_number) if person.id_number else None
        if before is not None and _other_person(before, person):
            found.append(
                (
                    (person.row, "number"),
                    Sentence(
                        f"序号 {person.number} 在本批次中是 {before.name}，不能换成另一个人；"
                        "请改用原来的序号，新申报人请用新的序号。",
                        f"Number {person.number} is {before.name} in this round and cannot become "
                        "another person; keep the old numbers and give newcomers new ones.",
                    ),
                )
            )
        holder = holders.get(own) if own else None
        if holder is not None and holder.number != person.number:
            found.append(
                (
                    (person.row, "id_number"),
                    Sentence(
                        f"此身份证号码在本批次中属于 {holder.number} 号 {holder.name}；"
                        "请改正序号或号码。",
                        f"This ID number belongs to number {holder.number}, {holder.name}, in this "
                        "round; mend the number or the ID number.",
                    ),
                )
            )
    return found


def _other_person(before: Applicant, now: Applicant) -> bool:
    """Neither the ID number nor any name says that it is the same person."""
    if before.id_number and now.id_number:
        return whole_id(before.id_number) != whole_id(now.id_number) and before.name != now.name
    return not {before.name, *before.former_names} & {now.name, *now.former_names}


def entrant_row(applicant: Applicant) -> EntrantRow:
    """A roster row as the vault keeps it."""
    row = json.dumps(dataclasses.asdict(applicant), ensure_ascii=False, sort_keys=True)
    return EntrantRow(
        number=applicant.number,
        name=applicant.name,
        unit=applicant.unit,
        specialty=applicant.specialty,
        level=applicant.level,
        row=row,
    )


def same_row(kept: str, applicant: Applicant) -> bool:
    """Whether a roster says the same of an applicant, on whatever row of its sheet."""
    before, now = json.loads(kept), json.loads(entrant_row(applicant).row)
    return {**before, "row": 0} == {**now, "row": 0}
