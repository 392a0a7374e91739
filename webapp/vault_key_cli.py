"""`mangping seal-vault` and `mangping rotate-key`."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from models.errors import RuleError, Sentence
from redactor.errors import ExitCode, OutputError
from webapp.serving import refuse_taken_port
from webapp.settings import Settings
from webapp.vault_key import SealedVault, rotate, seal_vault

EVERY = 5.0
"""Seconds between two lines of progress."""
MOST_TOLD = 50
_Data = Annotated[Path, typer.Option(help="数据文件夹 / the data folder")]
_Key = Annotated[Path, typer.Option(help="密钥文件，须在数据文件夹之外 / key file, elsewhere")]
_Port = Annotated[
    int, typer.Option(help="办公室端口，须已停止服务 / the office's port; it must be stopped")
]


def seal_vault_command(key: _Key, data: _Data = Path("mangping-data"), port: _Port = 8080) -> None:
    """加密保险库中的文件 / Seal the vault's files with a key, which is made if there is none."""
    settings = _stopped(data, port)
    new = not key.exists()
    try:
        made = seal_vault(settings, key, _Progress().tell)
    except (RuleError, OutputError) as error:
        _refuse(error)
    _report(made)
    if new:
        _say(
            Sentence(
                f"新密钥在 {key}。请立即另存两份在不同的地方：密钥遗失，文件无法恢复。",
                f"The new key is {key}. Keep two copies in two other places now: without it, the "
                "files cannot be recovered.",
            )
        )
    _say(
        Sentence(
            f"以后启动前设置 MANGPING_VAULT_KEY={key}。原先的明文可能仍留在磁盘的空闲块中。",
            f"From now on set MANGPING_VAULT_KEY={key} before a start. The plain bytes of before "
            "may still be in free blocks of the disk.",
        )
    )
    raise typer.Exit(int(ExitCode.FAILED if made.unopened else ExitCode.OK))


def rotate_key_command(
    key: _Key,
    data: _Data = Path("mangping-data"),
    forget_old: Annotated[
        bool, typer.Option(help="从密钥文件中去掉旧密钥 / take the old keys out of the file")
    ] = False,
    port: _Port = 8080,
) -> None:
    """更换保险库密钥 / Seal everything with a new key; the old ones stay for old backups."""
    settings = _stopped(data, port)
    try:
        made = rotate(settings, key, forget_old=forget_old, tell=_Progress().tell)
    except (RuleError, OutputError) as error:
        _refuse(error)
    _report(made)
    _say(
        Sentence(
            f"{key} 现在以新密钥开头，请重新另存两份。更换前的备份仍需要旧密钥。",
            f"{key} now begins with the new key: make its two copies anew. Backups of before need "
            "the old key still.",
        )
    )
    raise typer.Exit(int(ExitCode.FAILED if made.unopened else ExitCode.OK))


def _stopped(data: Path, port: int) -> Settings:
    """The settings of an installation that nobody serves; exits with 2 else."""
    settings = Settings(data=data, port=port, vault_key=None)
    if not settings.vault.is_dir():
        _refuse(
            RuleError(
                Sentence(
                    f"{data} 不是数据文件夹（缺少 vault）。请用 --data 指定。",
                    f"{data} is no data folder (it has no vault). Name it with --data.",
                )
            )
        )
    if port:
        refuse_taken_port(settings)
    return settings


def _report(made: SealedVault) -> None:
    for path in made.unopened[:MOST_TOLD]:
        _say(
            Sentence(
                f"打不开，未改动：{path}。可能已损坏，或用别的密钥加密。",
                f"Cannot be opened and was left alone: {path}. It is damaged, or sealed with "
                "another key.",
            )
        )
    _say(
        Sentence(
            f"已加密 {made.done} 个文件，{made.there} 个原已是此密钥，"
            f"{len(made.unopened)} 个打不开。",
            f"{made.done} files sealed, {made.there} were already, {len(made.unopened)} could not "
            "be opened.",
        )
    )


class _Progress:
    """Says now and then how far it is."""

    def __init__(self) -> None:
        self._next = time.monotonic() + EVERY

    def tell(self, files: int) -> None:
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + EVERY
            _say(Sentence(f"{files} 个文件", f"{files} files"))


def _refuse(error: RuleError | OutputError) -> NoReturn:
    print(error, file=sys.stderr)
    raise typer.Exit(int(ExitCode.USAGE))


def _say(sentence: Sentence) -> None:
    print(sentence, file=sys.stderr)
