"""Makes a set of sample scans with roster and truth: `python -m sample_scans.generate`."""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path
from random import Random

from sample_scans.dossier import PLANS, WIDE_PLANS, plans_for, write_dossier
from sample_scans.fonts import Fonts
from sample_scans.people import make_people
from sample_scans.roster_sheet import write_roster
from sample_scans.truth import PageTruth, Truth, save_truth

DEFAULT_OUT = Path(__file__).parent / "set"


def generate(
    out: Path,
    seed: int,
    applicants: int = 6,
    files: int = len(PLANS),
    debian: bool = True,
    wide: bool = False,
) -> None:
    """Write `out`/scans, `out`/roster.xlsx and `out`/truth.json.gz, replacing what was there.

    The same arguments and fonts give the same bytes; another seed gives other people, texts and
    degradations. `files` is the number of files an applicant hands in; `debian` allows the fonts
    of Debian packages beside those of PyPI. `wide` is for measuring: all files, more page types and
    degradations, and each seed begins with another sort of name.
    """
    scans = out / "scans"
    if scans.exists():
        shutil.rmtree(scans)
    scans.mkdir(parents=True)
    fonts = Fonts(debian)
    people = make_people(Random(f"people/{seed}"), applicants, seed * applicants if wide else 0)
    pages: list[PageTruth] = []
    for index, person in enumerate(people):
        plans = WIDE_PLANS if wide else plans_for(index, files)
        pages += write_dossier(scans, person, index, seed, plans, fonts, wide)
    write_roster(out / "roster.xlsx", people)
    save_truth(Truth(seed, tuple(pages)), out / "truth.json.gz")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m sample_scans.generate", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="another seed, another set")
    parser.add_argument("--out", type=Path, default=DEFAULT_OUT)
    parser.add_argument("--applicants", type=int, default=8)
    parser.add_argument("--files", type=int, default=8, help="files an applicant hands in")
    parser.add_argument("--pypi-fonts", action="store_true", help="no fonts of Debian packages")
    args = parser.parse_args()
    generate(args.out, args.seed, args.applicants, args.files, not args.pypi_fonts)


if __name__ == "__main__":
    main()
