"""Runs a whole folder: roster and scans in; blind dossiers, reports and an exit code out."""

from __future__ import annotations

import hashlib
import itertools
import os
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from redactor.applicant import Applicant, Roster
from redactor.arabic_reading import data_folder
from redactor.assembly import BlindPage, assemble, recall, write_manifest
from redactor.attachment import neutral_category
from redactor.dossier_terms import dossier_terms
from redactor.errors import ExitCode, Sentence, UsageError
from redactor.executor import LOCAL, RunJobs, open_executor
from redactor.file_job import VERSION, FileJob, PageRecord, failed, prints_file, results_name
from redactor.folder_match import match_folders
from redactor.identity import Identity, identity_of
from redactor.intake import Intake, SourceFile, open_scans
from redactor.loading import count_pages
from redactor.model_files import refuse_missing
from redactor.page import State
from redactor.profile import Profile
from redactor.quality_list import write_quality_list
from redactor.reading import reader_version
from redactor.report import report_values, write_html, write_json, write_key
from redactor.roster import read_roster
from redactor.vault import Vault

Progress = Callable[[int, int], None]
"""Called with (pages done, pages in all) whenever a file is finished."""


@dataclass(frozen=True)
class Order:
    """What `mangping redact` was asked to do.

    `jobs`: processes on this machine. `executor`: local, or the address of a dask scheduler.
    `exchange`: URL of the store that its workers reach, "" for a folder of the vault.
    """

    scans: Path
    roster: Path
    blind: Path
    vault: Path
    profile: Profile
    jobs: int
    resume: bool
    file_format: str
    executor: str = LOCAL
    exchange: str = ""


@dataclass(frozen=True)
class Outcome:
    """What came of it: pages by state, what was left out and why, what else to know."""

    pages: tuple[BlindPage, ...]
    problems: tuple[tuple[str, Sentence], ...]
    notes: tuple[Sentence, ...]
    seconds: float

    def count(self, state: State) -> int:
        """Number of pages in a state."""
        return sum(page.record.state == state for page in self.pages)

    @property
    def exit_code(self) -> ExitCode:
        """3 when anything failed or was left out, 1 when a person must look, else 0."""
        if self.count(State.FAILED) or self.problems:
            return ExitCode.FAILED
        return ExitCode.REVIEW if self.count(State.REVIEW) else ExitCode.OK


def redact(order: Order, progress: Progress) -> Outcome:
    """Blinds all dossiers; UsageError when the input is unusable and nothing was written.

    Everything is staged in the vault first and moved to BLIND at the end, so that an interrupted
    run leaves BLIND empty and goes on with `resume`.
    """
    started, clock = datetime.now(UTC), time.perf_counter()
    roster = read_roster(order.roster)
    _check_places(order)
    if order.executor == LOCAL:
        refuse_missing()  # every page would fail for it
    with (
        open_scans(order.scans, unpacked=order.vault / "unpacked") as intake,
        _executor(order) as run_jobs,
    ):
        owners, problems, notes = _owners(intake, roster)
        if not owners:
            raise UsageError(
                "没有一个文件夹能与花名册对应，未写入任何内容。文件夹名应含姓名、身份证号或序号，"
                "或填写花名册的“材料目录”列。"
                + "".join(f"\n  {where}: {what.zh}" for where, what in problems),
                "No folder matches the roster; nothing was written. A folder's name should hold "
                "the name, ID number or 序号, or fill in the roster's column 材料目录."
                + "".join(f"\n  {where}: {what.en}" for where, what in problems),
            )
        vault = Vault(order.vault)
        vault.create(order.resume)
        order.blind.mkdir(parents=True, exist_ok=True)
        if order.resume:
            recall(vault, order.blind)
        codes = vault.codes(sorted({a.number for a in owners.values()}))
        jobs = _jobs(order, intake.files, owners, codes, vault)
        done = _run(jobs, vault, run_jobs, progress)
        done |= _run_again(jobs, done, vault, run_jobs)
    pages = _assembled(order, vault, jobs, done, codes)
    seconds = time.perf_counter() - clock
    outcome = Outcome(tuple(pages), tuple(problems), tuple(notes), seconds)
    _write_reports(order, vault, roster, codes, outcome, started)
    return outcome


