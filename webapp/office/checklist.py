"""What an applicant has to mend: unreadable or poor pages, returned pages, missing materials."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from models.errors import Sentence
from models.kept_sentence import kept_sentence
from models.vault_pages import Page
from models.vault_rounds import Entrant, OfficeRound, SourceFile
from redactor.attachment import OTHER, neutral_category
from redactor.quality import quality_of
from redactor.quality_advice import advice
from scoring.materials import MaterialRule, check_materials
from scoring.policy import Policy
from webapp.office.policies import policy_of

GONE = ("replaced", "duplicate")
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
_NOTHING = Sentence("", "")


@dataclass(frozen=True)
class Want:
    """One thing to mend. `file`: "" for what is missing; `page` counts from 1, 0 for a file."""

    file: str
    page: int
    page_id: int | None
    problem: Sentence
    figures: Sentence
    remedy: Sentence

    @property
    def sentence(self) -> Sentence:
        """All of it in one go, for the log."""
        where = _NOTHING
        if self.page:
            where = Sentence(f"{self.file} 第 {self.page} 页：", f"{self.file} page {self.page}: ")
        elif self.file:
            where = Sentence(f"{self.file}：", f"{self.file}: ")
        return Sentence(
            f"{where.zh}{self.problem.zh}。{self.remedy.zh}",
            f"{where.en}{self.problem.en}. {self.remedy.en}",
        )


@dataclass(frozen=True)
class _Scan:
    """A file as the list of materials sees it."""

    path: str
    category: str


def wants_of(
    session: Session, office_round: OfficeRound, entrants: Sequence[Entrant]
) -> dict[int, list[Want]]:
    """Entrant -> what has to be mended; a constant number of queries."""
    ids = [entrant.id for entrant in entrants]
    found: dict[int, list[Want]] = {entrant: [] for entrant in ids}
    files: dict[int, list[_Scan]] = {entrant: [] for entrant in ids}
    rows = session.execute(
        select(SourceFile.entrant_id, SourceFile.path, SourceFile.category, SourceFile.state,
               SourceFile.reason)
        .where(SourceFile.entrant_id.in_(ids), SourceFile.state.not_in(GONE))
        .order_by(SourceFile.entrant_id, SourceFile.position, SourceFile.id)
    )  # fmt: skip
    failed: dict[int, list[tuple[str, str]]] = {entrant: [] for entrant in ids}
    for row in rows:
        files[row.entrant_id].append(_Scan(row.path, row.category))
        if row.state == "failed":
            failed[row.entrant_id].append((row.path, row.reason))
    pages = session.execute(
        select(Page, SourceFile.path)
        .join(SourceFile, SourceFile.id == Page.file_id)
        .where(
            Page.entrant_id.in_(ids),
            SourceFile.state.not_in(GONE),
            or_(Page.faults > 0, Page.state == "failed", Page.decision == "returned"),
        )
        .order_by(Page.position, Page.id)
    )
    told = set()
    for page, path in pages:
        found[page.entrant_id] += _of_page(page, path)
        told.add(path)
    policy = policy_of(office_round) if office_round.policy else Policy()
    for entrant in entrants:
        for path, reason in failed[entrant.id]:
            if path not in told:
                found[entrant.id].append(_unusable(path, 0, None, reason))
        found[entrant.id] += _missing(policy, files[entrant.id], entrant.level)
    return found


def held(policy: Policy, files: Iterable[_Scan]) -> dict[str, set[int]]:
    """Material of the notice's list -> the years of the scans that are such.

    Scans carry a category of a fixed vocabulary and notices use words of their own, so both are
    brought to the vocabulary. What may stand in for a material must be named in the scan's path.
    """
    found: dict[str, set[int]] = {}
    owns = [neutral_category(rule.category) for rule in policy.material]
    for scan in files:
        path = unicodedata.normalize("NFKC", scan.path)
        # The applicant's own folder may hold a year of birth; the parts below it name the scan.
        below = "/".join(PurePosixPath(path).parts[1:]) or path
        years = {int(year) for year in _YEAR.findall(below)}
        for rule, own in zip(policy.material, owns, strict=True):
            if scan.category == own != OTHER or rule.category in below:
                found.setdefault(rule.category, set()).update(years)
            for other in rule.instead or ():
                stands_in = scan.category in other and scan.category not in (*owns, OTHER)
                if other in below or stands_in:
                    found.setdefault(other, set()).update(years)
    return found


def _missing(policy: Policy, files: Sequence[_Scan], level: str) -> list[Want]:
    rules = [
        MaterialRule(
            rule.category,
            rule.required,
            rule.clause,
            rule.years or (),
            rule.note or "",
            bool(rule.paper),
            rule.instead or (),
            frozenset(rule.levels) if rule.levels else None,
        )
        for rule in policy.material
    ]
    gaps = check_materials(rules, held(policy, files), level=level or None).gaps
    return [
        Want(
            "",
            0,
            None,
            Sentence(f"材料不齐：{gap.category}", f"Incomplete: {gap.category}"),
            _NOTHING,
            gap.sentence,
        )
        for gap in gaps
    ]


def _of_page(page: Page, path: str) -> list[Want]:
    record = json.loads(page.record)
    number = page.source_page + 1
    found = []
    if page.decision == "returned":
        reason = page.decision_reason
        found.append(
            Want(
                path,
                number,
                page.id,
                Sentence("办公室退回此页", "Returned by the office"),
                Sentence(reason, reason),
                Sentence("请按说明修改后重新提交。", "Mend it as told and hand it in again."),
            )
        )
    if page.state == "failed":
        return [*found, _unusable(path, number, page.id, record["reason"])]
    for one in advice(quality_of(record["quality"])):
        problem, figures, remedy = (
            Sentence(said.zh, said.en) for said in (one.problem, one.figures, one.remedy)
        )
        found.append(Want(path, number, page.id, problem, figures, remedy))
    return found


def _unusable(path: str, number: int, page_id: int | None, reason: str) -> Want:
    said = kept_sentence(reason)
    return Want(
        path,
        number,
        page_id,
        Sentence("无法处理", "It cannot be processed"),
        Sentence(said.zh, said.en),
        Sentence(
            "请检查该文件能否正常打开，另存为 JPG 或 PDF 后重新提交。",
            "Check that the file opens, save it anew as JPG or PDF and hand it in again.",
        ),
    )
