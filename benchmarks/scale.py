"""Pages a minute over 1, 2 and 4 workers of a dask scheduler, and what one page costs each part.

    python -m benchmarks.scale [SCANS ROSTER] [--workers 1 2 4] [--files N] [--exchange folder|s3]
                               [--chart docs/scale.svg] [--json FILE]
    python -m benchmarks.scale --overhead N

Everything runs on this machine: the scheduler, the workers (one thread each) and the run itself;
more workers than cores tell what sharing a core costs, not what a machine more would bring. CPU
seconds hardly change with other load on the machine, pages a minute do; the load is printed. Models
are loaded before the clock starts, because a worker loads them once. --overhead sends N files that
need no reading, to measure what the run and the scheduler can do at most.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from redactor.batch import Order, redact  # noqa: E402
from redactor.cluster import Cluster  # noqa: E402
from redactor.file_job import FileJob, redact_file  # noqa: E402
from redactor.identity import Identity  # noqa: E402
from redactor.intake import open_scans  # noqa: E402
from redactor.profile import STRICT  # noqa: E402
from redactor.vault import Vault  # noqa: E402
from tests.dask_processes import Dask, running, s3_server  # noqa: E402

BUCKET = "scale"
RESULTS = ("cache", "copies", "thumbnails", "review")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("scans", nargs="?", type=Path, default=ROOT / "sample_scans/set/scans")
    parser.add_argument(
        "roster", nargs="?", type=Path, default=ROOT / "sample_scans/set/roster.xlsx"
    )
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--files", type=int, default=24, help="of each run, about")
    parser.add_argument("--exchange", choices=("folder", "s3"), default="folder")
    parser.add_argument("--overhead", type=int, default=0, metavar="N")
    parser.add_argument("--chart", type=Path)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    rows = []
    with (
        tempfile.TemporaryDirectory(prefix="mangping-scale-") as name,
        _store(asked.exchange, Path(name)) as url,
    ):
        if asked.overhead:
            _overhead(asked.overhead, Path(name), url)
            return
        scans = _some(asked.scans, Path(name) / "scans", asked.files)
        print(f"{os.cpu_count()} cores, exchange: {asked.exchange}")
        for count in asked.workers:
            rows.append(_run(count, scans, asked.roster, Path(name) / str(count), url))
            print(_line(rows[-1]), flush=True)
    if asked.json:
        asked.json.write_text(json.dumps(rows, indent=1) + "\n", "utf-8")
    if asked.chart:
        draw(rows, asked.chart)


@contextlib.contextmanager
def _store(kind: str, folder: Path) -> Iterator[str]:
    """The URL of an exchange; an S3 server in this process costs this process CPU seconds."""
    if kind == "folder":
        yield (folder / "exchange").as_uri()
        return
    with s3_server(BUCKET) as environment:
        os.environ.update(environment)
        yield f"s3://{BUCKET}/office"


def _some(scans: Path, target: Path, files: int) -> Path:
    """Links to the first applicants' folders, until there are `files` files."""
    target.mkdir(parents=True)
    with open_scans(scans) as intake:
        taken: dict[str, int] = {}
        for file in intake.files:
            if sum(taken.values()) >= files and file.folder not in taken:
                break
            taken[file.folder] = taken.get(file.folder, 0) + 1
    for folder in taken:
        (target / folder).mkdir()
        for path in (scans / folder).rglob("*"):
            place = target / folder / path.relative_to(scans / folder)
            if path.is_dir():
                place.mkdir(exist_ok=True)
            else:
                place.parent.mkdir(exist_ok=True, parents=True)
                os.link(path, place) if _same_disk(path, target) else place.write_bytes(
                    path.read_bytes()
                )
    return target


def _same_disk(a: Path, b: Path) -> bool:
    return a.stat().st_dev == b.stat().st_dev


def _run(count: int, scans: Path, roster: Path, folder: Path, url: str) -> dict[str, Any]:
    """One run on `count` workers."""
    with running(folder / "dask") as dask:
        for number in range(count):
            dask.add_worker(f"worker-{number}")
        dask.client.run(_warm)
        before = _cpu(dask)
        order = Order(
            scans, roster, folder / "blind", folder / "vault", STRICT, 1, False, "jpg",
            dask.address, url,
        )  # fmt: skip
        outcome = redact(order, lambda done, total: None)
        after = _cpu(dask)
        memory = max(dask.client.run(_memory).values())
    pages = len(outcome.pages)
    back = sum(
        path.stat().st_size
        for root in (order.blind, *(order.vault / name for name in RESULTS))
        for path in root.rglob("*")
        if path.is_file()
    )
    return {
        "workers": count,
        "pages": pages,
        "seconds": outcome.seconds,
        "pages_a_minute": 60 * pages / outcome.seconds,
        **{f"{part}_cpu": (after[part] - before[part]) / pages for part in after},
        "out_kb": sum(p.stat().st_size for p in scans.rglob("*") if p.is_file()) / pages / 1e3,
        "back_kb": back / pages / 1e3,
        "worker_mb": memory,
        "load": os.getloadavg()[0],
    }