def _check_places(order: Order) -> None:
    """UsageError unless BLIND and VAULT are apart, writable, and BLIND is empty (or resumed)."""
    blind, vault, scans = (p.resolve() for p in (order.blind, order.vault, order.scans))
    for a, b in itertools.permutations((blind, vault, scans), 2):
        if b == a or a in b.parents:
            raise UsageError(
                f"{b} 位于 {a} 之内。扫描件、盲评输出和保险库必须是互不包含的文件夹。",
                f"{b} lies inside {a}. Scans, blind output and vault must be separate folders.",
            )
    if blind.exists() and not blind.is_dir():
        raise UsageError(f"{blind} 不是文件夹。", f"{blind} is not a folder.")
    if blind.is_dir() and any(blind.iterdir()) and not order.resume:
        raise UsageError(
            f"输出文件夹 {blind} 不是空的。请另选空文件夹；若要继续上次运行，请加 --resume。",
            f"The output folder {blind} is not empty. Choose an empty one, or add --resume to go "
            "on with the last run.",
        )
    # Resuming lays BLIND out anew: what this vault did not put there must not be swept away.
    known = {"manifest.json", ".manifest.json.part", *Vault(vault).kept_codes().values()}
    for entry in sorted(blind.iterdir()) if blind.is_dir() else ():
        if entry.name not in known:
            raise UsageError(
                f"输出文件夹 {blind} 中的 {entry.name} 不是此保险库的运行结果，未改动任何内容。"
                "请核对 --blind 和 --vault 是否为同一次运行的文件夹。",
                f"{entry.name} in the output folder {blind} is no result of this vault; nothing "
                "was touched. Check that --blind and --vault are the folders of the same run.",
            )
    for folder in (blind, vault):
        ground = next(p for p in (folder, *folder.parents) if p.exists())
        if not ground.is_dir() or not os.access(ground, os.W_OK | os.X_OK):
            raise UsageError(
                f"没有写入 {ground} 的权限，未写入任何内容。请换一个可写的位置。",
                f"You may not write to {ground}; nothing was written. Choose another place.",
            )


def _executor(order: Order) -> AbstractContextManager[RunJobs]:
    exchange = order.exchange or (order.vault.resolve() / "exchange").as_uri()
    return open_executor(order.executor, order.jobs, exchange)


def _owners(
    intake: Intake, roster: Roster
) -> tuple[dict[str, Applicant], list[tuple[str, Sentence]], list[Sentence]]:
    """(folder -> its one applicant, what is left out and why, what does not stop a page)."""
    matches = match_folders(intake.folders, roster)
    folders = set(intake.folders)
    problems = [(problem.source, problem.sentence) for problem in intake.problems]
    problems += [(p.subject, p.sentence) for p in matches.problems if p.subject in folders]
    notes = [*roster.warnings, *(p.sentence for p in matches.problems if p.subject not in folders)]
    return dict(matches.owners), problems, notes


def _jobs(
    order: Order,
    files: Sequence[SourceFile],
    owners: dict[str, Applicant],
    codes: dict[int, str],
    vault: Vault,
) -> list[FileJob]:
    """One job for each file of a matched folder, in roster and attachment order."""
    identities: dict[int, Identity] = {}
    readings: dict[str, set[str]] = defaultdict(set)
    for record in vault.all_records() if order.executor != LOCAL else ():
        readings[record.source].add(record.reading)
    jobs = []
    for file in files:
        owner = owners.get(file.folder)
        if owner is None:
            continue
        identity = identities.setdefault(
            owner.number, identity_of(owner, order.profile.identity_settings())
        )
        settings = hashlib.sha256(
            f"{VERSION}|{data_folder()}|{order.profile.settings}|{order.file_format}"
            f"|{identity.terms}".encode()
        ).hexdigest()
        jobs.append(
            FileJob(
                path=file.path,
                relative=file.relative,
                category=neutral_category(file.category),
                applicant=owner.number,
                code=codes[owner.number],
                identity=identity,
                profile=order.profile,
                file_format=order.file_format,
                staging=vault.staging,
                thumbnails=vault.thumbnails,
                cache=vault.cache,
                copies=vault.copies,
                name=results_name(file.path, file.relative, settings),
                readings=tuple(sorted(readings[file.relative])),
            )
        )
    return sorted(jobs, key=lambda job: job.applicant)


