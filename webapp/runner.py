"""The runner: leases jobs from the vault and lets worker processes do them; may be killed anytime.

Nothing is kept before it is proven, and a result counts only while the lease is this runner's, so
that a second runner, or this one started again, does no harm.
"""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import exists, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from models.base import looking, open_store
from models.lost_connections import store_is_away
from models.office_jobs import (
    LEASE_SECONDS,
    LeasedJob,
    add_job,
    finish,
    give_back,
    lease,
    renew,
)
from models.office_pages import keep_records, masks_of, set_record
from models.office_vitals import BEAT_SECONDS, beat, end_beat
from models.vault_pages import Job, Page
from models.vault_rounds import Entrant, SourceFile
from redactor.errors import RedactorError
from redactor.executor import LOCAL, connected
from redactor.file_job import PageRecord
from redactor.workers import worker_pool
from webapp.logs import WorkerError, without_words
from webapp.office.derivatives import pictures_folder, redact_and_picture, remask_and_picture
from webapp.office.leftovers import sweep
from webapp.office.work import dossier_gave_away, dossier_job, file_job, merged_masks
from webapp.runner_watch import RunnerWatch, serve_metrics
from webapp.settings import Settings
from webapp.vault_key import rounds_folder, unlock, with_key

if TYPE_CHECKING:
    from redactor.cluster import Cluster

IDLE_SECONDS = 0.5
AWAY_SECONDS = 1.0
"""Between two tries when the vault's database is away."""
SWEEP_SECONDS = 3600
CONNECT_AGAIN_SECONDS = 10
IN_HAND = 1
"""Files that wait beside the workers, so that none is idle while another's results are kept."""
READING, EDITS = ("redact", "consistency"), ("remask",)
"""Two lines of work: an edit must not wait behind a file of a hundred pages."""


