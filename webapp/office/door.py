"""Carries proven pages from the vault to the experts and takes them back; nothing else may.

Files come first, then the rows of the review store, then the vault's: whatever is cut short, no
expert is shown half a dossier, and doing it again completes it. Pages are copied before either
store is locked, so that nobody's work waits for the disk.
"""

from __future__ import annotations

import json
import logging
import sqlite3
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from models import released
from models.base import forget_order, looking
from models.errors import RuleError, Sentence
from models.office_release import (
    check_confirmation,
    check_withdrawal,
    listed_pages,
    receipt_of,
    withdrawn,
)
from models.office_release import released as note_released
from models.office_reports import check_replacement, note_replacement, page_numbered, take_up
from models.page_reports import Replacement, open_reports, settle_report
from models.vault_pages import Page, Release
from models.vault_rounds import Entrant, OfficeRound
from redactor.attachment import CATEGORIES, OTHER
from redactor.proof import stray_parts
from redactor.sealed_files import read_file
from webapp.office import blind_folder
from webapp.office.policies import policy_of
from webapp.office.work import round_vault
from webapp.page_pictures import forget_pictures
from webapp.settings import Settings

logger = logging.getLogger(__name__)
SUFFIXES = ("jpg", "png")
SETTLED = "replaced"
"""Experts' data keeps no words of the office's: the reason, which may name somebody, stays here."""
SHORTEST_WORD = 2
"""Characters of a name or unit that is sought where it must not stand."""


@dataclass(frozen=True)
class Stores:
    """What the door stands between."""

    settings: Settings
    vault: Engine
    review: Engine


@dataclass(frozen=True)
class Passage:
    """A dossier on its way: the rows it will have, and where its pages lie staged."""

    release_id: int
    hashes: str
    dossier: released.BlindDossier
    staged: tuple[Path, ...]


@dataclass(frozen=True)
class Outcome:
    """Codes that are with the experts now, and why others are not."""

    codes: tuple[str, ...]
    problems: tuple[Sentence, ...]


def let_out(stores: Stores, *, round_id: int, release_ids: Sequence[int], by: str) -> Outcome:
    """Lets asked releases of a round out, in the order of codes.

    One that may not leave is left out and told in `problems`; the others leave together. Errors
    of the disk end all of it.
    """
    passages, problems = _passages(stores, release_ids, by)
    if not passages:
        return Outcome((), tuple(problems))
    with blind_folder.copies(stores.settings.blind) as folder:
        carried = []
        for passage in passages:
            try:
                _copy(passage, folder / passage.dossier.code)
            except RuleError as error:
                problems += error.sentences
            else:
                carried.append(passage)
        codes, refused = _hand_over(stores, round_id, carried, folder, by)
    try:
        # Dossiers are often let out in the order of the roster.
        forget_order(stores.review)
    except (OperationalError, sqlite3.OperationalError):
        logger.warning("the experts' store was busy; its file is put in order at the next release")
    return Outcome(tuple(codes), (*problems, *refused))


def bring_back(stores: Stores, *, release_id: int, reason: str, by: str) -> None:
    """Takes a release back: the experts' rows and files go, then the vault notes it.

    RuleError without a reason, or once scoring has begun.
    """
    with Session(stores.vault) as vault, vault.begin():
        release = vault.get_one(Release, release_id, with_for_update=True)
        check_withdrawal(release, reason)
        office_round = vault.get_one(OfficeRound, release.round_id, with_for_update=True)
        code = vault.get_one(Entrant, release.entrant_id).code
        with Session(stores.review) as review, review.begin():
            found = review_round_id(review, office_round)
            if found is not None:
                for report in open_reports(review, found):
                    page_id = page_numbered(release, report.number)
                    if report.code == code and page_id is not None:
                        # It must not go out again before somebody has looked at it.
                        take_up(vault, page_id=page_id, by=by)
                gone = released.pages_of(review, found, [code]).get(code, [])
                released.take_back(
                    review, round_id=found, code=code, receipt=receipt_of(release), by=by
                )
        if found is not None:
            blind_folder.remove(stores.settings.blind, stores.settings.blind / str(found) / code)
            for page_gone in gone:
                forget_pictures(stores.settings.review / "pictures", page_gone.sha256)
        withdrawn(vault, release, reason=reason, by=by)


