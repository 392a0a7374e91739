"""The review store's half of a release: candidates and pages by code, and nothing that names one.

The audit chain holds a receipt for each release, not the code: dossiers are often released in the
order of the roster, and a chain of codes would keep that order. With the vault's salt the office
can still prove which receipt belongs to which dossier (models.office_release.receipt_of).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from models.audit import append_event
from models.errors import Sentence
from models.page_reports import settle_withdrawn
from models.review import Candidate, Recusal, Round, Ruling
from models.review_pages import PageReport, ReleasedPage
from models.review_sheets import DefenceResult, DefenceScore, Sheet, SheetVersion
from models.rounds import OrderError, get_round, open_round, require_phase


@dataclass(frozen=True)
class BlindPage:
    """A page as experts get it: `blind/<round>/<code>/<number>.<suffix>`; size in pixels."""

    number: int
    category: str
    suffix: str
    width: int
    height: int
    sha256: str

    @property
    def name(self) -> str:
        """Its file name, such as 001.jpg."""
        return f"{self.number:03d}.{self.suffix}"


@dataclass(frozen=True)
class BlindDossier:
    """A dossier as experts get it. `receipt`: what the audit keeps of its release."""

    code: str
    specialty: str
    level: str
    pages: tuple[BlindPage, ...]
    receipt: str


def round_named(session: Session, name: str) -> Round | None:
    """The round of that name, None before anything was released."""
    return session.scalars(select(Round).where(Round.name == name)).one_or_none()


def opened_round(
    session: Session,
    *,
    round_id: int | None,
    name: str,
    year: int,
    places: int,
    committee_members: int,
    policy_text: str,
    by: str,
) -> Round:
    """The round with that id or name; opened, without seats, at its first release."""
    if round_id is not None:
        return get_round(session, round_id, change=True)
    found = round_named(session, name)
    if found is not None:
        return get_round(session, found.id, change=True)
    return open_round(
        session,
        name=name,
        year=year,
        places=places,
        committee_members=committee_members,
        policy_text=policy_text,
        seats=(),
        by=by,
    )


def pages_of(session: Session, round_id: int, codes: Iterable[str]) -> dict[str, list[BlindPage]]:
    """Code -> its released pages in order; codes without pages are left out."""
    rows = session.scalars(
        select(ReleasedPage)
        .where(ReleasedPage.round_id == round_id, ReleasedPage.code.in_(list(codes)))
        .order_by(ReleasedPage.code, ReleasedPage.number)
    )
    found: dict[str, list[BlindPage]] = {}
    for row in rows:
        page = BlindPage(row.number, row.category, row.suffix, row.width, row.height, row.sha256)
        found.setdefault(row.code, []).append(page)
    return found


def released_codes(session: Session, round_id: int) -> set[str]:
    """Codes of the round whose pages the experts can open."""
    chosen = select(ReleasedPage.code).where(
        ReleasedPage.round_id == round_id, ReleasedPage.number == 1
    )
    return set(session.scalars(chosen))


def put_dossiers(
    session: Session, *, round_id: int, dossiers: Sequence[BlindDossier], by: str
) -> None:
    """Writes candidates and pages, sorted by code, with one audit event for all of them.

    A dossier that is there already with the same pages is left as it is, so that a release that
    was cut short can be repeated; one with other pages is refused. OrderError unless the round is
    being scored.
    """
    require_phase(get_round(session, round_id, change=True), "scoring")
    ordered = sorted(dossiers, key=lambda dossier: dossier.code)
    there = pages_of(session, round_id, [dossier.code for dossier in ordered])
    differing = [d.code for d in ordered if d.code in there and there[d.code] != list(d.pages)]
    if differing:
        raise OrderError(
            [
                Sentence(
                    f"{code} 在评审库中已有不同的页面。请先撤回该放行，再重新放行。",
                    f"{code} has other pages in the review store. Take that release back first.",
                )
                for code in differing
            ]
        )
    for dossier in ordered:
        candidate = session.get(Candidate, (round_id, dossier.code))
        if candidate is None:
            candidate = Candidate(round_id=round_id, code=dossier.code, defence="not_required")
            session.add(candidate)
        candidate.specialty, candidate.level = dossier.specialty, dossier.level
        session.flush()
        if dossier.code not in there:
            session.add_all(
                ReleasedPage(round_id=round_id, code=dossier.code, **vars(page))
                for page in dossier.pages
            )
    session.flush()
    append_event(
        session,
        actor=by,
        action="release",
        details={"round": round_id, "receipts": sorted(d.receipt for d in ordered)},
    )


def take_back(session: Session, *, round_id: int, code: str, receipt: str, by: str) -> bool:
    """Removes a dossier's pages and candidate; whether there were any.

    OrderError once anybody has saved a score for it or the blind scores are locked. A candidate
    to whom a recusal, a ruling or a report refers stays as a bare code, because those are evidence.
    """
    found = get_round(session, round_id, change=True)
    candidate = session.get(Candidate, (round_id, code))
    there = pages_of(session, round_id, [code])
    if candidate is None and not there:
        return False
    require_phase(found, "scoring")
    if is_begun(session, round_id, code):
        raise OrderError(
            Sentence(
                f"{code} 已有评委开始评分，不能再撤回放行。如页面泄露身份，请冻结该页。",
                f"A reviewer has begun to score {code}, so its release cannot be taken back. If a "
                "page shows who it is, freeze that page.",
            )
        )
    settle_withdrawn(session, round_id=round_id, code=code, by=by)
    of_dossier = {"round_id": round_id, "code": code}
    session.execute(delete(ReleasedPage).filter_by(**of_dossier))
    if candidate is not None and not _is_evidence(session, round_id, code):
        session.execute(delete(Sheet).filter_by(**of_dossier))
        session.delete(candidate)
    session.flush()
    append_event(
        session,
        actor=by,
        action="release_withdrawn",
        details={"round": round_id, "receipt": receipt},
    )
    return True


def is_begun(session: Session, round_id: int, code: str) -> bool:
    """Whether anybody has saved anything on a sheet of the dossier."""
    saved = (
        select(SheetVersion.sheet_id)
        .join(Sheet, Sheet.id == SheetVersion.sheet_id)
        .where(Sheet.round_id == round_id, Sheet.code == code)
        .limit(1)
    )
    return session.scalars(saved).first() is not None


def _is_evidence(session: Session, round_id: int, code: str) -> bool:
    tables = (Recusal, Ruling, DefenceScore, DefenceResult, PageReport)
    queries = [select(table.code).filter_by(round_id=round_id, code=code) for table in tables]
    return any(session.scalars(query.limit(1)).first() for query in queries)
