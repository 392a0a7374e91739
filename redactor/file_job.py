"""The work of one file in a worker process: every page loaded, masked, proven and staged."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from redactor import geometry
from redactor.errors import OutputError, RedactorError, Sentence
from redactor.finders.known import find_known
from redactor.finders.pictures import Picture
from redactor.identity import Identity
from redactor.kept_prints import keep_overview, keep_prints, load_prints, shows_twin
from redactor.limits import within_time
from redactor.loading import ScanFile, open_file
from redactor.masking import encode
from redactor.page import Finding, Kind, State
from redactor.pipeline import MaskedPage, redact_page
from redactor.profile import Profile
from redactor.proof import prove
from redactor.quality import quality_values
from redactor.reading import reader_version, shared_reader
from redactor.reading_cache import ReadingCache
from redactor.sealed_files import blocks_of, write_file
from redactor.streams import streams
from redactor.term import Term
from redactor.thumbnail import thumbnail

VERSION = "5"
"""Raised whenever the same page and settings would be masked otherwise: results are done anew."""
IDENTITY_MATRIX = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))


@dataclass(frozen=True)
class FileJob:
    """One source file and what a worker needs to blind it. Picklable.

    `name`: file name of its results; changes with the file and the settings. `staging`,
    `thumbnails`, `cache`, `copies`: folders of the vault. `done`: the file's pages from an
    earlier pass; only those are done again that hold one of `terms`, which other pages of the
    dossier told, or shows what `prints` hold, files with looks of those pages. `readings`: keys of
    readings of this file in the cache, which a worker elsewhere is sent.
    """

    path: Path
    relative: str
    category: str
    applicant: int
    code: str
    identity: Identity
    profile: Profile
    file_format: str
    staging: Path
    thumbnails: Path
    cache: Path
    copies: Path
    name: str
    terms: tuple[Term, ...] = ()
    prints: tuple[Path, ...] = ()
    done: tuple[PageRecord, ...] = ()
    readings: tuple[str, ...] = ()


@dataclass(frozen=True)
class PageRecord:
    """What is known of one page afterwards; the JSON of report.json is made from it.

    `staged`: file name of the masked page below the staging folder, None when there is none.
    `reading`: key of the page's reading in the cache. `prints`: how many seals and portraits
    of it can be sought on other pages. `pictures`: boxes (x0, y0, x1, y1) in which a portrait of
    another page may stand unmasked; None when nobody looked for them.
    """

    applicant: int
    source: str
    source_page: int
    category: str
    state: str
    reason: str
    seconds: float
    staged: str | None = None
    sha256: str = ""
    size: tuple[int, int] = (0, 0)
    rotation: int = 0
    source_to_output: tuple[tuple[float, ...], ...] = IDENTITY_MATRIX
    masks: tuple[dict[str, Any], ...] = ()
    quality: dict[str, Any] = field(default_factory=dict)
    verify: dict[str, Any] = field(default_factory=dict)
    thumbnail: str | None = None
    reading: str = ""
    prints: int = 0
    pictures: tuple[tuple[int, ...], ...] | None = None

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def record_from_json(values: dict[str, Any]) -> PageRecord:
    """The inverse of PageRecord.as_json after a way through JSON."""
    matrix = tuple(tuple(row) for row in values["source_to_output"])
    pictures = values.get("pictures")
    return PageRecord(
        **{
            **values,
            "size": tuple(values["size"]),
            "source_to_output": matrix,
            "masks": tuple(values["masks"]),
            "pictures": None if pictures is None else tuple(map(tuple, pictures)),
        }
    )


def redact_file(job: FileJob) -> list[PageRecord]:
    """Records of all pages of a file. A page that fails is a record; a full disk is an error.

    Raises OutputError when results cannot be written, because then nothing else can be either.
    """
    started = time.perf_counter()
    kept = {record.source_page: record for record in job.done if not _tells_more(job, record)}
    if job.done and len(kept) == len(job.done):
        return list(job.done)
    try:
        with open_file(job.path) as file:
            return [
                kept[number] if number in kept else redact_one(job, file, number)
                for number in range(file.count)
            ]
    except OutputError:
        raise
    except RedactorError as error:
        return [failed(job, 0, error.sentence, time.perf_counter() - started)]


def remask(job: FileJob, number: int, masks: Sequence[Mapping[str, Any]]) -> PageRecord:
    """The record of one page with a person's masks, in the form of report.json, and no others."""
    try:
        with open_file(job.path) as file:
            return redact_one(job, file, number, tuple(map(_decided, masks)))
    except OutputError:
        raise
    except RedactorError as error:
        return failed(job, number, error.sentence, 0.0)


