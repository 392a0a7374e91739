"""The commands of the tally: `tally`, `verify-tally`, `policies`; exit codes as documented."""

from __future__ import annotations

import os
from enum import IntEnum
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.table import Table

from scoring.difference import check_succession, differences
from scoring.errors import InputError, RuleError, Sentence, problem
from scoring.minutes_pdf import write_minutes
from scoring.outputs import json_text, write_all
from scoring.policy import Policy
from scoring.policy_files import load_policy, shipped_names
from scoring.policy_table import explain, side_by_side
from scoring.result_json import tally_document, verify_document
from scoring.round import Round
from scoring.round_json import read_round_json, strict_json
from scoring.round_template import write_round_workbook
from scoring.round_xlsx import read_round_xlsx
from scoring.tally import tally
from scoring.workbook import write_workbook


class ExitCode(IntEnum):
    """Exit codes: done or equal; a tally that is not equal; bad input and nothing written."""

    OK = 0
    DIFFERENT = 1
    USAGE = 2


app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)


@app.command("tally")
def tally_command(
    round_: Annotated[Path, typer.Argument(metavar="ROUND", help="xlsx 或 JSON / xlsx or JSON")],
    policy: Annotated[str, typer.Option(help="内置政策名或 TOML 文件 / shipped name or TOML file")],
    out: Annotated[Path | None, typer.Option(help="RESULT.xlsx")] = None,
    json: Annotated[Path | None, typer.Option("--json", help="RESULT.json")] = None,
    pdf: Annotated[Path | None, typer.Option(help="会议纪要 / minutes, PDF")] = None,
    previous: Annotated[
        Path | None, typer.Option(help="上一版 RESULT.json / RESULT.json of the version before")
    ] = None,
    template: Annotated[
        bool, typer.Option("--template", help="写出空白 ROUND 工作簿 / write an empty ROUND.xlsx")
    ] = False,
) -> None:
    """汇总一轮评审 / Tally a round; every problem is reported at once and then nothing written."""
    try:
        rules = load_policy(policy)
        if template:
            _write_template(round_, rules)
            return
        if out is None:
            raise InputError(problem("请用 --out 指定 RESULT.xlsx。", "Give --out RESULT.xlsx."))
        _tally_files(round_, rules, out, json, pdf, previous)
    except RuleError as error:
        _refuse(error)


def _tally_files(
    source: Path,
    policy: Policy,
    out: Path,
    json: Path | None,
    pdf: Path | None,
    previous: Path | None,
) -> None:
    files = [path for path in (source, out, json, pdf, previous) if path]
    if len({path.resolve() for path in files}) != len(files):
        raise InputError(
            problem(
                "ROUND、--out、--json、--pdf、--previous 须是不同的文件。",
                "ROUND, --out, --json, --pdf and --previous must be different files.",
            )
        )
    round_ = read_round(source, policy)
    result = tally(round_, policy)
    document = tally_document(round_, policy, result)
    hashes = (document["sha256"], document["input_sha256"])
    old = read_verified(previous) if previous else None
    if old is not None:
        check_succession(old, document)
    writers = {out: lambda path: write_workbook(path, round_, policy, result, hashes)}
    if json:
        writers[json] = lambda path: _write_text(path, json_text(document))
    if pdf:
        writers[pdf] = lambda path: write_minutes(path, round_, policy, result, hashes)
    write_all(writers)
    open_ = [item.code for item in result.candidates if item.decision == "undetermined"]
    for warning in result.warnings:
        _say(Sentence(warning.zh, warning.en))
    count = len(result.candidates)
    _say(Sentence(f"已汇总 {count} 人。", f"{count} candidates tallied."))
    if open_:
        zh, en = "、".join(open_[:20]), ", ".join(open_[:20])
        _say(
            Sentence(
                f"待裁定 {len(open_)} 人：{zh}。理由见结果。",
                f"{len(open_)} undetermined: {en}. The result gives the reasons.",
            )
        )
    if old is not None:
        for item in differences(old, document):
            typer.echo(f"{item.code} {item.item}: {item.old} -> {item.new}")
    typer.echo(f"sha256 {hashes[0]}")


