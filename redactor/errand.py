"""A file's work on a machine that sees neither scans nor vault: fetched, done, sent back."""

from __future__ import annotations

import os
import socket
import tempfile
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from redactor.arabic_reading import data_folder
from redactor.errors import OutputError, RedactorError, Sentence
from redactor.exchange import Exchange, Parcel
from redactor.file_job import VERSION, FileJob, PageRecord
from redactor.limits import confine
from redactor.reading import reader_version

Work = Callable[..., list[PageRecord]]
SOURCE = "source"
_one_at_a_time = threading.Lock()
"""A process has one reader, and its models are not made for several threads."""


@dataclass(frozen=True)
class Errand:
    """A call of `work(job, *rest)` and the files for it. Picklable.

    `folders`: the office's folders that the work writes to; the n-th is a folder called n on the
    worker. `answer`: prefix of keys for what it writes. Job and arguments are not in the repr,
    because schedulers and workers log what they run.
    """

    work: Work = field(repr=False)
    job: FileJob = field(repr=False)
    rest: tuple[Any, ...] = field(repr=False)
    folders: tuple[Path, ...] = field(repr=False)
    exchange: str
    secret: str = field(repr=False)
    parcels: tuple[Parcel, ...]
    answer: str
    language: str
    version: str


@dataclass(frozen=True)
class Delivery:
    """What came of an errand: records and the files that belong to them, or an error."""

    records: list[PageRecord] = field(default_factory=list, repr=False)
    parcels: tuple[Parcel, ...] = ()
    error: RedactorError | None = None


def masking_version() -> str:
    """Two machines whose versions are equal mask alike."""
    return f"{VERSION}|{reader_version()}|{'Arabic' if data_folder() else ''}"


def run_errand(errand: Errand) -> Delivery:
    """Does an errand on a worker. Errors come back as values: a log would tell too much of them."""
    try:
        ground = _ground()
        if ground is not None:
            _confine()
        with (
            _one_at_a_time,
            tempfile.TemporaryDirectory(prefix="errand-", dir=ground) as scratch,
        ):
            return _done(errand, Path(scratch))
    except RedactorError as error:
        zh, en = error.sentence.zh, error.sentence.en
        host = socket.gethostname()
        return Delivery(error=OutputError(f"工作机 {host}：{zh}", f"Worker {host}: {en}"))
    except Exception as error:
        return Delivery(error=_unexpected(error))


def _done(errand: Errand, scratch: Path) -> Delivery:
    if errand.version != masking_version():
        raise OutputError(
            f"此机器上的 mangping 版本（{masking_version()}）与办公室的（{errand.version}）不同。"
            "请在所有机器上安装同一版本。",
            f"mangping on this machine ({masking_version()}) is of another version than the "
            f"office's ({errand.version}). Install the same version everywhere.",
        )
    os.environ["MANGPING_LANG"] = errand.language
    exchange = _exchange(errand.exchange, errand.secret)
    for number in range(len(errand.folders)):
        (scratch / str(number)).mkdir(mode=0o700)
    for parcel in errand.parcels:
        target = scratch / parcel.place
        target.parent.mkdir(mode=0o700, exist_ok=True)
        target.write_bytes(exchange.read(parcel))
    places = {folder: scratch / str(number) for number, folder in enumerate(errand.folders)}
    records = errand.work(
        moved_job(errand.job, scratch / SOURCE, places),
        *(places.get(value, value) if isinstance(value, Path) else value for value in errand.rest),
    )
    brought = {parcel.place for parcel in errand.parcels}
    made = [place for place in _files(scratch, len(errand.folders)) if place not in brought]
    parcels = [
        exchange.send((scratch / place).read_bytes(), f"{errand.answer}/{place}", place)
        for place in made
    ]
    return Delivery(records, tuple(parcels))


def job_folders(job: FileJob) -> tuple[Path, ...]:
    """The folders that the work on a job writes to."""
    return job.staging, job.thumbnails, job.cache, job.copies


def moved_job(job: FileJob, source: Path, places: dict[Path, Path]) -> FileJob:
    """The job with its folders elsewhere."""
    return replace(
        job,
        path=source,
        staging=places[job.staging],
        thumbnails=places[job.thumbnails],
        cache=places[job.cache],
        copies=places[job.copies],
        prints=tuple(places[path.parent] / path.name for path in job.prints),
    )


def _files(scratch: Path, folders: int) -> Sequence[str]:
    """Posix paths, relative to `scratch`, of all whole files below its numbered folders."""
    return sorted(
        path.relative_to(scratch).as_posix()
        for number in range(folders)
        for path in (scratch / str(number)).rglob("*")
        if path.is_file() and not path.name.endswith(".part")
    )


@lru_cache(maxsize=4)
def _exchange(url: str, secret: str) -> Exchange:
    return Exchange(url, secret)


def _ground() -> str | None:
    """The worker's own folder: dask empties it at the next start, should this process be killed."""
    from distributed import get_worker

    try:
        return get_worker().local_directory
    except ValueError:  # not on a worker
        return None


@lru_cache(maxsize=1)
def _confine() -> None:
    """Bounds this worker process once; it needs the network for the exchange."""
    confine(network=True)


def _unexpected(error: Exception) -> RedactorError:
    where, host = type(error).__name__, socket.gethostname()
    said = Sentence(
        f"工作机 {host} 上的程序出错（{where}），未输出任何内容。请加上 --resume 重新运行；"
        "若仍出错，请报告此问题。",
        f"The program failed on the worker {host} ({where}) and nothing of it was written. Run "
        "again with --resume; if it fails again, report the problem.",
    )
    return OutputError(said.zh, said.en)