def redact_one(
    job: FileJob, file: ScanFile, number: int, decided: tuple[Finding, ...] | None = None
) -> PageRecord:
    """Loads, masks, encodes, proves and stages page `number` (from 0), in the time of a page."""
    started = time.perf_counter()
    return within_time(
        lambda: _redact_one(job, file, number, decided),
        lambda sentence: failed(job, number, sentence, time.perf_counter() - started),
        job.staging / f"{job.name}-{number:04d}.slow",
    )


def _redact_one(
    job: FileJob, file: ScanFile, number: int, decided: tuple[Finding, ...] | None
) -> PageRecord:
    started = time.perf_counter()
    try:
        source = file.page(number)
        page = redact_page(
            source,
            replace(job.identity, terms=(*job.identity.terms, *job.terms)),
            job.profile,
            functools.partial(shared_reader, 1),
            _cache(job.cache),
            decided=decided,
            prints=load_prints(job.prints),
        )
        data = encode(page.masked, job.file_format, source.dpi)
        prove(data, page.masked, [f.quad for f in page.findings if not f.lifted])
        stem = f"{job.name}-{number:04d}"
        staged, picture = f"{stem}.{job.file_format}", f"{stem}.jpg"
        keep_prints(prints_file(job.copies, staged), page.prints)
        keep_overview(overview_file(job.copies, staged), page.masked, source.dpi)
        write_file(job.staging / staged, data)
        write_file(job.thumbnails / picture, thumbnail(page.masked, page.findings, page.hits))
    except OutputError:
        raise
    except RedactorError as error:
        return failed(job, number, error.sentence, time.perf_counter() - started)
    except MemoryError:
        return failed(job, number, _OUT_OF_MEMORY, time.perf_counter() - started)
    except Exception as error:  # a fault of ours on one page must not stop the others
        return failed(job, number, _unexpected(error), time.perf_counter() - started)
    record = _record(job, number, page, time.perf_counter() - started)
    return replace(
        record,
        staged=staged,
        thumbnail=picture,
        sha256=hashlib.sha256(data).hexdigest(),
        quality=quality_values(page.quality),
    )


def prints_file(copies: Path, staged: str) -> Path:
    """Where the looks of seals and portraits of a staged page are kept."""
    return copies / f"{Path(staged).stem}.npz"


def overview_file(copies: Path, staged: str) -> Path:
    """Where the small copy of a staged page is kept."""
    return copies / f"{Path(staged).stem}.jpg"


def _tells_more(job: FileJob, record: PageRecord) -> bool:
    """Whether a page of the earlier pass shows what its dossier told of unmasked."""
    return _holds_term(job, record) or _shows_twin(job, record)


def _shows_twin(job: FileJob, record: PageRecord) -> bool:
    if record.staged is None or not job.prints:
        return False
    overview = overview_file(job.copies, record.staged)
    try:
        dpi, prints = record.quality["dpi"], load_prints(job.prints)
        masks = tuple(map(_decided, record.masks))
        return shows_twin(overview, dpi, prints, masks, record.pictures)
    except RedactorError:  # done again, the page says what is wrong
        return True