def read_round(path: Path, policy: Policy) -> Round:
    """A round by the ending of its file: .xlsx, else JSON. InputError with every problem."""
    if path.suffix.lower() in (".xlsx", ".xlsm"):
        return read_round_xlsx(path, policy)
    return read_round_json(path, policy)


def read_verified(path: Path) -> dict[str, Any]:
    """A RESULT.json that re-computes to itself; InputError otherwise."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            problem(f"无法读取 {path}：{error}。", f"Cannot read {path}: {error}.")
        ) from error
    if not verify_document(text).equal:
        raise InputError(
            problem(
                f"{path} 被改动过，不能作为上一版。请用原来的文件。",
                f"{path} was changed and is no previous tally. Use the original file.",
            )
        )
    document: dict[str, Any] = strict_json(text)
    return document


@app.command("verify-tally")
def verify_tally_command(
    result: Annotated[Path, typer.Argument(metavar="RESULT.json")],
    expect: Annotated[
        str | None, typer.Option(help="签字纪要上的校验码 / sha256 on the signed minutes")
    ] = None,
) -> None:
    """重新计算并核对 / Re-compute a RESULT.json; exit 0 only if every part of it is equal."""
    try:
        text = result.read_text(encoding="utf-8-sig")
        found = verify_document(text)
    except (OSError, UnicodeDecodeError) as error:
        _refuse(
            InputError(problem(f"无法读取 {result}：{error}。", f"Cannot read {result}: {error}."))
        )
    except RuleError as error:
        _refuse(error)
    typer.echo(f"sha256 {found.sha256}")
    if not found.equal:
        _say(
            Sentence(
                f"不一致：重新计算的结果与文件在 {found.difference} 处不同，文件被改动过。",
                f"Not equal: the re-computed tally differs at {found.difference}; the file was "
                "changed.",
            )
        )
        raise typer.Exit(ExitCode.DIFFERENT)
    if expect is not None and expect.strip().lower() != found.sha256:
        _say(
            Sentence(
                "文件自身一致，但校验码与 --expect 不同：这不是签字的那一份。",
                "The file agrees with itself, but not with --expect: it is not the signed tally.",
            )
        )
        raise typer.Exit(ExitCode.DIFFERENT)
    _say(Sentence("一致。", "Equal."))


@app.command("policies")
def policies_command(
    name: Annotated[str | None, typer.Argument(help="政策名或文件 / name or file")] = None,
) -> None:
    """列出内置政策并对照 / List the shipped policies side by side, or explain one."""
    console = Console(width=None if os.isatty(1) else 200)
    try:
        if name is None:
            _print_table(console)
            return
        policy = load_policy(name)
    except RuleError as error:
        _refuse(error)
    table = Table(title=policy.notice.title if policy.notice else policy.name, show_lines=False)
    table.add_column(str(Sentence("项", "key")))
    table.add_column(str(Sentence("内容", "value")))
    for key, value in explain(policy):
        table.add_row(key, value)
    console.print(table)


def _print_table(console: Console) -> None:
    policies = [load_policy(item) for item in shipped_names()]
    table = Table(show_lines=True, title=str(Sentence("内置政策", "Shipped policies")))
    table.add_column(str(Sentence("规定", "rule")))
    for policy in policies:
        table.add_column(policy.name or "", overflow="fold")
    for label, said in side_by_side(policies):
        table.add_row(str(label), *(str(item) for item in said))
    console.print(table)
    silent = Sentence(
        "“-”：通知没有规定，程序不会代为规定；需要时写在本单位政策文件里。",
        "'-': the notice is silent and the program invents nothing; an office's own policy file "
        "may say it.",
    )
    console.print(str(silent))


def _write_template(path: Path, policy: Policy) -> None:
    if path.exists():
        raise InputError(
            problem(f"{path} 已存在，不覆盖。", f"{path} exists and is not overwritten.")
        )
    write_all({path: lambda target: write_round_workbook(target, policy)})


def _write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def _say(sentence: Sentence) -> None:
    typer.echo(str(sentence), err=True)


def _refuse(error: RuleError) -> NoReturn:
    for sentence in error.sentences:
        _say(sentence)
    count = len(error.sentences)
    _say(
        Sentence(
            f"共 {count} 处问题，没有写出任何文件。", f"{count} problems; nothing was written."
        )
    )
    raise typer.Exit(ExitCode.USAGE)


if __name__ == "__main__":
    app()
