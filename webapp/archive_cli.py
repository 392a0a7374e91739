"""`mangping verify-archive`: whether an archive is whole, on any machine."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from models.errors import RuleError, Sentence
from redactor.errors import ExitCode
from webapp.archive_proof import ArchiveCheck, verify_archive

DIFFERENT = 1


def verify_archive_command(
    file: Annotated[Path, typer.Argument(metavar="FILE.zip")],
    head: Annotated[
        str, typer.Option(help="签字纪要上的审计链头 / audit head on the signed minutes")
    ] = "",
) -> None:
    """核对归档包 / Verify an archive offline; exit 0 only if all of it is equal."""
    if head and not re.fullmatch(r"[0-9a-fA-F]{64}", head.strip()):
        _say(
            Sentence(
                "--head 应为纪要上的 64 位十六进制链头。",
                "--head must be the 64 hexadecimal digits on the minutes.",
            )
        )
        raise typer.Exit(int(ExitCode.USAGE))
    try:
        check = verify_archive(file, head=head)
    except RuleError as error:
        for sentence in error.sentences:
            _say(sentence)
        raise typer.Exit(int(ExitCode.USAGE)) from None
    _tell(check, bool(head))
    raise typer.Exit(DIFFERENT if check.problems else int(ExitCode.OK))


def _tell(check: ArchiveCheck, compared: bool) -> None:
    typer.echo(f"sha256 {check.sha256}")
    typer.echo(f"audit {check.head.number} {check.head.hash}")
    for number, digest in sorted(check.tallies.items()):
        typer.echo(f"tally {number} {digest}")
    if check.identities:
        _say(
            Sentence(
                "此归档包含有编号与姓名的对照表，请按保险库同样保管。",
                "This archive holds the key of codes and names; keep it as the vault is kept.",
            )
        )
    for problem in check.problems:
        _say(problem)
    if check.problems:
        count = len(check.problems)
        _say(Sentence(f"不一致：{count} 处问题。", f"Not equal: {count} problems."))
        return
    if not compared:
        _say(
            Sentence(
                "未给出 --head：归档包自身一致，但只有与签字纪要上的链头核对，"
                "才能发现审计链末尾被截断。",
                "Without --head: the archive agrees with itself, but only the head on the signed "
                "minutes shows whether the chain's end was cut off.",
            )
        )
    _say(Sentence("一致。", "Equal."))


def _say(sentence: Sentence) -> None:
    typer.echo(str(sentence), err=True)
