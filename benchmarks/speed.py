"""Measures what the whole pipeline costs over bare detection and recognition of the same pages.

    python -m benchmarks.speed [FOLDER] [--pages N] [--flat N] [--splits]

Bare inference is PaddleOCR's own TextDetection and TextRecognition on the page as it is read
(upright, the settings of OCR.md), without our decoder, layers, orientation or masks. Pages of one
process are measured by turns, so that other load on the machine meets both alike; the ratio is
the median over the pages of CPU seconds. --flat N reads N pages in one process and fits the growth
of its memory. --splits compares processes x threads. Every page's cost starts from its file.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from redactor.applicant import Applicant
from redactor.identity import Identity, identity_of
from redactor.loading import count_pages, load_page
from redactor.masking import encode
from redactor.model_files import model_dir
from redactor.page import Image, Kind
from redactor.pipeline import find_text, redact_page
from redactor.profile import STRICT, Profile
from redactor.proof import prove
from redactor.reading import DETECTION, RECOGNITION, crop_line, reading_direction, shared_reader
from redactor.reading_cache import ReadingCache
from redactor.upright import turn

SUFFIXES = {".jpg", ".jpeg", ".png", ".tif", ".pdf"}


def somebody() -> Identity:
    """An applicant with all fields, so that matching has all its terms to look for."""
    return identity_of(
        Applicant(
            1,
            1,
            "阿布都热合曼·买买提",
            "巴音郭楞蒙古自治州林业和草原局",
            id_number="652801198503151236",
            phones=("13900001234",),
            emails=("abdurahman@example.com",),
            former_units=("新疆维吾尔自治区第三地质大队",),
        ),
        STRICT.identity_settings(),
    )


class Bare:
    """PaddleOCR's two models alone, as its pipeline runs them."""

    def __init__(self) -> None:
        from paddleocr import TextDetection, TextRecognition

        shared_reader()  # sets the environment that keeps PaddleOCR off the network
        common: dict[str, Any] = {
            "engine": "onnxruntime",
            "engine_config": {"intra_op_num_threads": 1, "enable_cpu_mem_arena": False},
        }
        self._detection = TextDetection(
            model_name=DETECTION, model_dir=str(model_dir(DETECTION)), **common
        )
        self._recognition = TextRecognition(
            model_name=RECOGNITION, model_dir=str(model_dir(RECOGNITION)), **common
        )

    def read(self, pixels: Image) -> int:
        """Detects and recognises all lines of an upright page; their number."""
        (found,) = self._detection.predict(
            pixels,
            limit_side_len=1280,
            limit_type="max",
            thresh=0.2,
            box_thresh=0.45,
            unclip_ratio=1.4,
        )
        quads = [np.asarray(poly, dtype=np.float64) for poly in found["dt_polys"]]
        for quad in quads:
            self._recognition.predict(crop_line(pixels, reading_direction(quad)[0]), batch_size=1)
        return len(quads)


VISUAL = frozenset({Kind.EYES, Kind.FACE, Kind.SEAL, Kind.CODE})
TEXT_ONLY = replace(STRICT, kinds=STRICT.kinds - VISUAL)
"""The profile without the finders that look at pictures."""


def whole(
    path: Path,
    number: int,
    identity: Identity,
    cache: ReadingCache | None,
    profile: Profile = STRICT,
) -> Any:
    """One page's whole way: load, read, find, mask, encode, prove."""
    source = load_page(path, number)
    page = redact_page(source, identity, profile, shared_reader, cache)
    data = encode(page.masked, "jpg", source.dpi)
    prove(data, page.masked, [finding.quad for finding in page.findings])
    return page


def timed(work: Callable[[], Any]) -> tuple[float, float, Any]:
    """(seconds, CPU seconds, result)."""
    wall, cpu = time.perf_counter(), time.process_time()
    result = work()
    return time.perf_counter() - wall, time.process_time() - cpu, result


