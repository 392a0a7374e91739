"""`mangping doctor`: what is wrong with this machine or installation, and how to mend it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from redactor.errors import ExitCode
from webapp.doctor import examine
from webapp.finding import Finding
from webapp.one_service import Part
from webapp.settings import Settings

SIGNS = {"ok": "✓", "warning": "!", "problem": "✗"}


def doctor_command(
    host: Annotated[
        str, typer.Option(envvar="MANGPING_HOST", help="监听地址 / as for serve")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(envvar="MANGPING_PORT", help="办公室端口 / the office's port")
    ] = 8080,
    review_port: Annotated[
        int, typer.Option(envvar="MANGPING_REVIEW_PORT", help="评委端口 / the reviewers' port")
    ] = 0,
    data: Annotated[
        Path, typer.Option(envvar="MANGPING_DATA", help="数据文件夹 / the data folder")
    ] = Path("mangping-data"),
    part: Annotated[
        Part | None, typer.Option(help="只检查这一服务所需 / what one service needs")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="输出 JSON / as JSON")] = False,
) -> None:
    """检查安装是否完整，并说明如何修复。 Check the installation and say how to mend it."""
    found = examine(Settings(host=host, port=port, review_port=review_port, data=data), part)
    if as_json:
        print(json.dumps([finding.as_json() for finding in found], ensure_ascii=False, indent=1))
    else:
        for finding in found:
            tell(finding)
    problems = any(finding.level == "problem" for finding in found)
    raise typer.Exit(int(ExitCode.USAGE if problems else ExitCode.OK))


def tell(finding: Finding) -> None:
    """One line, and the remedy in both languages: who mends it may not be who runs it."""
    print(f"{SIGNS[finding.level]} {finding.name}: {finding.detail}")
    if finding.level != "ok":
        print(f"  -> {finding.remedy.zh}\n  -> {finding.remedy.en}")
