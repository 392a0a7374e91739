"""Fills an installation with the demo's redacted samples, so that every page has something to show.

Nothing is read twice: the results of `mangping redact` become the rows that the runner would make.
"""

from __future__ import annotations

import secrets
import shutil
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from sqlalchemy.orm import Session

from models.accounts import create_account
from models.base import open_store
from models.office_jobs import finish, give_back, lease
from models.office_pages import keep_records
from models.office_rounds import make_round, put_entrants
from models.seat_access import IssuedCard
from models.vault_accounts import ROLES
from models.vault_rounds import SourceFile
from redactor.file_job import PageRecord
from redactor.roster import read_roster
from redactor.vault import Vault
from webapp.demo_committee import seat_committee
from webapp.office.matching import find_files
from webapp.office.roster_preview import entrant_row
from webapp.office.scans import sha256_of
from webapp.office.work import merged_masks, round_vault, scans_folder
from webapp.serving import prepare
from webapp.settings import Settings

POLICY = "science_office"
"""An example of an office's own policy: the notice of 2024 with criteria to score by."""
NAMES = {"admin": "王主任", "clerk": "陈经办", "secretary": "马秘书"}
WORKER = "demo"
Results = dict[str, list[PageRecord]]


@dataclass(frozen=True)
class DemoLogin:
    """Somebody who may sign in to the demo."""

    login: str
    password: str


@dataclass(frozen=True)
class Demo:
    """Who may sign in to the office, and the cards that open the experts' pages."""

    people: list[DemoLogin]
    cards: list[IssuedCard]


def make_demo_office(settings: Settings, samples: Path, blind: Path, redacted: Path) -> Demo:
    """An installation with people, a round of the samples, and a committee that has scored it.

    `samples`: folder with roster.xlsx and scans. `blind`, `redacted`: BLIND and VAULT of
    `mangping redact` on them.
    """
    prepare(settings)
    roster = read_roster(samples / "roster.xlsx")
    kept = Vault(redacted)
    engine = open_store(settings.vault_url)
    policy = (files("scoring") / "policies" / "examples" / f"{POLICY}.toml").read_text("utf-8")
    with Session(engine) as session, session.begin():
        people = [_person(session, role) for role in ROLES]
        made = make_round(
            session,
            name="示例：2024年度科学研究系列",
            year=2024,
            policy_name=POLICY,
            policy=policy,
            profile="strict",
            committee_members=9,
            by=WORKER,
        )
        put_entrants(
            session,
            round_id=made.id,
            rows=[entrant_row(person) for person in roster.applicants],
            codes=kept.codes(person.number for person in roster.applicants),
            by=WORKER,
        )
        round_id = made.id
    shutil.copytree(samples / "scans", scans_folder(settings, round_id), dirs_exist_ok=True)
    results = _final_records(settings, round_id, blind, kept)
    with Session(engine) as session:
        # It ends the transaction itself while it reads the files.
        find_files(session, settings, round_id, WORKER)
        session.commit()
        _keep_results(session, results)
        session.commit()
    engine.dispose()
    return Demo(people, seat_committee(settings, round_id, WORKER))


def _person(session: Session, role: str) -> DemoLogin:
    made = DemoLogin(role, secrets.token_urlsafe(9))
    create_account(
        session, login=role, name=NAMES[role], role=role, password=made.password, by=WORKER
    )
    return made


def _final_records(settings: Settings, round_id: int, blind: Path, kept: Vault) -> Results:
    """Source file -> records of its pages; the round's folder becomes a vault that has them staged.

    A page that was looked at twice has two records; the one that counts is that of the output.
    """
    target = round_vault(settings, round_id)
    for name in ("cache", "thumbnails", "copies"):
        shutil.copytree(kept.folder / name, target.folder / name, dirs_exist_ok=True)
    outputs = {
        sha256_of(path): path
        for folder in (blind, kept.held)
        for path in folder.rglob("*")
        if path.suffix in (".jpg", ".png")
    }
    final: dict[tuple[str, int], PageRecord] = {}
    for record in kept.all_records():
        place = record.source, record.source_page
        if record.staged is not None and record.sha256 in outputs:
            shutil.copyfile(outputs[record.sha256], target.staging / record.staged)
            final[place] = record
        elif record.staged is None:
            final.setdefault(place, record)
    results: Results = {}
    for (source, _), record in sorted(final.items(), key=lambda item: item[0]):
        results.setdefault(source, []).append(record)
    return results


def _keep_results(session: Session, results: Results) -> None:
    """Does the waiting jobs as the runner would; a file without results waits for the runner."""
    without = []
    while (job := lease(session, worker=WORKER, kinds=("redact",))) is not None:
        file = session.get_one(SourceFile, job.target)
        records = results.get(file.path)
        if records is None:
            without.append(job.id)
            continue
        finish(session, job_id=job.id, worker=WORKER)
        values = [record.as_json() for record in records]
        keep_records(session, file_id=file.id, records=values, merge=merged_masks)
    for job_id in without:
        give_back(session, job_id=job_id, worker=WORKER, error="")