def replace_page(stores: Stores, *, page_id: int, reason: str, by: str) -> None:
    """Puts a reported page that was masked anew in the place of the one that the experts had.

    Both stores keep both hashes. RuleError when it may not pass (models.office_reports), or is not
    what was proven.
    """
    with Session(looking(stores.vault)) as vault:
        page = vault.get_one(Page, page_id)
        _release, number = check_replacement(vault, page, reason=reason, by=by)
        code = vault.get_one(Entrant, page.entrant_id).code
        staging = round_vault(stores.settings, page.round_id).staging
        blind, staged = blind_page(page, number, staging, code)
    data = read_file(staged) if staged.is_file() else b""
    if blind_folder.sha256_of(data) != blind.sha256 or stray_parts(data):
        raise not_proven(code, number)
    with blind_folder.copies(stores.settings.blind) as folder:
        copy = folder / blind.name
        blind_folder.write_page(copy, data)
        with Session(stores.vault) as vault, vault.begin():
            # Its row is the lock that puts two people at the door in line.
            page = vault.get_one(Page, page_id, with_for_update=True)
            office_round = vault.get_one(OfficeRound, page.round_id, with_for_update=True)
            # While the page was copied, somebody may have changed it.
            release, _number = check_replacement(vault, page, reason=reason, by=by)
            if page.staged_sha256 != blind.sha256:
                raise not_proven(code, number)
            note_replacement(vault, release, page, name=blind.name, reason=reason, by=by)
            with Session(stores.review) as review, review.begin():
                found = review_round_id(review, office_round)
                there = released.pages_of(review, found, [code]) if found is not None else {}
                if found is None or code not in there:
                    raise not_proven(code, number)
                # Cut short after the experts had it: only the vault has yet to note it.
                before = there[code][number - 1].sha256
                if before != blind.sha256:
                    settle_report(
                        review,
                        round_id=found,
                        code=code,
                        number=number,
                        decision="replaced",
                        reason=SETTLED,
                        by=by,
                        new=Replacement(
                            blind.suffix, blind.width, blind.height, blind.sha256,
                            receipt_of(release),
                        ),
                    )  # fmt: skip
                blind_folder.swap(copy, stores.settings.blind / str(found) / code / blind.name)
                forget_pictures(stores.settings.review / "pictures", before)


def differences(stores: Stores, release_id: int) -> list[Sentence]:
    """Where the vault's record of a release, the experts' rows and their files disagree; [] if
    nowhere."""
    with Session(looking(stores.vault)) as vault, Session(looking(stores.review)) as review:
        release = vault.get_one(Release, release_id)
        office_round = vault.get_one(OfficeRound, release.round_id)
        code = vault.get_one(Entrant, release.entrant_id).code
        recorded = {str(name): str(sha) for _page, name, sha in json.loads(release.hashes)}
        round_id = review_round_id(review, office_round)
        rows = [] if round_id is None else released.pages_of(review, round_id, [code]).get(code, [])
    listed = {page.name: page.sha256 for page in rows}
    folder = stores.settings.blind / str(round_id) / code
    there = {
        path.name: blind_folder.sha256_of(path.read_bytes())
        for path in blind_folder.files_of(folder)
    }
    found = []
    for name in sorted({*recorded, *listed, *there}):
        if not recorded.get(name) == listed.get(name) == there.get(name):
            found.append(
                Sentence(
                    f"{code}/{name}：保险库记录、评审库记录与文件的校验值不一致。"
                    "请撤回此放行后重新放行。",
                    f"{code}/{name}: the hashes of the vault's record, the review store's row and "
                    "the file differ. Take the release back and let it out again.",
                )
            )
    return found


def blind_name(office_round: OfficeRound, words: Sequence[str]) -> str:
    """What the round is called for the experts: neutral where its name would tell of somebody."""
    if any(word in _plain(office_round.name) for word in words):
        return f"{office_round.year}-{office_round.id}"
    return office_round.name


def identity_words(entrant: Entrant) -> list[str]:
    """What names an applicant or a unit on the roster, plain and long enough to be sought."""
    row: dict[str, Any] = json.loads(entrant.row)
    names = ("name", "unit", "id_number", "former_names", "unit_short", "former_units", "pinyin",
             "native_names", "native_units", "phones", "emails")  # fmt: skip
    found: set[str] = {entrant.name, entrant.unit}
    for name in names:
        value = row.get(name) or ()
        found.update([value] if isinstance(value, str) else value)
    return sorted(word for text in found if len(word := _plain(text)) >= SHORTEST_WORD)


def _passages(
    stores: Stores, release_ids: Sequence[int], by: str
) -> tuple[list[Passage], list[Sentence]]:
    found: list[Passage] = []
    problems: list[Sentence] = []
    with Session(looking(stores.vault)) as vault:
        releases = vault.scalars(select(Release).where(Release.id.in_(release_ids))).all()
        for release in releases:
            try:
                check_confirmation(vault, release, by)
                found.append(_passage(vault, stores.settings, release))
            except RuleError as error:
                problems += error.sentences
    return sorted(found, key=lambda passage: passage.dossier.code), problems