def _line(row: dict[str, Any]) -> str:
    return (
        f"{row['workers']} workers: {row['pages']} pages in {row['seconds']:.1f} s, "
        f"{row['pages_a_minute']:.1f} pages a minute (load of the machine {row['load']:.1f}); "
        f"CPU-s a page: workers {row['workers_cpu']:.2f}, run {row['run_cpu']:.3f}, scheduler "
        f"{row['scheduler_cpu']:.4f}; kB a page: out {row['out_kb']:.0f}, back "
        f"{row['back_kb']:.0f}; largest worker {row['worker_mb']:.0f} MB"
    )


def _cpu_of_page(row: dict[str, Any]) -> float:
    return float(row["workers_cpu"] + row["run_cpu"] + row["scheduler_cpu"])


def _cpu(dask: Dask) -> dict[str, float]:
    """CPU seconds that each part has used so far."""
    return {
        "workers": sum(dask.client.run(time.process_time).values()),
        "run": time.process_time(),
        "scheduler": dask.client.run_on_scheduler(time.process_time),
    }


def _warm() -> None:
    from redactor.reading import second_reader, shared_reader

    shared_reader(1)
    second_reader(1)


def _memory() -> float:
    """The largest memory that this process has had, MB."""
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _overhead(count: int, folder: Path, url: str) -> None:
    """What `count` files cost beside their reading: each is a web page, which is refused."""
    vault = Vault(folder / "vault")
    vault.create(resume=False)
    jobs = []
    for number in range(count):
        path = folder / f"{number}.jpg"
        path.write_bytes(b"<html></html>" + bytes(300_000))
        jobs.append(
            FileJob(
                path, path.name, "", 1, "K7QF-3M", Identity(1, ()), STRICT, "jpg",
                vault.staging, vault.thumbnails, vault.cache, vault.copies, f"{number}",
            )
        )  # fmt: skip
    with running(folder / "dask") as dask:
        dask.add_worker("worker")
        cluster = Cluster(dask.address, url)
        cluster.submit(redact_file, jobs[0]).result()
        before, start = _cpu(dask), time.perf_counter()
        done = sum(1 for _ in cluster.run_jobs(jobs))
        seconds, after = time.perf_counter() - start, _cpu(dask)
        cluster.shutdown()
    assert done == count
    parts = ", ".join(f"{part} {1000 * (after[part] - before[part]) / count:.1f}" for part in after)
    print(
        f"{count} files of 300 kB: {count / seconds * 60:.0f} files a minute with one worker "
        f"(load of the machine {os.getloadavg()[0]:.1f}); CPU-ms a file: {parts}"
    )


def draw(rows: list[dict[str, Any]], path: Path) -> None:
    """The chart of docs/SCALE.md: pages a minute, and what the CPU seconds give on free cores."""
    import matplotlib

    matplotlib.use("Agg")
    matplotlib.rcParams["svg.hashsalt"] = "mangping"
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(6, 3.6), layout="constrained")
    counts = [row["workers"] for row in rows]
    cores = os.cpu_count() or 1
    bars = axes.bar(range(len(rows)), [row["pages_a_minute"] for row in rows], 0.5, color="#2f6690")
    axes.bar_label(bars, fmt="%.1f", padding=2)
    bars.set_label("measured, beside other load")
    free = [60 * min(row["workers"], cores) / _cpu_of_page(row) for row in rows]
    axes.plot(range(len(rows)), free, "o", color="#d1495b", label="by CPU seconds, on free cores")
    for place, value in enumerate(free):
        axes.annotate(f"{value:.1f}", (place, value), (8, -3), textcoords="offset points")
    axes.legend(frameon=False, loc="upper left")
    axes.set_xticks(range(len(rows)), [str(count) for count in counts])
    axes.set_xlabel(f"workers, all on one machine with {cores} cores")
    axes.set_ylabel("pages a minute")
    axes.spines[["top", "right"]].set_visible(False)
    axes.margins(y=0.35)
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)
    pyplot.close(figure)


if __name__ == "__main__":
    main()
