"""Asks both apps for everything in odd ways; exits with 1 when an answer is 500 or above.

    python -m benchmarks.crawl [--times N] [--start SEED] [--app office|review|both]

Each address is asked N times by everybody who may use it (tests/webapp/crawl.py says how). The
same seed asks the same again. Prints how many answers of each status came, and every fault.
"""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--times", type=int, default=40)
    parser.add_argument("--start", type=int, default=0)
    parser.add_argument("--app", choices=("office", "review", "both"), default="both")
    asked = parser.parse_args()
    logging.disable(logging.CRITICAL)  # faults are told below, each once

    from tests.webapp.crawl_rounds import crawl_office, crawl_review, new_office, new_review

    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        for name in ("office", "review"):
            if asked.app not in (name, "both"):
                continue
            began = time.process_time()
            more = {"times": asked.times, "start": asked.start}
            if name == "office":
                crawl = crawl_office(*new_office(Path(folder)), **more)
            else:
                crawl = crawl_review(*new_review(Path(folder)), **more)
            for fault in crawl.faults:
                print(fault, end="\n\n")
            wrong += len(crawl.faults)
            statuses = dict(sorted(crawl.statuses.items()))
            seconds = time.process_time() - began
            print(f"{name}: {crawl.asked} requests, {seconds:.0f} CPU s, {statuses}", flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
