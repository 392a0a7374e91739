"""Between the stores and the redactor: a round's folders, a file's job, a page's masks."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.vault_pages import Page
from models.vault_rounds import Entrant, OfficeRound, SourceFile
from redactor import geometry
from redactor.applicant import Applicant
from redactor.dossier_terms import dossier_terms
from redactor.file_job import FileJob, prints_file, record_from_json, results_name
from redactor.identity import Identity, identity_of
from redactor.profile import Profile, profile_named
from redactor.term import Term
from redactor.vault import Vault
from webapp.settings import Settings

FORMAT = "jpg"


def round_folder(settings: Settings, round_id: int) -> Path:
    """Everything of a round that is no row."""
    return settings.vault / "rounds" / str(round_id)


def scans_folder(settings: Settings, round_id: int) -> Path:
    """What the applicants sent, as they sent it."""
    return round_folder(settings, round_id) / "scans"


def round_vault(settings: Settings, round_id: int) -> Vault:
    """Readings, staged pages and thumbnails of a round, in the redactor's own arrangement."""
    vault = Vault(round_folder(settings, round_id))
    vault.create(resume=True)
    return vault


def applicant_of(entrant: Entrant) -> Applicant:
    """The roster row behind a blind code."""
    read: Any = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in json.loads(entrant.row).items()
    }
    return Applicant(**cast(Any, read))


def file_job(session: Session, settings: Settings, file: SourceFile) -> FileJob:
    """What a worker needs to redact a file that belongs to somebody."""
    entrant, profile, identity = _matched_against(session, file)
    vault = round_vault(settings, file.round_id)
    path = scans_folder(settings, file.round_id) / file.path
    return FileJob(
        path=path,
        relative=file.path,
        category=file.category,
        applicant=entrant.number,
        code=entrant.code,
        identity=identity,
        profile=profile,
        file_format=FORMAT,
        staging=vault.staging,
        thumbnails=vault.thumbnails,
        cache=vault.cache,
        copies=vault.copies,
        name=results_name(path, file.path, f"{profile.settings}|{identity.terms}"),
    )


def _matched_against(session: Session, file: SourceFile) -> tuple[Entrant, Profile, Identity]:
    entrant = session.get_one(Entrant, file.entrant_id)
    profile = profile_named(session.get_one(OfficeRound, file.round_id).profile)
    return entrant, profile, identity_of(applicant_of(entrant), profile.identity_settings())


def dossier_job(session: Session, settings: Settings, file: SourceFile) -> FileJob | None:
    """The job that looks in a file for what other pages of its dossier gave away, if anything."""
    job = file_job(session, settings, file)
    pages, terms, prints = _given_away(session, file, job.identity, job.copies)
    records = (page.record for page in pages if page.file_id == file.id)
    done = tuple(record_from_json(json.loads(record)) for record in records)
    if not (terms or prints) or not done:
        return None
    told = f"{job.name}|{terms}|{[path.name for path in prints]}"
    name = results_name(job.path, file.path, told)
    return replace(job, name=name, terms=terms, prints=prints, done=done)


def dossier_gave_away(session: Session, settings: Settings, file: SourceFile) -> bool:
    """Whether any page of a file's dossier gave away what others may show as well."""
    *_, identity = _matched_against(session, file)
    copies = round_vault(settings, file.round_id).copies
    _, terms, prints = _given_away(session, file, identity, copies)
    return bool(terms or prints)


def _given_away(
    session: Session, file: SourceFile, identity: Identity, copies: Path
) -> tuple[list[Page], tuple[Term, ...], tuple[Path, ...]]:
    """(pages of a file's dossier, texts that they gave away, files with looks of seals)."""
    pages = list(session.scalars(select(Page).where(Page.entrant_id == file.entrant_id)))
    records = [json.loads(page.record) for page in pages]
    terms = dossier_terms([mask for record in records for mask in record["masks"]], identity)
    prints = tuple(
        prints_file(copies, record["staged"])
        for record in records
        if record.get("prints") and record["staged"] is not None
    )
    return pages, terms, prints


def merged_masks(
    mine: Sequence[Mapping[str, Any]],
    before: Sequence[Mapping[str, Any]],
    now: Sequence[Mapping[str, Any]],
) -> list[dict[str, Any]]:
    """A person's masks with those that the redactor finds now and did not find before.

    What was found before and is missing among the person's masks was taken away on purpose.
    """
    known = [np.asarray(mask["quad"], dtype=np.float64) for mask in (*mine, *before)]
    new = [
        mask
        for mask in now
        if not any(geometry.holds(k, np.asarray(mask["quad"], dtype=np.float64)) for k in known)
    ]
    return [dict(mask) for mask in (*mine, *new)]
