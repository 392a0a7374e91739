"""Work that goes wrong in ways of its own, by name, as workers must be able to import it."""

from __future__ import annotations

import os
import signal
from dataclasses import replace

from redactor.errors import Sentence
from redactor.file_job import FileJob, PageRecord, failed, redact_file

SECRET = "诸葛晓岚"


def kill_worker(job: FileJob) -> list[PageRecord]:
    os.kill(os.getpid(), signal.SIGKILL)
    return []


def lie(job: FileJob) -> list[PageRecord]:
    """Another page than the record's."""
    (job.staging / "a.jpg").write_bytes(b"other pixels")
    record = failed(job, 0, Sentence("", ""), 0.0)
    return [replace(record, staged="a.jpg", sha256="0" * 64)]


def stumble(job: FileJob) -> list[PageRecord]:
    raise ValueError(f"{SECRET} in the error, and in {job.relative}")


def readers(job: FileJob) -> list[PageRecord]:
    """The number of readers that this process has ever loaded, in place of a page's number."""
    from redactor.reading import shared_reader

    records = redact_file(job)
    info = shared_reader.cache_info()
    return [replace(r, source_page=info.misses, prints=os.getpid()) for r in records]


def memory_bound() -> int:
    """Bytes of data that this process may have; Linux only."""
    import resource

    return resource.getrlimit(resource.RLIMIT_DATA)[0]
