"""`mangping backup` and `mangping restore`."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from models.errors import RuleError, Sentence
from redactor.errors import ExitCode
from webapp.backup import back_up
from webapp.restore import restore
from webapp.settings import Settings

EVERY = 5.0
"""Seconds between two lines of progress."""


def backup_command(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="新文件夹 / a new folder")],
    data: Annotated[Path, typer.Option(help="数据文件夹 / the data folder")] = Path(
        "mangping-data"
    ),
    key: Annotated[
        Path | None, typer.Option(help="加密备份的密钥文件 / seal the backup with this key file")
    ] = None,
) -> None:
    """备份，运行中也可以 / Back up both stores and all files, also while everything runs."""
    try:
        made = back_up(Settings(data=data), out, _Progress().tell, key)
    except RuleError as error:
        _refuse(error)
    typer.echo(f"content {made.content}")
    for name, content in made.stores.items():
        typer.echo(f"{name} {content.sha256}")
    _say(
        Sentence(
            f"已备份到 {out}：{made.files} 个文件，{made.bytes / 2**20:.0f} MB；"
            f"写入暂停了 {made.paused:.1f} 秒。",
            f"Backed up to {out}: {made.files} files, {made.bytes / 2**20:.0f} MB; writers waited "
            f"{made.paused:.1f} s.",
        )
    )
    _say(
        Sentence(
            "其中有申报人身份，请按保险库同样保管。",
            "It tells who the applicants are: keep it as the vault is kept.",
        )
        if key is None
        else Sentence(
            f"备份已加密。没有 {key} 中的密钥就无法恢复，请把它另存他处。",
            f"It is sealed. Without the key in {key} it cannot be restored: keep that elsewhere.",
        )
    )


def restore_command(
    backup: Annotated[Path, typer.Argument(metavar="BACKUP", help="备份文件夹 / its folder")],
    data: Annotated[Path, typer.Option(help="空文件夹 / an empty folder")] = Path("mangping-data"),
    key: Annotated[
        Path | None, typer.Option(help="加密备份的密钥文件 / key file of a sealed backup")
    ] = None,
) -> None:
    """从备份恢复到空文件夹 / Restore a backup into an empty folder, if every byte is proven."""
    try:
        count = restore(backup, Settings(data=data), key)
    except RuleError as error:
        _refuse(error)
    _say(
        Sentence(
            f"已恢复到 {data}：{count} 个文件和两个数据库，全部与备份一致。",
            f"Restored to {data}: {count} files and both databases, all equal to the backup.",
        )
    )


class _Progress:
    """Says now and then how far it is."""

    def __init__(self) -> None:
        self._next = time.monotonic() + EVERY

    def tell(self, files: int, size: int) -> None:
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + EVERY
            _say(
                Sentence(
                    f"{files} 个文件，{size / 2**20:.0f} MB",
                    f"{files} files, {size / 2**20:.0f} MB",
                )
            )


def _refuse(error: RuleError) -> NoReturn:
    for sentence in error.sentences:
        _say(sentence)
    raise typer.Exit(int(ExitCode.USAGE))


def _say(sentence: Sentence) -> None:
    print(sentence, file=sys.stderr)
