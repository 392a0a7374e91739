"""A pool of worker processes, one reader and one thread each, that outlives a worker's death."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool

from redactor.file_job import FileJob, PageRecord, redact_file
from redactor.limits import WorkerLimits, confine
from redactor.parent import end_with_parent

_ONE_THREAD = (
    "OMP_NUM_THREADS",
    "OMP_THREAD_LIMIT",  # Tesseract
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
)

Results = Iterator[tuple[FileJob, list[PageRecord]]]


def run_jobs(jobs: Sequence[FileJob], workers: int) -> Results:
    """(job, its records) as they are finished.

    When a worker dies (killed, out of memory), the files that it may have had are tried alone; one
    that kills its worker again is left out, the rest goes on. Workers ignore Ctrl-C: the caller's
    KeyboardInterrupt ends them. OutputError of a worker is raised here, because then no further
    page can be written either.
    """
    waiting = list(jobs)
    while waiting:
        done: set[str] = set()
        for job, records in _pool(waiting, workers):
            done.add(job.name)
            yield job, records
        waiting = [job for job in waiting if job.name not in done]
        # A broken pool does not say who broke it: each worker held one file, one was queued.
        suspects, waiting = waiting[: workers + 1], waiting[workers + 1 :]
        for suspect in suspects:
            yield from _pool([suspect], 1)


def worker_pool(workers: int, limits: WorkerLimits | None = None) -> ProcessPoolExecutor:
    """Worker processes with one thread each, that leave Ctrl-C to their parent.

    `limits`: of each of them; None: those of a worker that redacts.
    """
    for name in _ONE_THREAD:
        os.environ.setdefault(name, "1")
    return ProcessPoolExecutor(
        max_workers=workers,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_prepare_worker,
        initargs=(limits,),
    )


def _pool(jobs: Sequence[FileJob], workers: int) -> Results:
    """Results of one pool; ends early when the pool breaks."""
    pool = worker_pool(max(1, min(workers, len(jobs))))
    futures: dict[Future[list[PageRecord]], FileJob] = {}
    try:
        with _unless_broken(pool):
            for job in jobs:
                futures[pool.submit(redact_file, job)] = job
        for future in as_completed(futures):
            try:
                records = future.result()
            except BrokenProcessPool:
                continue
            yield futures[future], records
    finally:
        workers_left = list((pool._processes or {}).values())
        unfinished = any(not future.done() for future in futures)
        pool.shutdown(wait=not unfinished, cancel_futures=True)
        if unfinished:
            for process in workers_left:
                process.kill()


@contextlib.contextmanager
def _unless_broken(pool: ProcessPoolExecutor) -> Iterator[None]:
    """Errors of handing in are those of a pool that broke meanwhile; any other is raised.

    A worker may die while files are still handed in. The pool then closes its pipes, and a worker
    that `submit` is just starting inherits closed descriptors: a ValueError or OSError.
    """
    try:
        yield
    except (BrokenProcessPool, ValueError, OSError):
        if not pool._broken:
            raise


def _prepare_worker(limits: WorkerLimits | None) -> None:
    """Ctrl-C is the parent's to handle; when the parent is killed, its workers end as well.

    What the worker may use is limited (limits.py), because it opens what strangers sent.

    An orphan would do all files that are queued, beside the workers of a resumed run, and then
    wait for ever.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with_parent()
    confine(limits)
