"""Which applicant a folder of scans belongs to; doubt is reported, never settled by guessing."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from redactor.applicant import Applicant, Roster
from redactor.errors import Sentence
from redactor.normal_text import Normalised, is_han, key, normalise

_Key = TypeVar("_Key")
_AFTER = re.compile(
    r"^(?:的|申报|材料|资料|附件|扫描|职称|评审|盲评|个人|档案|文件|业绩|学历|证|同志|老师|初级|中级|副高|高级|正高|"
    r"工程师|助理|技术|论文|报名|男|女)"
)
_ID = re.compile(r"(?<![0-9])[1-9][0-9]{16}[0-9x](?![0-9])")


@dataclass(frozen=True)
class FolderProblem:
    """`subject`: the folder's name, or the roster row of an applicant without a folder."""

    subject: str
    sentence: Sentence


@dataclass(frozen=True)
class FolderMatches:
    """`owners`: folder -> its one applicant. Whatever stands in `problems` is not in `owners`."""

    owners: Mapping[str, Applicant]
    problems: tuple[FolderProblem, ...]


class FolderOwners:
    """The applicants of a roster by what a folder's name may tell.

    They are looked up, not searched: a round has thousands of folders and of applicants.
    """

    def __init__(self, roster: Roster) -> None:
        people = roster.applicants
        self._by_column = {_plain(a.folder): a for a in people if a.folder}
        self._by_number = _grouped((a.number, a) for a in people)
        self._by_id = _grouped((a.id_number.lower(), a) for a in people if a.id_number)
        self._by_name = _grouped(
            (name, a) for a in people for name in {key(n) for n in (a.name, *a.former_names)}
        )
        self._lengths = sorted({len(name) for name in self._by_name} - {0, 1})
        self._places = {number: place for place, number in enumerate(self._by_number)}

    def owner(self, name: str) -> Applicant | None:
        """The one applicant that a folder's name points at."""
        found = self.candidates(name)
        return found[0] if len(found) == 1 else None

    def candidates(self, name: str) -> tuple[Applicant, ...]:
        """Applicants that a folder's name points at: one is a match, () none, several a doubt."""
        owner = self._by_column.get(_plain(name))
        if owner is not None:
            return (owner,)
        normal = normalise(name)
        named = _standing_alone(normal, self._spans(normal.text))
        ids = set(_ID.findall(normal.text))
        by_id = [a for number in ids for a in self._by_id.get(number, ())]
        if ids and not by_id:
            # A number that is nobody's speaks against everyone whose own number is known.
            named = [a for a in named if not a.id_number]
            if not named:
                return ()
        start, end = _numbers(name)
        by_number = () if start is None else self._by_number.get(start, ())
        evidence = [{a.number for a in group} for group in (named, by_id, by_number) if group]
        if not evidence:
            evidence = [{end}] if end is not None and end in self._by_number else []
        if not evidence:
            return ()
        common = set.intersection(*evidence)
        pointed = sorted(common or set.union(*evidence), key=self._places.__getitem__)
        found = tuple(a for number in pointed for a in self._by_number[number])
        if len(common) == 1 and found[0].folder:
            # Its own folder is another one, as 材料目录 says.
            return ()
        return found

    def _spans(self, text: str) -> list[tuple[int, int, Applicant]]:
        """Every (start, end, applicant) where a roster name stands in a text."""
        return [
            (at, at + length, applicant)
            for length in self._lengths
            for at in range(len(text) - length + 1)
            for applicant in self._by_name.get(text[at : at + length], ())
        ]


def _grouped(pairs: Iterable[tuple[_Key, Applicant]]) -> dict[_Key, tuple[Applicant, ...]]:
    groups: dict[_Key, tuple[Applicant, ...]] = {}
    for told, applicant in pairs:
        groups[told] = (*groups.get(told, ()), applicant)
    return groups


def match_folders(names: Sequence[str], roster: Roster) -> FolderMatches:
    """Matches folder names to applicants.

    An applicant with 材料目录 owns exactly that folder and no other. Other folders go by what
    their name holds: a name or former name, an ID number, the number at its start (or, when
    there is nothing else, at its end). All of it must point at the same single applicant.
    """
    index = FolderOwners(roster)
    chosen: dict[str, Applicant] = {}
    problems: list[FolderProblem] = []
    for name in names:
        found = index.candidates(name)
        if len(found) == 1:
            chosen[name] = found[0]
        else:
            problems.append(FolderProblem(name, _no_owner(found)))
    counts = Counter(owner.number for owner in chosen.values())
    for name, owner in chosen.items():
        if counts[owner.number] > 1:
            problems.append(FolderProblem(name, _several(owner)))
    owners = {n: a for n, a in chosen.items() if counts[a.number] == 1}
    missing = [a for a in roster.applicants if a.number not in counts]
    problems += [FolderProblem(f"{roster.sheet}:{a.row}", _missing(a)) for a in missing]
    return FolderMatches(owners, tuple(problems))


