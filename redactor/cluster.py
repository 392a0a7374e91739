"""Files redacted by the workers of a dask scheduler; the vault stays on this machine alone.

Sources go out and masked pages, thumbnails, readings and seals come back through the exchange.
What comes back enters the vault only if it has the hash that its worker reported. A worker that
is killed has given nothing back: its files are done again by another one.
"""

from __future__ import annotations

import contextlib
import logging
import re
import secrets
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, Executor, Future, ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from distributed import Client, KilledWorker

from redactor.errand import (
    SOURCE,
    Delivery,
    Errand,
    job_folders,
    masking_version,
    run_errand,
)
from redactor.errors import OutputError, RedactorError, UnreadablePage, UsageError, language
from redactor.exchange import FORGOTTEN, ROOM, Exchange, Parcel
from redactor.file_job import FileJob, PageRecord, overview_file, redact_file
from redactor.reading_cache import reading_place
from redactor.sealed_files import new_secret, read_file, write_file

CONNECT_SECONDS = 15
ASK_SECONDS = 5
LEAST_IN_FLIGHT = 32
"""Files that are out at the same time, at least; workers may join while a run goes on."""
_PLACE = re.compile(r"(?P<folder>[0-9])/(?P<path>([0-9A-Za-z]+/)?[0-9A-Za-z][0-9A-Za-z._-]*)")
"""What a worker may hand back: a file in a numbered folder, or one folder deeper."""

_SCHEDULER = re.compile(r"(tcp|tls)://[^\s/]+:[0-9]+/?")


class WorkerDied(RedactorError):
    """Several workers died over one file; the rest of the batch goes on."""


