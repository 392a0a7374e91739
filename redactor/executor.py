"""Where the work on files is done: processes of this machine, or workers on several machines."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from redactor.errors import UsageError
from redactor.file_job import FileJob
from redactor.workers import Results, run_jobs

if TYPE_CHECKING:
    from redactor.cluster import Cluster

LOCAL = "local"

RunJobs = Callable[[Sequence[FileJob]], Results]
"""Does jobs and gives (job, its records) as they are finished; what kills its workers is left
out. OutputError when nothing further can be written."""


@contextmanager
def open_executor(executor: str, workers: int, exchange: str) -> Iterator[RunJobs]:
    """`executor`: local, or a scheduler's address; UsageError when it cannot be used.

    `workers`: processes on this machine. `exchange`: URL of the store for workers elsewhere.
    """
    if executor == LOCAL:
        yield functools.partial(run_jobs, workers=workers)
        return
    cluster = connected(executor, exchange)
    try:
        yield cluster.run_jobs
    finally:
        cluster.shutdown(wait=False, cancel_futures=True)


def connected(address: str, exchange: str) -> Cluster:
    """The workers of a scheduler; UsageError when they cannot be reached."""
    try:
        from redactor.cluster import Cluster
    except ImportError as error:
        raise UsageError(
            "此处未安装多机运行所需的程序包。请运行 pip install 'mangping[scale]'。",
            "The packages for several machines are not installed here. Run "
            "pip install 'mangping[scale]'.",
        ) from error
    return Cluster(address, exchange)
