"""Measures what the whole pipeline costs over bare detection and recognition of the same pages.

    python -m benchmarks.speed [FOLDER] [--pages N] [--profile] [--flat N] [--splits]

Bare inference is PaddleOCR's own TextDetection and TextRecognition on the page as it is read
(upright, the settings of OCR.md), without our decoder, layers, orientation or masks. Pages of one
process are measured by turns, so that other load on the machine meets both alike; the ratio is
the median over the pages of CPU seconds. --profile says where the time goes, by stage. --flat N
reads N pages in one process and fits the growth of its memory. --splits compares processes x
threads. Every page's cost starts from its file.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import resource
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.stages import READING, VERIFY, VISUAL, somebody, watched, whole
from redactor import doctor
from redactor.identity import Identity
from redactor.loading import count_pages, load_page
from redactor.model_files import model_dir
from redactor.page import Image
from redactor.pipeline import redact_page
from redactor.profile import STRICT
from redactor.reading import (
    DETECTION,
    RECOGNITION,
    crop_line,
    engine,
    reading_direction,
    shared_reader,
)
from redactor.search import find_text
from redactor.upright import turn

SUFFIXES = {".jpg", ".jpeg", ".png", ".tif", ".pdf"}
LEAST = 0.05
"""CPU seconds of bare inference; a blank page takes less and has nothing to compare with."""
PARTS: dict[str, Callable[[str], bool]] = {
    "reading": lambda stage: stage in READING,
    "text finders": lambda stage: stage == "text finders",
    "visual finders": lambda stage: stage in VISUAL,
    "verify": lambda stage: stage.startswith(VERIFY),
    "files": lambda stage: stage in ("load", "mask", "encode", "prove", "quality", "rest"),
}
"""What the whole way consists of, by the stages of stages.py."""


class Bare:
    """PaddleOCR's two models alone, as its pipeline runs them."""

    def __init__(self) -> None:
        from paddleocr import TextDetection, TextRecognition

        shared_reader()  # sets the environment that keeps PaddleOCR off the network
        common: dict[str, Any] = {"engine": "onnxruntime", "engine_config": engine()}
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


def timed(work: Callable[[], Any]) -> tuple[float, float, Any]:
    """(seconds, CPU seconds, result)."""
    wall, cpu = time.perf_counter(), time.process_time()
    result = work()
    return time.perf_counter() - wall, time.process_time() - cpu, result


def ratios(pages: list[tuple[Path, int]]) -> None:
    """Prints the cost of the whole way over bare inference, of its parts, and of matching anew."""
    bare, identity = Bare(), somebody()
    rows: list[tuple[float, float, float, float, float]] = []
    stages: list[dict[str, float]] = []
    bare.read(load_page(*pages[0]).pixels)
    whole(*pages[0], identity)
    for path, number in pages:
        with watched() as watch:
            wall, cpu, page = timed(partial(whole, path, number, identity))
        upright = turn(load_page(path, number).pixels, page.reading.rotation)
        bare_wall, bare_cpu, _ = timed(partial(bare.read, upright))
        _, again, _ = timed(partial(_rematch, page.reading, identity))
        if bare_cpu > LEAST:
            rows.append((wall, cpu, bare_wall, bare_cpu, again))
            stages.append(watch.seconds)
    n = len(rows)
    mean = [sum(column) / n for column in zip(*rows, strict=True)]
    print(f"{n} of {len(pages)} pages (the others are blank), one process, one thread")
    print(f"whole way:       {mean[0]:.3f} s, {mean[1]:.3f} CPU-s a page")
    print(f"bare inference:  {mean[2]:.3f} s, {mean[3]:.3f} CPU-s a page")
    ratio = statistics.median(row[1] / row[3] for row in rows)
    print(f"whole over bare: median {ratio:.2f}, of the sums {mean[1] / mean[3]:.2f}")
    for name, chosen in PARTS.items():
        parts = [sum(v for k, v in page.items() if chosen(k)) for page in stages]
        shares = [part / row[3] for part, row in zip(parts, rows, strict=True)]
        print(
            f"  {name + ':':15}median {statistics.median(shares):.2f}, "
            f"of the sums {sum(parts) / n / mean[3]:.2f} of bare inference"
        )
    print(f"matching anew:   {1000 * mean[4]:.1f} ms a page, ", end="")
    faster = statistics.median(row[3] / max(row[4], 1e-6) for row in rows)
    print(f"median {faster:.0f} times faster than bare reading")


def where(pages: list[tuple[Path, int]]) -> None:
    """Prints a Markdown table of CPU seconds a page by stage."""
    identity = somebody()
    whole(*pages[0], identity)
    whole(*pages[-1], identity)
    with watched() as watch:
        _, cpu, _ = timed(lambda: [whole(*page, identity) for page in pages])
    print("| stage | CPU-ms a page | share |\n|---|---|---|")
    for stage, seconds in sorted(watch.seconds.items(), key=lambda entry: -entry[1]):
        print(f"| {stage} | {1000 * seconds / len(pages):.0f} | {100 * seconds / cpu:.1f} % |")
    print(f"| all | {1000 * cpu / len(pages):.0f} | 100 % |")


def _rematch(reading: Any, identity: Identity) -> list[Any]:
    return list(find_text(reading, identity, STRICT))


def flatness(pages: list[tuple[Path, int]], count: int) -> None:
    """Prints peak memory and its growth over `count` pages of one process."""
    identity = somebody()
    sizes = []
    for i in range(count):
        whole(*pages[i % len(pages)], identity)
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
    parser.add_argument("--profile", action="store_true", help="where the time goes")
    parser.add_argument("--flat", type=int, default=0)
    parser.add_argument("--splits", action="store_true")
    arguments = parser.parse_args()
    if lacking := doctor.main():
        raise SystemExit(lacking)
    files = sorted(p for p in arguments.folder.rglob("*") if p.suffix.lower() in SUFFIXES)
    pages = [(path, number) for path in files for number in range(count_pages(path))]
    pages = pages[: arguments.pages]
    if arguments.splits:
        splits(pages)
    elif arguments.profile:
        where(pages)
    elif arguments.flat:
        flatness(pages, arguments.flat)
    else:
        ratios(pages)


if __name__ == "__main__":
    main()