def ratios(pages: list[tuple[Path, int]]) -> None:
    """Prints the cost of the whole way over bare inference, and of matching from the cache."""
    bare, identity = Bare(), somebody()
    rows, rematches = [], []
    with tempfile.TemporaryDirectory() as scratch:
        cache = ReadingCache(Path(scratch))
        first = load_page(*pages[0]).pixels
        bare.read(first)
        whole(*pages[0], identity, None)
        for path, number in pages:
            wall, cpu, page = timed(partial(whole, path, number, identity, None))
            _, text_cpu, _ = timed(partial(whole, path, number, identity, cache, TEXT_ONLY))
            upright = turn(load_page(path, number).pixels, page.reading.rotation)
            bare_wall, bare_cpu, _ = timed(partial(bare.read, upright))
            _, again, _ = timed(partial(_rematch, page.reading, identity))
            rows.append((wall, cpu, bare_wall, bare_cpu, again, text_cpu))
            if bare_cpu > 0.05:
                rematches.append(bare_cpu / max(again, 1e-6))
    read = [row for row in rows if row[3] > 0.05]  # a blank page has nothing to compare with
    ratio = statistics.median(row[1] / row[3] for row in read)
    text_ratio = statistics.median(row[5] / row[3] for row in read)
    total = [sum(column) for column in zip(*rows, strict=True)]
    n = len(rows)
    print(f"{n} pages, one process, one thread")
    print(f"whole way:       {total[0] / n:.3f} s, {total[1] / n:.3f} CPU-s a page")
    print(f"bare inference:  {total[2] / n:.3f} s, {total[3] / n:.3f} CPU-s a page")
    print(f"whole over bare: median {ratio:.2f}, of the sums {total[1] / total[3]:.2f}")
    print(f"text only over bare: median {text_ratio:.2f}, of the sums {total[5] / total[3]:.2f}")
    print(f"matching anew:   {1000 * total[4] / n:.1f} ms a page, ", end="")
    print(f"median {statistics.median(rematches):.0f} times faster than bare reading")


def _rematch(reading: Any, identity: Identity) -> list[Any]:
    return list(find_text(reading, identity, STRICT))


def flatness(pages: list[tuple[Path, int]], count: int) -> None:
    """Prints peak memory and its growth over `count` pages of one process."""
    identity = somebody()
    sizes = []
    for i in range(count):
        whole(*pages[i % len(pages)], identity, None)
        sizes.append(_resident())
    settled = sizes[len(sizes) // 5 :]
    slope = float(np.polyfit(range(len(settled)), settled, 1)[0]) * 100
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{count} pages: peak {peak:.0f} MB, growth {slope:.2f} MB per 100 pages after warm-up")


def _resident() -> float:
    with Path("/proc/self/statm").open() as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def splits(pages: list[tuple[Path, int]]) -> None:
    """Prints pages a minute of processes x threads on all cores."""
    cores = os.cpu_count() or 1
    for processes, threads in sorted({(cores, 1), (1, cores), (1, 1)}, reverse=True):
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(processes, context, _set_up, (threads,)) as pool:
            list(pool.map(_split_page, pages[:processes]))
            start = time.perf_counter()
            list(pool.map(_split_page, pages))
            seconds = time.perf_counter() - start
        print(
            f"{processes} processes x {threads} threads: "
            f"{60 * len(pages) / seconds:.0f} pages a minute, {seconds / len(pages):.2f} s a page"
        )


def _set_up(threads: int) -> None:
    os.environ["OMP_NUM_THREADS"] = str(threads)
    shared_reader(threads)


def _split_page(page: tuple[Path, int]) -> None:
    path, number = page
    threads = int(os.environ["OMP_NUM_THREADS"])
    redact_page(load_page(path, number), somebody(), STRICT, partial(shared_reader, threads))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=Path("sample_scans/set/scans"))
    parser.add_argument("--pages", type=int, default=1000)
    parser.add_argument("--flat", type=int, default=0)
    parser.add_argument("--splits", action="store_true")
    arguments = parser.parse_args()
    files = sorted(p for p in arguments.folder.rglob("*") if p.suffix.lower() in SUFFIXES)
    pages = [(path, number) for path in files for number in range(count_pages(path))]
    pages = pages[: arguments.pages]
    if arguments.splits:
        splits(pages)
    elif arguments.flat:
        flatness(pages, arguments.flat)
    else:
        ratios(pages)


if __name__ == "__main__":
    main()