class Line:
    """Jobs of some kinds on a pool of processes of their own, or on the workers of a scheduler.

    `in_hand`: jobs that are taken before a worker is free. `cluster`: (address of a scheduler,
    URL of the exchange), None for this machine.
    """

    def __init__(
        self,
        runner: Runner,
        kinds: tuple[str, ...],
        workers: int,
        in_hand: int = 0,
        cluster: tuple[str, str] | None = None,
    ) -> None:
        self._runner, self._kinds, self._workers = runner, kinds, workers
        self._in_hand = in_hand
        self._watch = runner.watch
        self._cluster = cluster
        self._refused = float("-inf")
        self._pool: ProcessPoolExecutor | Cluster | None = None
        self._taken: LeasedJob | None = None
        self.running: dict[Future[list[PageRecord]], LeasedJob] = {}

    def fill(self) -> None:
        """Takes jobs while workers are free, and those in hand."""
        if not self._ready():
            return
        while len(self.running) < self._workers + self._in_hand:
            # One that is taken is not forgotten when the vault is away before its work is known.
            self._taken = job = self._taken or self._runner.take(self._kinds)
            if job is None:
                return
            work = self._runner.work_of(job)
            self._taken = None
            if work is None:
                continue
            try:
                # Errors of a cluster's workers have no words of their own already.
                call = work if self._cluster else (without_words, *work)
                self.running[self._started().submit(*call)] = job
                self._note_begun()
            except BrokenProcessPool:
                self._runner.broke(job, "the worker process died")
                self._drop_pool()

    def collect(self) -> None:
        """Keeps the results of jobs that ended; again later when the vault is away."""
        ended = [future for future in self.running if future.done()]
        # Workers take jobs in their order: of those that a dead one ended, the last were in hand.
        dead = [future for future in ended if isinstance(future.exception(), BrokenProcessPool)]
        begun = dead[: self._workers]
        for future in ended:
            job = self.running[future]
            try:
                records = future.result()
            except BrokenProcessPool as error:
                self._watch.broke(job, "worker died", error)
                self._runner.broke(job, "the worker process died", tried=future in begun)
                self._drop_pool()
            except RedactorError as error:
                self._watch.broke(job, "refused", error)
                self._runner.broke(job, str(error.sentence))
                if self._lost():
                    self._drop_pool()
            except WorkerError as error:
                self._watch.broke(job, "broken", error)
                self._runner.broke(job, error.kinds.partition(" ")[0])
            except Exception as error:
                self._watch.broke(job, "broken", error)
                self._runner.broke(job, type(error).__name__)
            else:
                kept = self._runner.keep(job, records)
                self._watch.ended(job, len(records), kept=kept)
            del self.running[future]
            self._note_begun()

    def _note_begun(self) -> None:
        for job in list(self.running.values())[: self._workers]:
            self._watch.begun(job)

    def stop(self) -> None:
        """Ends the workers at once; their jobs' leases run out."""
        if self._pool is not None:
            if isinstance(self._pool, ProcessPoolExecutor):
                for process in list((self._pool._processes or {}).values()):
                    process.kill()
            self._pool.shutdown(wait=False, cancel_futures=True)

    def _lost(self) -> bool:
        """Whether a scheduler is gone; a new connection is then made."""
        pool = self._pool
        return pool is not None and not isinstance(pool, ProcessPoolExecutor) and pool.lost

    def _ready(self) -> bool:
        """Whether jobs may be taken: not while a scheduler cannot be reached."""
        if self._cluster is None:
            return True
        if time.monotonic() - self._refused < CONNECT_AGAIN_SECONDS:
            return False
        try:
            self._started()
        except RedactorError as error:
            self._refused = time.monotonic()
            self._watch.failed("cluster", error)
            return False
        return True

    def _started(self) -> ProcessPoolExecutor | Cluster:
        if self._pool is None:
            if self._cluster is None:
                self._pool = worker_pool(self._workers)
            else:
                self._pool = connected(*self._cluster)
                self._workers = self._pool.in_flight
        return self._pool

    def _drop_pool(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None


class Runner:
    """Leases, starts, keeps; one object for each runner process."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        unlock(settings)
        self._engine = open_store(settings.vault_url)
        self.name = f"{socket.gethostname()}-{os.getpid()}"
        self.watch = RunnerWatch()
        workers = settings.workers or os.cpu_count() or 1
        self._lines = (
            # Somebody waits for an edit, and it is one page: it stays on this machine.
            Line(self, EDITS, 1),
            Line(self, READING, workers, IN_HAND, _cluster(settings)),
        )
        self._renewed = self._swept = time.monotonic()
        self._beaten = float("-inf")

    def run(self, stop: threading.Event) -> None:
        """Works until `stop` is set."""
        try:
            while not stop.is_set():
                try:
                    self.step(IDLE_SECONDS)
                except DBAPIError as error:
                    if not store_is_away(error):
                        raise
                    self.watch.failed("vault", error)
                    stop.wait(AWAY_SECONDS)
                if time.monotonic() - self._swept > SWEEP_SECONDS:
                    self.sweep()
        finally:
            for line in self._lines:
                line.stop()
            self._write(lambda session: end_beat(session, name=self.name))

    def step(self, patience: float) -> bool:
        """Keeps what is done and takes what is free; whether anything is running."""
        if time.monotonic() - self._beaten > BEAT_SECONDS:
            self._beaten = time.monotonic()
            self._write(lambda session: beat(session, name=self.name))
        for line in self._lines:
            # First: what was given back just before the vault was away must not be taken again
            # while its end is still to be told.
            line.collect()
        for line in self._lines:
            line.fill()
        running = [future for line in self._lines for future in line.running]
        if running:
            wait(running, timeout=patience, return_when=FIRST_COMPLETED)
        else:
            time.sleep(patience)
        for line in self._lines:
            line.collect()
        if time.monotonic() - self._renewed > LEASE_SECONDS / 4:
            self._renewed = time.monotonic()
            jobs = [job.id for line in self._lines for job in line.running.values()]
            self._write(lambda session: renew(session, job_ids=jobs, worker=self.name))
        return bool(running)

    def sweep(self) -> None:
        """Removes files that nobody needs any more; what goes wrong there stops no work."""
        self._swept = time.monotonic()
        try:
            with Session(looking(self._engine)) as session:
                sweep(session, self._settings)
        except Exception as error:
            self.watch.failed("sweep", error)

    def take(self, kinds: tuple[str, ...]) -> LeasedJob | None:
        """The next job of these kinds, leased."""
        return self._write(lambda session: lease(session, worker=self.name, kinds=kinds))

    def work_of(self, job: LeasedJob) -> tuple[Any, ...] | None:
        """What a worker is asked to do; None, and the job is done, when there is nothing to do."""
        with Session(self._engine) as session, session.begin():
            work = self._asked(session, job)
            if work is None:
                finish(session, job_id=job.id, worker=self.name)
                return None
            elsewhere = job.kind in READING and _cluster(self._settings)
            if self._settings.vault_key is None or elsewhere:
                return work
            return with_key, rounds_folder(self._settings), self._settings.vault_key, *work

    def _asked(self, session: Session, job: LeasedJob) -> tuple[Any, ...] | None:
        if job.kind == "remask":
            page = session.get(Page, job.target)
            if page is None:
                return None
            its_file = session.get_one(SourceFile, page.file_id)
            asked = file_job(session, self._settings, its_file)
            named = replace(asked, name=f"{asked.name}-e{page.revision}")
            kept = pictures_folder(self._settings, job.round_id), its_file.sha256
            return remask_and_picture, named, *kept, page.source_page, masks_of(session, page)
        file = session.get(SourceFile, job.target)
        if file is None or file.entrant_id is None or file.state == "replaced":
            return None
        kept = pictures_folder(self._settings, file.round_id), file.sha256
        if job.kind == "consistency":
            again = dossier_job(session, self._settings, file)
            return None if again is None else (redact_and_picture, again, *kept)
        return redact_and_picture, file_job(session, self._settings, file), *kept

    def keep(self, job: LeasedJob, records: list[PageRecord]) -> bool:
        """Writes the results of a job, if it is still ours; whether it was."""

        def write(session: Session) -> bool:
            if job.kind == "redact":
                # Of two runners that finish a dossier's last files, the second sees the first.
                session.execute(
                    select(Entrant.id)
                    .join(SourceFile, SourceFile.entrant_id == Entrant.id)
                    .where(SourceFile.id == job.target)
                    .with_for_update(of=Entrant)
                )
            if not finish(session, job_id=job.id, worker=self.name):
                return False
            values = [record.as_json() for record in records]
            if job.kind == "remask":
                page = session.get(Page, job.target)
                # A newer edit has a job of its own; its page stays "checking" until then.
                if page is not None and not _waiting(session, "remask", page.id):
                    set_record(page, values[0])
                return True
            keep_records(session, file_id=job.target, records=values, merge=merged_masks)
            if job.kind == "redact":
                self._look_across(session, job)
            return True

        return bool(self._write(write))

    def _look_across(self, session: Session, job: LeasedJob) -> None:
        """When a dossier's last file is done and something was given away, all its files are looked
        through once more."""
        file = session.get_one(SourceFile, job.target)
        files = session.scalars(
            select(SourceFile).where(SourceFile.entrant_id == file.entrant_id)
        ).all()
        if any(_waiting(session, "redact", f.id, running=True) for f in files):
            return
        if not dossier_gave_away(session, self._settings, file):
            return
        for f in files:
            if f.state == "done":
                add_job(session, round_id=f.round_id, kind="consistency", target=f.id, pages=0)

    def broke(self, job: LeasedJob, error: str, *, tried: bool = True) -> None:
        """A job that ended without results. `tried`: whether a worker had begun it."""
        self._write(
            lambda session: give_back(
                session, job_id=job.id, worker=self.name, error=error, tried=tried
            )
        )

    def _write(self, work: Callable[[Session], Any]) -> Any:
        with Session(self._engine) as session, session.begin():
            return work(session)


def _cluster(settings: Settings) -> tuple[str, str] | None:
    if settings.executor == LOCAL:
        return None
    return settings.executor, settings.exchange_url


def _waiting(session: Session, kind: str, target: int, running: bool = False) -> bool:
    states = ("waiting", "running") if running else ("waiting",)
    chosen = exists().where(Job.kind == kind, Job.target == target, Job.state.in_(states))
    return bool(session.scalar(select(chosen)))


def main(settings: Settings) -> None:
    """The runner's process: works until it is told to stop."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    runner = Runner(settings)
    serve_metrics(settings, runner.watch)
    runner.run(stop)