class Cluster(Executor):
    """Runs work on files as an Executor: `submit(work, job, *rest)`. Close it by `shutdown`.

    `address`: tcp://host:port of the scheduler, tls:// where dask is configured for it.
    `exchange`: URL of the store that both sides reach. UsageError when either cannot be used.
    """

    def __init__(self, address: str, exchange: str) -> None:
        check_address(address)
        self._run = secrets.token_hex(8)
        self._exchange = Exchange(exchange, new_secret())
        logging.getLogger("distributed").setLevel(logging.ERROR)
        try:
            self._client = Client(
                address, timeout=CONNECT_SECONDS, set_as_default=False, name="mangping"
            )
            self._client.wait_for_workers(1, timeout=CONNECT_SECONDS)
        except (OSError, TimeoutError, ValueError) as error:
            with contextlib.suppress(AttributeError):
                self._client.close(timeout=CONNECT_SECONDS)
            raise UsageError(
                f"在 {address} 没有可用的调度器或工作机，未写入任何内容。请先启动 dask scheduler "
                "和 dask worker（见 docs/SCALE.md），并检查地址和防火墙。",
                f"There is no scheduler with workers at {address}; nothing was written. Start "
                "dask scheduler and dask worker first (docs/SCALE.md), and check the address and "
                "the firewall.",
            ) from error
        self._exchange.sweep("", FORGOTTEN)
        self.in_flight = max(LEAST_IN_FLIGHT, 2 * sum(self._client.nthreads().values()))
        self._carriers = ThreadPoolExecutor(self.in_flight, "errand")

    @property
    def lost(self) -> bool:
        """Whether the scheduler is gone: nothing more can come of this object."""
        return str(self._client.status) != "running"

    def submit(self, work: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """`work(job, *rest)` on a worker: the future of its records.

        Raises, through the future, WorkerDied, or OutputError when nothing can be done any more.
        """
        job, *rest = args
        return self._carriers.submit(self._carry, work, job, tuple(rest))

    def run_jobs(self, jobs: Sequence[FileJob]) -> Iterator[tuple[FileJob, list[PageRecord]]]:
        """(job, its records) as they are finished; a job over which workers die is left out."""
        futures = {self.submit(redact_file, job): job for job in jobs}
        try:
            for future in as_completed(futures):
                with contextlib.suppress(WorkerDied):
                    yield futures[future], future.result()
        finally:
            for future in futures:
                future.cancel()

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Ends the connection; what workers still do then counts for nothing."""
        self._carriers.shutdown(wait=wait and not cancel_futures, cancel_futures=cancel_futures)
        self._client.close(timeout=CONNECT_SECONDS)
        self._carriers.shutdown(wait=True)
        with contextlib.suppress(OutputError):  # a later run removes what is left
            self._exchange.sweep(self._run)

    def _carry(self, work: Callable[..., Any], job: FileJob, rest: tuple[Any, ...]) -> Any:
        """Sends a job out, waits for it and takes its results in."""
        room = f"{ROOM}/{self._run}/{secrets.token_hex(8)}"
        folders = (*job_folders(job), *(value for value in rest if isinstance(value, Path)))
        parcels = [
            self._exchange.send(data, f"{room}/in/{place}", place)
            for path, place in self._needed(job)
            if (data := _content(path)) is not None
        ]
        errand = Errand(
            work=work,
            job=job,
            rest=rest,
            folders=folders,
            exchange=self._exchange.url,
            secret=self._exchange.secret,
            parcels=tuple(parcels),
            answer=f"{room}/out",
            language=language(),
            version=masking_version(),
        )
        delivery = self._result(errand)
        self._take_in(delivery, folders)
        self._exchange.remove([parcel.key for parcel in (*parcels, *delivery.parcels)])
        return delivery.records

    def _needed(self, job: FileJob) -> Iterator[tuple[Path, str]]:
        """(file, its place on the worker) of everything that the work on a job reads."""
        yield job.path, SOURCE
        folders = job_folders(job)
        cache, copies = folders.index(job.cache), folders.index(job.copies)
        for key in sorted({*job.readings, *(record.reading for record in job.done)} - {""}):
            place = reading_place(key)
            yield job.cache / place, f"{cache}/{place}"
        for path in dict.fromkeys(job.prints):
            yield path, f"{copies}/{path.name}"
        for record in job.done:
            if record.staged is not None:
                path = overview_file(job.copies, record.staged)
                yield path, f"{copies}/{path.name}"

    def _result(self, errand: Errand) -> Delivery:
        """What a worker gave back; raises its error."""
        try:
            # One key for each errand: results of an earlier one must never be taken for it.
            future = self._client.submit(run_errand, errand, key=errand.answer, pure=False)
            delivery: Delivery = self._waited(future)
        except KilledWorker as error:
            raise WorkerDied(
                "处理此文件的多台工作机意外中止（可能内存不足），未输出任何内容。",
                "Several workers died over this file (perhaps out of memory); nothing of it was "
                "written.",
            ) from error
        except (CancelledError, OSError, RuntimeError) as error:
            raise OutputError(
                "与 dask 调度器的连接中断。请检查它是否在运行，然后加上 --resume 重新运行。",
                "The connection to the dask scheduler was lost. Check that it is running, then "
                "run again with --resume.",
            ) from error
        if delivery.error is not None:
            raise delivery.error
        return delivery

    def _waited(self, future: Any) -> Any:
        """The result of a future; OSError when the scheduler is gone and nobody will tell it."""
        while not self.lost:
            with contextlib.suppress(TimeoutError):
                return future.result(timeout=ASK_SECONDS)
        raise OSError("the scheduler is gone")

    def _take_in(self, delivery: Delivery, folders: Sequence[Path]) -> None:
        """Files of a delivery are put where they belong, if every one is what it should be."""
        hashes = {parcel.place: parcel.sha256 for parcel in delivery.parcels}
        for record in delivery.records:
            if hashes.get(f"0/{record.staged}", record.sha256) != record.sha256:
                raise OutputError(
                    "工作机交回的页面与其记录不符，未使用。请加上 --resume 重新运行。",
                    "A page that a worker gave back does not agree with its record; it was not "
                    "used. Run again with --resume.",
                )
        for parcel in delivery.parcels:
            target = _target(parcel, folders)
            target.parent.mkdir(mode=0o700, exist_ok=True)
            write_file(target, self._exchange.read(parcel))


def _content(path: Path) -> bytes | None:
    """A file's content; None when it cannot be read: the worker that misses it says so."""
    try:
        return read_file(path)
    except (OSError, UnreadablePage):
        return None


def _target(parcel: Parcel, folders: Sequence[Path]) -> Path:
    """Where a file of a delivery belongs; OutputError for a place outside of the folders."""
    found = _PLACE.fullmatch(parcel.place)
    if found is None or ".." in parcel.place or int(found["folder"]) >= len(folders):
        raise OutputError(
            "工作机交回了位置不明的文件，未使用。请在所有机器上安装同一版本的 mangping。",
            "A worker gave back a file of an unknown place; it was not used. Install the same "
            "version of mangping everywhere.",
        )
    return folders[int(found["folder"])] / found["path"]


def check_address(address: str) -> None:
    """UsageError unless it is the address of a scheduler."""
    if not _SCHEDULER.fullmatch(address):
        raise UsageError(
            f"不认识执行器“{address}”。请填写 local，或 dask 调度器的地址，如 "
            "tcp://192.168.1.10:8786。",
            f'There is no executor "{address}". Give local, or the address of a dask scheduler '
            "such as tcp://192.168.1.10:8786.",
        )
