"""`mangping inspect`: the command line over inspection.py, with progress and exit codes."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from redactor.errors import ExitCode, RedactorError, Sentence

SECONDS_BETWEEN_LINES = 5.0


def inspect_command(
    blind: Annotated[Path, typer.Argument(help="盲评材料文件夹 / folder of blind dossiers")],
) -> None:
    """重新核验盲评材料，不需要保险库。 Prove blind dossiers again, without the vault."""
    try:
        code = _run(blind)
    except RedactorError as error:
        _say(error)
        code = error.exit_code
    except KeyboardInterrupt:
        _say(Sentence("已中断，未核验完。", "Interrupted; not everything was inspected."))
        code = ExitCode.INTERRUPTED
    raise typer.Exit(int(code))


def _run(blind: Path) -> ExitCode:
    from redactor.inspection import inspect

    console = Console(stderr=True)
    if console.is_terminal:
        with Progress(
            TextColumn(str(Sentence("核验", "Inspecting"))),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=console,
            transient=True,
        ) as bar:
            task = bar.add_task("", total=None)
            outcome = inspect(
                blind, lambda done, total: bar.update(task, completed=done, total=total)
            )
    else:
        outcome = inspect(blind, _Lines().update)
    for problem in outcome.problems:
        _say(f"{problem.file}: {problem.sentence}")
    numbers = f"{outcome.dossiers} 份材料，{outcome.pages} 页"
    english = f"{outcome.dossiers} dossiers, {outcome.pages} pages"
    if outcome.ok:
        _say(Sentence(f"{numbers}：全部通过核验。", f"{english}: everything holds."))
        return ExitCode.OK
    count = len(outcome.problems)
    _say(
        Sentence(
            f"{numbers}：发现 {count} 个问题，请勿交给评委。",
            f"{english}: {count} problems; do not hand them to reviewers.",
        )
    )
    return ExitCode.FAILED


class _Lines:
    """Progress as plain lines, one every few seconds."""

    def __init__(self) -> None:
        self._said = time.monotonic()

    def update(self, done: int, total: int) -> None:
        """Says that `done` of `total` pages are inspected."""
        now = time.monotonic()
        if now - self._said >= SECONDS_BETWEEN_LINES:
            self._said = now
            _say(Sentence(f"{done}/{total} 页", f"{done}/{total} pages"))


def _say(what: object) -> None:
    print(what, file=sys.stderr, flush=True)
