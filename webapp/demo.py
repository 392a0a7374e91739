"""`mangping demo`: masks the sample scans, tallies a made-up round and says where to look."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from importlib.resources import as_file, files
from pathlib import Path
from typing import Annotated

import typer

from redactor.cli import FileFormat, ProfileName, redact_command
from redactor.errors import ExitCode, Sentence
from scoring.cli import tally_command
from scoring.example_rounds import EXAMPLES
from webapp.demo_round import Demo, make_demo_office
from webapp.serving import refuse_taken_port
from webapp.serving import serve as serve_office
from webapp.settings import Settings

SAMPLES = Path(__file__).resolve().parent.parent / "sample_scans" / "set"


def demo_command(
    out: Annotated[Path, typer.Option(help="输出文件夹，会先清空 / emptied first")] = Path(
        "demo-output"
    ),
    jobs: Annotated[int, typer.Option(min=0, help="进程数，0 为每核一个 / processes")] = 0,
    serve: Annotated[
        bool, typer.Option("--serve", help="最后打开办公室网页 / then open the office's pages")
    ] = False,
    port: Annotated[int, typer.Option(help="办公室端口 / the office's port")] = 8080,
    samples: Annotated[Path, typer.Option(help="样例文件夹 / the folder of samples")] = SAMPLES,
) -> None:
    """用样例扫描件演示全过程。 Mask the sample scans and tally a made-up round."""
    if not (samples / "roster.xlsx").exists():
        print(
            Sentence(
                f"找不到样例 {samples}。请用 --samples 指定安装包中的 samples 文件夹，"
                "或在源代码文件夹中运行 make demo。",
                f"The samples are not at {samples}. Name the folder samples of the installation "
                "bundle with --samples, or run make demo in the source folder.",
            )
        )
        raise typer.Exit(int(ExitCode.USAGE))
    _clear(out)
    settings = Settings(data=out / "office", port=port)
    if serve:
        refuse_taken_port(settings)
    code = _exit_code(
        lambda: redact_command(
            samples / "scans",
            roster=samples / "roster.xlsx",
            blind=out / "blind",
            vault=out / "vault",
            profile=ProfileName.STRICT,
            jobs=jobs,
            file_format=FileFormat.JPG,
        )
    )
    print(Sentence("\n示例评审汇总：", "\nA made-up round is tallied:"))
    tallied = _tally(out)
    print(
        Sentence(
            f"\n请打开：\n  遮盖报告 {(out / 'vault' / 'report.html').resolve().as_uri()}"
            f"\n  盲评材料 {out / 'blind'}\n  汇总表 {out / 'result.xlsx'}"
            f"\n  会议纪要 {out / 'minutes.pdf'}",
            f"\nLook at:\n  report {(out / 'vault' / 'report.html').resolve().as_uri()}"
            f"\n  blind dossiers {out / 'blind'}\n  tally {out / 'result.xlsx'}"
            f"\n  minutes {out / 'minutes.pdf'}",
        )
    )
    if code in (0, 1):
        made = make_demo_office(settings, samples, out / "blind", out / "vault")
        print(_invitation(made, out, settings))
        if serve:
            serve_office(settings)
    # Pages that a person must look at are a normal end of a run.
    raise typer.Exit(0 if code in (0, 1) and tallied == 0 else max(code, tallied))


def _invitation(made: Demo, out: Path, settings: Settings) -> Sentence:
    """Who may sign in to the demo's office and to the experts' pages, and how to open them."""
    logins = "\n".join(f"  {person.login}  {person.password}" for person in made.people)
    command = f"mangping serve --data {out / 'office'}"
    office = f"http://127.0.0.1:{settings.port}/"
    door = f"http://127.0.0.1:{settings.port_of_review}"
    cards = "\n".join(
        f"  {card.seat}  {door}/card/{card.number}  PIN {card.pin}" for card in made.cards
    )
    return Sentence(
        f"\n办公室网页已装入样例（mangping demo --serve 直接打开，或运行 {command}）：{office}"
        f"\n登录名与密码：\n{logins}\n评委卡（R01 还有一份材料留给您打分；其余席位在办公室的"
        f"“席位与卡片”中发卡）：\n{cards or '  —'}",
        f"\nThe office's pages hold the samples (mangping demo --serve opens them, or run "
        f"{command}): {office}\nLogins and passwords:\n{logins}\nCards of experts (R01 has one "
        f'dossier left for you to score; issue the others under "Seats and cards"):'
        f"\n{cards or '  -'}",
    )


def _tally(out: Path) -> int:
    """Tallies the worked example of the 2024 science notice under an office's example policy."""
    example = next(example for example in EXAMPLES if example.policy == "science_office")
    round_file = out / "round.json"
    round_file.write_text(json.dumps(example.document(), ensure_ascii=False, indent=1), "utf-8")
    with as_file(files("scoring") / "policies" / "examples" / "science_office.toml") as policy:
        return _exit_code(
            lambda: tally_command(
                round_file,
                str(policy),
                out / "result.xlsx",
                out / "result.json",
                out / "minutes.pdf",
            )
        )


def _exit_code(command: Callable[[], None]) -> int:
    """Runs a command function and gives the exit code that it would end with."""
    try:
        command()
    except typer.Exit as end:
        return int(end.exit_code)
    return 0


def _clear(out: Path) -> None:
    """Empties an earlier demo's folder; any other folder is left alone."""
    if not out.exists():
        return
    known = {"blind", "vault", "office", "round.json", "result.xlsx", "result.json", "minutes.pdf"}
    strangers = [path.name for path in out.iterdir() if path.name not in known]
    if strangers:
        print(
            Sentence(
                f"{out} 里有演示之外的文件（{strangers[0]} 等），未清空。请用 --out 另选文件夹。",
                f"{out} holds files that are not the demo's ({strangers[0]} ...) and was left "
                "alone. Choose another folder with --out.",
            )
        )
        raise typer.Exit(int(ExitCode.USAGE))
    shutil.rmtree(out)
