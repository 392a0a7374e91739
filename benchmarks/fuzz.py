"""Feeds damaged files to everything that reads files of strangers; exits with 1 for what is wrong.

    python -m benchmarks.fuzz [--times N] [--start SEED] [--only NAME ...]

Each reader (tests/fuzzing.py) runs in a process of its own with 2 GB of memory and 20 CPU seconds
for a file, so that a crash, a hang or a memory hog is a finding as well as an error that is not the
reader's own. The same seed reads the same files. The file that did it is kept below --keep, with
what was said of it.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import tempfile
import traceback
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

AT_ONCE = 200
"""Files of one seed: what is found ends only these."""


def main() -> int:
    from tests.fuzzing import TARGETS

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--times", type=int, default=2_000)
    parser.add_argument("--start", type=int, default=0)
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--keep", type=Path, default=Path(tempfile.gettempdir()) / "fuzz-found")
    asked = parser.parse_args()
    asked.keep.mkdir(parents=True, exist_ok=True)
    context = multiprocessing.get_context("spawn")
    wrong = 0
    for target in TARGETS:
        if asked.only and target.name not in asked.only:
            continue
        began, seeds = _children_seconds(), range(asked.start, asked.start + asked.times // AT_ONCE)
        for start in seeds:
            last = asked.keep / f"{target.name.replace(' ', '-')}-{start}.bin"
            process = context.Process(target=_explore, args=(target.name, start, last))
            process.start()
            process.join()
            if process.exitcode == 0:
                last.unlink(missing_ok=True)
                last.with_suffix(".txt").unlink(missing_ok=True)
            else:
                wrong += 1
                print(f"{target.name}: seed {start}, exit {process.exitcode}, {last}", flush=True)
        seconds, files = _children_seconds() - began, len(seeds) * AT_ONCE
        print(f"{target.name}: {files} files, {seconds:.0f} CPU s", flush=True)
    return 1 if wrong else 0


def _children_seconds() -> float:
    """CPU seconds of the processes that ended, their start included; 0 on Windows."""
    times = os.times()
    return times.children_user + times.children_system


def _explore(name: str, start: int, last: Path) -> None:
    """Reads the files of one seed; the file that is being read stands in `last`."""
    with last.with_suffix(".txt").open("wb", buffering=0) as said:
        os.dup2(said.fileno(), 2)  # decoders say much of files that are rightly refused
    from redactor import limits
    from tests.fuzzing import TARGETS, Target, explore

    (target,) = (target for target in TARGETS if target.name == name)
    target.files()  # imports and samples do not count
    limits.confine(limits.WorkerLimits(memory=2 * 2**30, page_seconds=20, grace=5))

    def read(data: bytes, folder: Path) -> object:
        last.write_bytes(data)
        with limits.time_limit():
            return target.read(data, folder)

    with tempfile.TemporaryDirectory() as folder:
        bounded = Target(target.name, target.files, read, target.errors)
        try:
            explore(bounded, Path(folder), times=AT_ONCE, start=start)
        except Exception as error:  # hypothesis would print the whole file
            error.__notes__ = []
            traceback.print_exception(error)
            sys.exit(1)


if __name__ == "__main__":
    raise SystemExit(main())
