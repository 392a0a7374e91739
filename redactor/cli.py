"""`mangping redact`: the command line over batch.py, with progress, sentences and exit codes."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from redactor.errors import ExitCode, RedactorError, Sentence
from redactor.executor import LOCAL
from redactor.page import State
from redactor.profile import profile_named

if TYPE_CHECKING:
    from redactor.batch import Order


class FileFormat(StrEnum):
    """Formats of blind pages."""

    JPG = "jpg"
    PNG = "png"


class ProfileName(StrEnum):
    """The shipped profiles."""

    STRICT = "strict"
    NOTICE = "notice"


class FaceMask(StrEnum):
    """What of a face is masked."""

    EYES = "eyes"
    FULL = "full"


class SealMask(StrEnum):
    """How a seal is masked."""

    SOLID = "solid"
    LIFT = "lift"


def redact_command(
    scans: Annotated[Path, typer.Argument(help="扫描件文件夹或 ZIP / folder or ZIP of scans")],
    roster: Annotated[Path, typer.Option(help="花名册 / roster: .xlsx .xls .csv")],
    blind: Annotated[Path, typer.Option(help="盲评材料输出文件夹 / folder of blind dossiers")],
    vault: Annotated[Path, typer.Option(help="保险库文件夹（勿外传） / private folder")],
    profile: Annotated[
        ProfileName, typer.Option(help="strict 全部遮盖 / all; notice 按通知 / as the notice says")
    ] = ProfileName.STRICT,
    jobs: Annotated[
        int, typer.Option(min=0, help="进程数，0 为每核一个 / processes, 0: cores")
    ] = 0,
    executor: Annotated[
        str, typer.Option(help="local 本机 / this machine; tcp://HOST:8786 dask 调度器 / scheduler")
    ] = LOCAL,
    exchange: Annotated[
        str,
        typer.Option(
            envvar="MANGPING_EXCHANGE",
            help="与工作机交换文件处 / where files go to workers: file:///..., s3://...",
        ),
    ] = "",
    resume: Annotated[bool, typer.Option("--resume", help="继续上次运行 / go on")] = False,
    file_format: Annotated[
        FileFormat, typer.Option("--format", help="输出格式 / output format")
    ] = FileFormat.JPG,
    faces: Annotated[
        FaceMask, typer.Option(help="eyes 只遮眼部 / eyes only; full 整个面部 / whole face")
    ] = FaceMask.EYES,
    seals: Annotated[
        SealMask,
        typer.Option(help="solid 涂黑 / paint over; lift 去除印迹、保留其下文字 / keep the print"),
    ] = SealMask.SOLID,
    pad_names: Annotated[
        bool, typer.Option("--pad-names", help="遮盖块不显示姓名长短 / hide the names' lengths")
    ] = False,
) -> None:
    """遮盖扫描件中的身份信息，输出盲评材料。 Turn scans and a roster into blind dossiers."""
    try:
        chosen = replace(
            profile_named(profile), faces=faces.value, seals=seals.value, padded=pad_names
        )
        from redactor.batch import Order

        order = Order(
            scans=scans,
            roster=roster,
            blind=blind,
            vault=vault,
            profile=chosen,
            jobs=jobs or os.cpu_count() or 1,
            resume=resume,
            file_format=file_format,
            executor=executor,
            exchange=exchange,
        )
        code = _run(order)
    except RedactorError as error:
        _say(error)
        code = error.exit_code
    except KeyboardInterrupt:
        _say(
            Sentence(
                "已中断。加上 --resume 可从中断处继续；在那之前请勿使用盲评输出文件夹。",
                "Interrupted. Add --resume to go on from here; do not use the blind output before.",
            )
        )
        code = ExitCode.INTERRUPTED
    raise typer.Exit(int(code))


def _run(order: Order) -> ExitCode:
    from redactor.batch import redact

    with _ProgressLine() as progress:
        outcome = redact(order, progress.update)
    for note in outcome.notes:
        _say(note)
    for where, what in outcome.problems:
        _say(f"{where}: {what}")
    for page in outcome.pages:
        if page.record.state != State.CLEAN:
            number = page.record.source_page + 1
            place = Sentence(f"第 {number} 页", f"page {number}")
            _say(f"{page.record.source}, {place}: {page.record.reason}")
    total = len(outcome.pages)
    counts = {state: outcome.count(state) for state in State}
    rate = total / outcome.seconds * 60 if outcome.seconds else 0.0
    _say(
        Sentence(
            f"共 {total} 页，{outcome.seconds:.1f} 秒（每分钟 {rate:.0f} 页）：已核验 "
            f"{counts[State.CLEAN]}，待人工查看 {counts[State.REVIEW]}，失败 "
            f"{counts[State.FAILED]}。\n盲评材料：{order.blind}\n"
            f"遮盖报告：{order.vault / 'report.html'}",
            f"{total} pages in {outcome.seconds:.1f} s ({rate:.0f} a minute): "
            f"{counts[State.CLEAN]} verified, {counts[State.REVIEW]} to review, "
            f"{counts[State.FAILED]} failed.\nBlind dossiers: {order.blind}\n"
            f"Report: {order.vault / 'report.html'}",
        )
    )
    return outcome.exit_code


def _say(what: object) -> None:
    print(what, file=sys.stderr, flush=True)


class _ProgressLine:
    """Pages done, pages a minute and time left: a bar on a terminal, plain lines elsewhere."""

    SECONDS_BETWEEN_LINES = 5.0

    def __init__(self) -> None:
        self._console = Console(stderr=True)
        self._bar: Progress | None = None
        self._started = self._said = time.monotonic()
        self._first: int | None = None

    def __enter__(self) -> _ProgressLine:
        if self._console.is_terminal:
            self._bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("{task.fields[rate]}"),
                TimeRemainingColumn(),
                console=self._console,
            )
            self._task = self._bar.add_task(str(Sentence("遮盖", "Masking")), total=None, rate="")
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar:
            self._bar.stop()

    def update(self, done: int, total: int) -> None:
        """Shows that `done` of `total` pages are finished."""
        now = time.monotonic()
        if self._first is None:
            self._first, self._started = done, now
        rate = (done - self._first) / max(now - self._started, 1e-3) * 60
        per_minute = Sentence(f"每分钟 {rate:.0f} 页", f"{rate:.0f} pages/min")
        if self._bar:
            self._bar.update(self._task, completed=done, total=total, rate=str(per_minute))
        elif done == total or now - self._said >= self.SECONDS_BETWEEN_LINES:
            self._said = now
            left = (total - done) / rate * 60 if rate > 0 else 0.0
            _say(
                Sentence(
                    f"{done}/{total} 页，{per_minute.zh}，约剩 {left:.0f} 秒",
                    f"{done}/{total} pages, {per_minute.en}, about {left:.0f} s left",
                )
            )
