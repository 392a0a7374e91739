"""How long a large round takes, and how much memory: run by hand, `python benchmarks/tally.py`.

Bound: 20,000 candidates x 9 sheets x 12 criteria tallied in under 20 s and 1 GB, linear in the
number of sheets. Each size runs in a process of its own, so that its peak memory is its own.
"""

from __future__ import annotations

import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from fractions import Fraction
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from scoring.outputs import json_text
from scoring.policy import Policy
from scoring.result_json import tally_document, verify_document
from scoring.round import Candidate, Committee, DefenceScore, Round, Sheet
from scoring.tally import tally
from scoring.workbook import write_workbook

SIZES = (2_000, 5_000, 10_000, 20_000)
SHEETS, CRITERIA, JUDGES = 9, 12, 5
# Candidates of one specialty: what a province's committee has, whatever the whole number.
PER_SPECIALTY = 200


def made_up(count: int) -> tuple[Round, Policy]:
    """A seeded round: three of four defended, one of four is given the average."""
    dice = random.Random(count)
    points = [Fraction(n, 2) for n in range(21)]
    names = [f"c{n}" for n in range(CRITERIA)]
    rubric = [{"id": name, "name": name, "max": "10", "step": "0.5"} for name in names]
    policy = Policy.model_validate(
        {
            "name": "benchmark",
            "exemption": [{"ground": "service", "clause": "benchmark"}],
            "defence": {
                "mode": "scored",
                "max": "10",
                "substitution": {"grounds": ["service"], "clause": "benchmark"},
            },
            "criterion": rubric,
            "decision": {"rule": "score", "pass_score": "60"},
        }
    )
    codes = [f"K{n:06d}" for n in range(count)]
    exempt = {code for n, code in enumerate(codes) if n % 4 == 0}
    candidates = tuple(
        Candidate(
            code,
            f"S{n // PER_SPECIALTY}",
            "中级",
            "exempt" if code in exempt else "attended",
            "service" if code in exempt else None,
        )
        for n, code in enumerate(codes)
    )
    sheets = tuple(
        Sheet(f"R{n}", code, dict(zip(names, dice.choices(points, k=CRITERIA), strict=True)))
        for code in codes
        for n in range(SHEETS)
    )
    scores = tuple(
        DefenceScore(f"J{n}", code, dice.choice(points))
        for code in codes
        if code not in exempt
        for n in range(JUDGES)
    )
    return Round(2024, candidates, Committee(11, 9), sheets, defence_scores=scores), policy


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(count: int, files: bool) -> dict[str, float]:
    """Seconds and peak megabytes of the tally, and of writing and verifying its files."""
    round_, policy = made_up(count)
    base = peak_mb()
    start = time.perf_counter()
    result = tally(round_, policy)
    found = {"tally": time.perf_counter() - start, "round_mb": base, "tally_mb": peak_mb()}
    if not files:
        return found
    with tempfile.TemporaryDirectory() as name:
        start = time.perf_counter()
        document = tally_document(round_, policy, result)
        text = json_text(document)
        (Path(name) / "r.json").write_text(text, encoding="utf-8")
        found["json"] = time.perf_counter() - start
        found["json_size_mb"] = len(text) / 1e6
        hashes = (document["sha256"], document["input_sha256"])
        del document
        start = time.perf_counter()
        write_workbook(Path(name) / "r.xlsx", round_, policy, result, hashes)
        found["workbook"] = time.perf_counter() - start
        found["workbook_size_mb"] = (Path(name) / "r.xlsx").stat().st_size / 1e6
    start = time.perf_counter()
    if not verify_document(text).equal:
        raise AssertionError("the tally does not verify")
    found["verify"] = time.perf_counter() - start
    found["all_mb"] = peak_mb()
    return found


def main() -> None:
    """Print one line per size; with a size as argument, measure that one and print JSON."""
    if len(sys.argv) > 1:
        print(json.dumps(measure(int(sys.argv[1]), files="--files" in sys.argv)))
        return
    print(f"{SHEETS} sheets x {CRITERIA} criteria each")
    print("candidates  tally s  us/sheet  peak MB | with files: json s  xlsx s  verify s  peak MB")
    for count in SIZES:
        runs = []
        for more in ([], ["--files"]):
            words = [sys.executable, __file__, str(count), *more]
            runs.append(json.loads(subprocess.run(words, check=True, capture_output=True).stdout))
        plain, files = runs
        print(
            f"{count:10,d}  {plain['tally']:7.2f}  {plain['tally'] / count / SHEETS * 1e6:8.1f}"
            f"  {plain['tally_mb']:7.0f} |             {files['json']:6.1f}"
            f"  {files['workbook']:6.1f}  {files['verify']:8.1f}  {files['all_mb']:7.0f}"
        )
        print(
            f"            RESULT.json {files['json_size_mb']:.0f} MB, "
            f"RESULT.xlsx {files['workbook_size_mb']:.0f} MB"
        )


if __name__ == "__main__":
    main()
