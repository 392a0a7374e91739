"""`mangping`: one command line over the redactor, the scoring and the web applications."""

from __future__ import annotations

import sys
from pathlib import Path

import typer

from redactor.cli import redact_command
from redactor.inspect_cli import inspect_command
from scoring.cli import policies_command, tally_command, verify_tally_command
from webapp.archive_cli import verify_archive_command
from webapp.backup_cli import backup_command, restore_command
from webapp.demo import demo_command
from webapp.doctor_cli import doctor_command
from webapp.serving import serve_command
from webapp.vault_key_cli import rotate_key_command, seal_vault_command

app = typer.Typer(
    name="mangping",
    help="职称评审盲评工具 / blind review of professional titles",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("redact")(redact_command)
app.command("inspect")(inspect_command)
app.command("tally")(tally_command)
app.command("verify-tally")(verify_tally_command)
app.command("policies")(policies_command)
app.command("verify-archive")(verify_archive_command)
app.command("backup")(backup_command)
app.command("restore")(restore_command)
app.command("seal-vault")(seal_vault_command)
app.command("rotate-key")(rotate_key_command)
app.command("serve")(serve_command)
app.command("demo")(demo_command)
app.command("doctor")(doctor_command)


def main() -> None:
    """Entry point; output is UTF-8 whatever the console says."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr]
    app()


if __name__ == "__main__":
    sys.path.insert(0, str(Path.cwd()))
    main()
