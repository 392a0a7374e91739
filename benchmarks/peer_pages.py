"""What the peers' scripts share: opening pages, and sharing them out to processes.

Runs in the environment that peers.py builds, so it imports nothing of mangping.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import time
import traceback
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

Job = dict[str, Any]
"""A page: file, page (from 0), dpi (of a PDF page), name (of its output), terms."""
Make = Callable[[argparse.Namespace], Any]
Redact = Callable[[Any, Job, Path], None]

_worker: dict[str, Any] = {}


def open_page(job: Job) -> Any:
    """A page as an RGB picture, turned as its EXIF says; a PDF page as rendered at `dpi`."""
    from PIL import Image, ImageOps

    path = Path(job["file"])
    if path.suffix.lower() == ".pdf":
        import pypdfium2

        with pypdfium2.PdfDocument(path) as document:
            return document[job["page"]].render(scale=job["dpi"] / 72).to_pil().convert("RGB")
    with Image.open(path) as image:
        image.seek(job["page"])
        return ImageOps.exif_transpose(image).convert("RGB")


def run_jobs(parser: argparse.ArgumentParser, make: Make, redact: Redact) -> None:
    """Masks all pages of JOBS; OUT/seconds.json gets each page's seconds, null where it failed.

    `make` gives each process its engine; `redact` masks one page from its file to OUT.
    """
    parser.add_argument("jobs", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--threads", type=int, default=0, help="0: the tool's own default")
    arguments = parser.parse_args()
    jobs = json.loads(arguments.jobs.read_text(encoding="utf-8"))
    arguments.out.mkdir(parents=True, exist_ok=True)
    context = multiprocessing.get_context("spawn")
    start = (make, redact, arguments)
    with ProcessPoolExecutor(arguments.processes, context, _start, start) as pool:
        seconds = list(pool.map(_page, jobs))
    (arguments.out / "seconds.json").write_text(json.dumps(seconds))


def _start(make: Make, redact: Redact, arguments: argparse.Namespace) -> None:
    if arguments.threads:
        for variable in ("OMP_THREAD_LIMIT", "OMP_NUM_THREADS"):
            os.environ[variable] = str(arguments.threads)
    _worker.update(engine=make(arguments), redact=redact, out=arguments.out)


def _page(job: Job) -> float | None:
    start = time.perf_counter()
    try:
        _worker["redact"](_worker["engine"], job, _worker["out"])
    except Exception:  # a page that a peer cannot do is a result, too
        traceback.print_exc()
        return None
    return time.perf_counter() - start