def _holds_term(job: FileJob, record: PageRecord) -> bool:
    if record.staged is None or not job.terms:
        return False  # it failed, and its record says so
    reading = _cache(job.cache).get(record.reading)
    if reading is None:
        return True  # its reading was lost: nothing can be said of the page, so it is done again
    masks = [np.asarray(mask["quad"], dtype=np.float64) for mask in record.masks]
    known = Identity(job.applicant, job.terms)
    return any(
        not any(geometry.holds(mask, finding.quad) for mask in masks)
        for stream in streams(reading)
        for finding in find_known(stream, known)
    )


def failed(job: FileJob, number: int, sentence: Sentence, seconds: float) -> PageRecord:
    """The record of a page of which nothing was written."""
    return PageRecord(
        applicant=job.applicant,
        source=job.relative,
        source_page=number,
        category=job.category,
        state=State.FAILED,
        reason=str(sentence),
        seconds=round(seconds, 3),
        verify={"state": State.FAILED, "hits": []},
    )


_OUT_OF_MEMORY = Sentence(
    "处理此页时内存不足。请关闭其他程序，或用 --jobs 1 重新运行，并加上 --resume。",
    "There was not enough memory for this page. Close other programs, or run again with "
    "--jobs 1 --resume.",
)


def _unexpected(error: Exception) -> Sentence:
    where = type(error).__name__
    return Sentence(
        f"处理此页时程序出错（{where}），未输出任何内容。请重新扫描此页；若仍出错，请报告此问题。",
        f"The program failed on this page ({where}) and wrote nothing of it. Scan the page again; "
        "if it fails again, report the problem.",
    )


@functools.lru_cache(maxsize=4)
def _cache(folder: Path) -> ReadingCache:
    return ReadingCache(folder)


def _record(job: FileJob, number: int, page: MaskedPage, seconds: float) -> PageRecord:
    height, width = page.masked.shape[:2]
    return PageRecord(
        applicant=job.applicant,
        source=job.relative,
        source_page=number,
        category=job.category,
        state=str(page.state),
        reason=page.reason,
        seconds=round(seconds, 3),
        size=(width, height),
        rotation=page.reading.rotation,
        reading=page.reading_key,
        prints=len(page.prints),
        pictures=_boxes(page.pictures),
        source_to_output=tuple(
            tuple(float(v) for v in row) for row in np.round(page.source_to_output, 6).tolist()
        ),
        masks=tuple(map(_finding, page.findings)),
        verify={"state": str(page.state), "hits": list(map(_finding, page.hits))},
    )


def _boxes(pictures: Sequence[Picture] | None) -> tuple[tuple[int, ...], ...] | None:
    if pictures is None:
        return None
    return tuple((p.x0, p.y0, p.x1, p.y1) for p in pictures)


def _finding(finding: Finding) -> dict[str, Any]:
    """A mask or hit as report.json has it."""
    values = {
        "kind": str(finding.kind),
        "quad": np.round(finding.quad, 1).tolist(),
        "text": finding.text,
        "score": round(finding.score, 3),
        "why": finding.why,
        "finder": finding.finder,
    }
    return {**values, "lifted": True} if finding.lifted else values


def _decided(mask: Mapping[str, Any]) -> Finding:
    """The inverse of _finding."""
    quad = np.asarray(mask["quad"], dtype=np.float64).reshape(4, 2)
    return Finding(
        Kind(mask["kind"]),
        quad,
        mask["text"],
        mask["score"],
        mask["why"],
        mask["finder"],
        mask.get("lifted", False),
    )


def results_name(path: Path, relative: str, settings: str) -> str:
    """Name of a file's results: over its content, its place and everything that decides them.

    A file that cannot be read has a name, too: its worker says what is wrong with it.
    """
    digest = hashlib.sha256(f"{relative}|{settings}|{reader_version()}|".encode())
    with contextlib.suppress(OSError, RedactorError):
        for block in blocks_of(path):
            digest.update(block)
    return digest.hexdigest()[:32]