def _plain(name: str | None) -> str:
    return unicodedata.normalize("NFC", name or "").strip().strip("/\\").strip()


def _numbers(name: str) -> tuple[int | None, int | None]:
    plain = unicodedata.normalize("NFKC", name).strip()
    start = re.match(r"(?:第|no\.?|序号)?\s*#?0*(\d{1,6})(?![\dxX.])", plain, re.I)
    end = re.search(r"(?<!\d)0*(\d{1,6})(?:号|号?申报人)?$", plain)
    return (int(start.group(1)) if start else None, int(end.group(1)) if end else None)


def _standing_alone(
    folder: Normalised, spans: Sequence[tuple[int, int, Applicant]]
) -> list[Applicant]:
    """Applicants whose name is in a folder's name and not a part of a longer name there."""
    longest = [
        (a, b, who)
        for a, b, who in spans
        if not any(x <= a and b <= y and (y - x) > (b - a) for x, y, _ in spans)
    ]
    starts, ends = {a for a, _, _ in longest}, {b for _, b, _ in longest}
    return list(
        {
            who.number: who
            for a, b, who in longest
            if (a in ends or _opens(folder, a, b)) and (b in starts or _closes(folder, a, b))
        }.values()
    )


def _opens(folder: Normalised, start: int, end: int) -> bool:
    """Whether no longer name begins before start: 李明 in 王李明, who is not in the roster.

    One Chinese character in front may be a surname; several are a unit or a title.
    """
    if start == 0 or end - start >= 5 or _gap(folder, start, end, start):
        return True
    if not is_han(folder.text[start]):
        return not folder.text[start - 1].isalpha()
    lead = re.search(r"[\u3400-\u9fff]*$", folder.text[:start])
    return lead is None or len(lead.group()) != 1


def _closes(folder: Normalised, start: int, end: int) -> bool:
    """Whether no longer name goes on after end: 李明 in 李明远, who is not in the roster."""
    rest = folder.text[end:]
    if not rest or end - start >= 5 or _gap(folder, start, end, end):
        return True
    if not is_han(folder.text[start]):
        return not rest[0].isalpha()
    return not is_han(rest[0]) or _AFTER.match(rest) is not None


def _gap(folder: Normalised, start: int, end: int, at: int) -> bool:
    """Whether a space or the like parts the name from its neighbour (no letter-spaced name)."""
    origin = folder.origin
    solid = origin[end - 1] - origin[start] == end - 1 - start
    return solid and origin[at] - origin[at - 1] > 1


def _no_owner(found: tuple[Applicant, ...]) -> Sentence:
    if found:
        rows = ", ".join(str(a.row) for a in found)
        return Sentence(
            f"此文件夹可对应名册第 {rows} 行的不同申报人，未使用。"
            "请在名册“材料目录”列写明文件夹名。",
            f"This folder may belong to the applicants in roster rows {rows} and was not used. "
            "Write the folder's name into the roster's column 材料目录.",
        )
    return Sentence(
        "此文件夹在名册中找不到申报人，未使用。请改用“序号+姓名”命名，或在名册“材料目录”列写明。",
        "This folder matches no applicant of the roster and was not used. Name it by 序号 and "
        "姓名, or write its name into the roster's column 材料目录.",
    )


def _several(owner: Applicant) -> Sentence:
    return Sentence(
        f"名册第 {owner.row} 行的申报人对应了不止一个文件夹，这些文件夹均未使用。请合并为一个。",
        f"More than one folder matches the applicant in roster row {owner.row}; none of them was "
        "used. Put them into one.",
    )


def _missing(applicant: Applicant) -> Sentence:
    return Sentence(
        f"名册第 {applicant.row} 行的申报人没有可用的文件夹。"
        "请补交材料，或在“材料目录”列写明文件夹名。",
        f"The applicant in roster row {applicant.row} has no usable folder. Add the scans, or "
        "write the folder's name into the column 材料目录.",
    )