def _run(
    jobs: Sequence[FileJob], vault: Vault, run_jobs: RunJobs, progress: Progress
) -> dict[str, list[PageRecord]]:
    """Records by job name; jobs that an earlier run finished without failures are not repeated."""
    done: dict[str, list[PageRecord]] = {}
    for job in jobs:
        records = vault.finished(job.name)
        if records is not None and all(_usable(record, vault) for record in records):
            done[job.name] = records
    rest = [job for job in jobs if job.name not in done]
    pages = {job.name: _pages(job) for job in rest}
    total = sum(pages.values()) + sum(len(records) for records in done.values())
    finished = total - sum(pages.values())
    progress(finished, total)
    # Long files first: a long one at the end would keep a single worker busy.
    for job, records in run_jobs(sorted(rest, key=lambda j: -pages[j.name])):
        vault.keep(job.name, records)
        done[job.name] = records
        finished += pages[job.name]
        progress(finished, total)
    return done


def _run_again(
    jobs: Sequence[FileJob],
    done: Mapping[str, list[PageRecord]],
    vault: Vault,
    run_jobs: RunJobs,
) -> dict[str, list[PageRecord]]:
    """Records, by the names of `jobs`, of files with pages on which their dossier tells more."""
    masks: dict[int, list[Mapping[str, Any]]] = defaultdict(list)
    prints: dict[int, list[Path]] = defaultdict(list)
    for job in jobs:
        for record in done.get(job.name, ()):
            masks[job.applicant] += record.masks
            if record.prints and record.staged is not None:
                prints[job.applicant].append(prints_file(vault.copies, record.staged))
    again: dict[str, FileJob] = {}
    for job in jobs:
        terms = dossier_terms(masks[job.applicant], job.identity)
        seals = tuple(prints[job.applicant])
        if (terms or seals) and job.name in done:
            told = f"{job.name}|{terms}|{[path.name for path in seals]}"
            name = hashlib.sha256(told.encode()).hexdigest()[:32]
            again[job.name] = replace(
                job, name=name, terms=terms, prints=seals, done=tuple(done[job.name])
            )
    finished = _run(list(again.values()), vault, run_jobs, lambda done, total: None)
    return {first: finished[job.name] for first, job in again.items() if job.name in finished}


def _usable(record: PageRecord, vault: Vault) -> bool:
    return record.staged is not None and (vault.staging / record.staged).exists()


def _pages(job: FileJob) -> int:
    """Pages of a file; 1 for a file that cannot be opened, whose failure is one record."""
    try:
        return count_pages(job.path)
    except Exception:  # whatever is wrong with it, its worker says so in a sentence
        return 1


def _assembled(
    order: Order,
    vault: Vault,
    jobs: Sequence[FileJob],
    done: dict[str, list[PageRecord]],
    codes: dict[int, str],
) -> list[BlindPage]:
    dossiers: dict[str, list[PageRecord]] = defaultdict(list)
    for job in jobs:
        dossiers[job.code] += done.get(job.name) or [failed(job, 0, _NOT_DONE, 0.0)]
    # In the order of codes: file systems keep when a file was made, and thus the roster's order.
    placed = {code: assemble(vault, order.blind, code, dossiers[code]) for code in sorted(dossiers)}
    pages = [page for code in dossiers for page in placed[code]]
    write_manifest(order.blind, pages, beside=vault.staging)
    return pages


_NOT_DONE = Sentence(
    "处理此文件的进程两次意外中止（可能内存不足），未输出任何内容。请用 --jobs 1 --resume 重试。",
    "The process working on this file died twice (perhaps out of memory); nothing of it was "
    "written. Try again with --jobs 1 --resume.",
)


def _write_reports(
    order: Order,
    vault: Vault,
    roster: Roster,
    codes: dict[int, str],
    outcome: Outcome,
    started: datetime,
) -> None:
    values = report_values(
        outcome.pages,
        order.profile.name,
        reader_version(),
        started.isoformat(timespec="seconds"),
        outcome.seconds,
    )
    write_json(vault.folder / "report.json", values)
    problems = [(where, str(what)) for where, what in outcome.problems]
    write_html(vault.folder / "report.html", values, problems)
    write_quality_list(vault.folder / "quality.xlsx", values, roster.applicants, outcome.problems)
    write_key(vault.folder / "key.xlsx", roster.applicants, codes)