def _passage(vault: Session, settings: Settings, release: Release) -> Passage:
    entrant = vault.get_one(Entrant, release.entrant_id)
    problems = [
        Sentence(
            f"{entrant.code}：{zh}一栏含有申报人的姓名或单位，未放行。请在花名册中改正。",
            f"{entrant.code}: the {en} holds a name or unit of the applicant; not let out. "
            "Correct it in the roster.",
        )
        for zh, en, value in (
            ("专业", "specialty", entrant.specialty),
            ("级别", "level", entrant.level),
        )
        if any(word in _plain(value) for word in identity_words(entrant))
    ]
    staging = round_vault(settings, entrant.round_id).staging
    pages, staged = [], []
    for number, (page, _name) in enumerate(listed_pages(vault, entrant.id), 1):
        blind, path = blind_page(page, number, staging, entrant.code)
        pages.append(blind)
        staged.append(path)
    if problems:
        raise RuleError(problems)
    dossier = released.BlindDossier(
        entrant.code, entrant.specialty, entrant.level, tuple(pages), receipt_of(release)
    )
    return Passage(release.id, release.hashes, dossier, tuple(staged))


def blind_page(
    page: Page, number: int, staging: Path, code: str
) -> tuple[released.BlindPage, Path]:
    record = json.loads(page.record)
    name = record.get("staged") or ""
    suffix = Path(name).suffix.removeprefix(".")
    if Path(name).name != name or suffix not in SUFFIXES or record["sha256"] != page.staged_sha256:
        raise not_proven(code, number)
    width, height = record["size"]
    # A category is one word of a fixed list; anything else could be part of a file's name.
    category = page.category if page.category in CATEGORIES else OTHER
    blind = released.BlindPage(number, category, suffix, width, height, page.staged_sha256)
    return blind, staging / name


def _copy(passage: Passage, folder: Path) -> None:
    """Writes a dossier's pages, each as a whole and only if it is what was proven."""
    folder.mkdir(mode=0o700)
    for page, staged in zip(passage.dossier.pages, passage.staged, strict=True):
        data = read_file(staged) if staged.is_file() else b""
        if blind_folder.sha256_of(data) != page.sha256 or stray_parts(data):
            raise not_proven(passage.dossier.code, page.number)
        blind_folder.write_page(folder / page.name, data)


def _hand_over(
    stores: Stores, round_id: int, passages: Sequence[Passage], folder: Path, by: str
) -> tuple[list[str], list[Sentence]]:
    """Puts copied dossiers in their places and writes both stores."""
    problems: list[Sentence] = []
    with Session(stores.vault) as vault, vault.begin():
        # The round's row is the lock that puts two people at the door in line.
        office_round = vault.get_one(OfficeRound, round_id, with_for_update=True)
        leaving = []
        for passage in passages:
            release = vault.get_one(Release, passage.release_id, with_for_update=True)
            try:
                # While the pages were copied, somebody may have changed one.
                check_confirmation(vault, release, by)
            except RuleError as error:
                problems += error.sentences
            else:
                leaving.append((passage, release))
        if not leaving:
            return [], problems
        with Session(stores.review) as review, review.begin():
            review_round = _open_review_round(vault, review, office_round, by)
            target = stores.settings.blind / str(review_round)
            there = released.pages_of(
                review, review_round, [passage.dossier.code for passage, _ in leaving]
            )
            released.put_dossiers(
                review,
                round_id=review_round,
                dossiers=[passage.dossier for passage, _ in leaving],
                by=by,
            )
            for passage, _release in leaving:
                code = passage.dossier.code
                if code not in there:
                    # Without rows it was never shown: left by a process that was killed.
                    blind_folder.remove(stores.settings.blind, target / code)
                blind_folder.place(folder / code, target / code)
        office_round.review_round_id = review_round
        for _passage, release in leaving:
            note_released(vault, release, by)
    return [passage.dossier.code for passage, _ in leaving], problems


def _open_review_round(vault: Session, review: Session, office_round: OfficeRound, by: str) -> int:
    return released.opened_round(
        review,
        round_id=office_round.review_round_id,
        name=office_round.name
        if office_round.review_round_id
        else _name_for_experts(vault, office_round),
        year=office_round.year,
        places=policy_of(office_round).places,
        committee_members=office_round.committee_members,
        policy_text=office_round.policy,
        by=by,
    ).id


def _name_for_experts(vault: Session, office_round: OfficeRound) -> str:
    entrants = vault.scalars(select(Entrant).where(Entrant.round_id == office_round.id))
    return blind_name(office_round, [w for entrant in entrants for w in identity_words(entrant)])


def review_round_id(review: Session, office_round: OfficeRound) -> int | None:
    """The round for the experts, also when a crash kept its id from the vault."""
    if office_round.review_round_id is not None:
        return office_round.review_round_id
    for name in (office_round.name, f"{office_round.year}-{office_round.id}"):
        found = released.round_named(review, name)
        if found is not None:
            return found.id
    return None


def _plain(text: str) -> str:
    """Without spaces and in one form, as names are compared."""
    return "".join(unicodedata.normalize("NFKC", text).split()).casefold()


def not_proven(code: str, number: int) -> RuleError:
    return RuleError(
        Sentence(
            f"{code} 第 {number:03d} 页的文件缺失或与核验时不同，此材料未放行。请重新处理该页。",
            f"The file of {code} page {number:03d} is missing or is not what was proven; the "
            "dossier was not let out. Process the page again.",
        )
    )
