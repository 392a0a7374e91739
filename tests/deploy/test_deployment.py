"""What deploy/ asks of mangping exists, and the experts' service is given nothing of the vault."""

from __future__ import annotations

import configparser
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from webapp.cli import app
from webapp.one_service import CREDENTIALS
from webapp.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
OF_REDACTOR = {"MANGPING_LANG", "MANGPING_WORKER_MEMORY", "MANGPING_PAGE_SECONDS"}


def known_names() -> set[str]:
    """Every MANGPING_ name that the settings, the commands' options or the redactor read."""
    names = {f"MANGPING_{field.upper()}" for field in Settings.model_fields}
    for command in typer.main.get_group(app).commands.values():
        for parameter in command.params:
            names |= {str(parameter.envvar)} if parameter.envvar else set()
    return names | OF_REDACTOR


class Unit(configparser.RawConfigParser):
    """A unit: keys keep their case and may stand more than once, which becomes lines."""

    def __init__(self, path: Path) -> None:
        super().__init__(strict=False)
        self.text = path.read_text("utf-8")
        self.lines = [line for line in self.text.splitlines() if not line.startswith("#")]

    def all(self, key: str) -> list[str]:
        return [line.partition("=")[2] for line in self.lines if line.startswith(f"{key}=")]


def env_file(name: str) -> dict[str, str]:
    lines = (DEPLOY / "systemd" / name).read_text("utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def check_command(words: list[str]) -> None:
    """A command line of ours: the command, its options and their fixed values exist."""
    command = typer.main.get_group(app).commands[words[0]]
    with command.make_context(words[0], list(words[1:]), resilient_parsing=False) as context:
        assert context.args == []


def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
    return loaded


def test_there_is_a_unit_for_each_part() -> None:
    assert [path.stem for path in UNITS] == [
        f"mangping-{p}" for p in ("office", "review", "runner")
    ]


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.stem)
def test_units_call_commands_that_exist_and_are_hardened(path: Path) -> None:
    unit = Unit(path)
    (start,) = unit.all("ExecStart")
    words = shlex.split(start)
    assert words[0] == "/opt/mangping/current/bin/mangping"
    check_command(words[1:])
    assert words[-1] == path.stem.removeprefix("mangping-")
    for line in (
        *("NoNewPrivileges=yes", "ProtectSystem=strict", "ProtectHome=yes", "PrivateTmp=yes"),
        *("CapabilityBoundingSet=", "SystemCallFilter=@system-service", "Restart=always"),
    ):
        assert line in unit.lines
    assert unit.all("User")[0] in ("mangping", "mangping-experts")


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.stem)
def test_systemd_accepts_the_units(path: Path, tmp_path: Path) -> None:
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not installed")
    unit = tmp_path / path.name
    # Programs, users and settings of a server are not on this machine.
    text = path.read_text("utf-8").replace("/opt/mangping/current/bin/mangping", "/bin/true")
    unit.write_text(text, encoding="utf-8")
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    wrong = [line for line in done.stderr.splitlines() if path.name in line]
    assert wrong == []


@pytest.mark.parametrize("name", ["office.env.example", "experts.env.example"])
def test_settings_of_units_exist(name: str) -> None:
    given = env_file(name)
    ours = {key for key in given if key.startswith("MANGPING_")}
    assert ours and ours <= known_names()
    Settings(**{key[9:].lower(): value for key, value in given.items() if key in ours})


def test_the_experts_unit_is_given_nothing_of_the_vault() -> None:
    unit = Unit(DEPLOY / "systemd/mangping-review.service")
    assert unit.all("EnvironmentFile") == ["/etc/mangping/experts.env"]
    assert unit.all("User") == ["mangping-experts"]
    given = env_file("experts.env.example")
    assert not set(CREDENTIALS) & set(given)
    assert "vault" not in "".join(given.values()) and "office" not in "".join(given.values())
    settings = unit.all("Environment")
    assert settings == ["MANGPING_DATA=/run/mangping-experts/data"]
    bound = unit.all("BindPaths") + unit.all("BindReadOnlyPaths")
    assert sorted(bound) == [
        "/var/lib/mangping/blind:/run/mangping-experts/data/blind",
        "/var/lib/mangping/review:/run/mangping-experts/data/review",
    ]
    assert "-/var/lib/mangping/vault" in unit.all("InaccessiblePaths")
    assert unit.all("SupplementaryGroups") == unit.all("StateDirectory") == []


def test_compose_calls_commands_and_names_that_exist() -> None:
    services = compose()["services"]
    assert {"office", "review", "runner", "postgres", "proxy", "store", "scheduler"} <= set(
        services
    )
    for name, service in services.items():
        if service.get("image") != "mangping:latest":
            continue
        given = service.get("environment", {})
        ours = {key for key in given if key.startswith("MANGPING_")}
        assert ours <= known_names(), name
        if "entrypoint" not in service:
            check_command(service["command"])
        assert service["read_only"] and service["cap_drop"] == ["ALL"], name
        assert set(service["networks"]) <= set(compose()["networks"]), name
    optional = {name for name, service in services.items() if service.get("profiles")}
    assert optional == {"store", "scheduler", "worker"}
    assert [name for name, service in services.items() if service.get("ports")] == ["proxy"]


def test_compose_gives_the_experts_nothing_of_the_vault() -> None:
    review = compose()["services"]["review"]
    assert review["user"] == "10002:10002"
    assert not set(CREDENTIALS) & set(review["environment"])
    told = " ".join([*map(str, review["environment"].values()), *review["volumes"]])
    assert "vault" not in told and "OFFICE" not in told
    assert review["volumes"] == ["blind:/experts/blind:ro", "review:/experts/review"]
    networks = compose()["networks"]
    assert all(networks[name]["internal"] for name in review["networks"])
    office = compose()["services"]["office"]
    assert "experts-store" not in office["networks"]


def test_every_variable_of_compose_is_in_the_example() -> None:
    asked = set(re.findall(r"\$\{([A-Z0-9_]+)[:}]", (DEPLOY / "compose.yaml").read_text("utf-8")))
    example = (DEPLOY / "compose.env.example").read_text("utf-8")
    optional = {"S3_IMAGE", "S3_KEY", "S3_SECRET"}
    assert asked - optional == set(re.findall(r"^([A-Z_]+)=", example, re.M))


def test_files_that_compose_and_the_image_mount_exist() -> None:
    for service in compose()["services"].values():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            if source.startswith("./"):
                assert (DEPLOY / source).is_file()
    assert "install.sh /opt/mangping" in (DEPLOY / "Dockerfile").read_text("utf-8")


def test_proxies_tell_the_client_and_keep_metrics_in() -> None:
    nginx = (DEPLOY / "proxy/nginx.conf").read_text("utf-8")
    assert nginx.count("proxy_set_header X-Forwarded-For $remote_addr;") == 2
    assert not re.search(r"^[^#]*proxy_add_x_forwarded_for", nginx, re.M)
    assert nginx.count("proxy_set_header Host $host;") == 2
    largest = int(re.findall(r"client_max_body_size (\d+)m", nginx)[0]) * 2**20
    assert largest == Settings.model_fields["largest_request"].default
    for text in (nginx, (DEPLOY / "proxy/Caddyfile").read_text("utf-8")):
        assert text.count("/metrics") == 2
        assert "8080" in text and "8081" in text


def test_the_guide_names_files_and_settings_that_exist() -> None:
    guide = (ROOT / "docs/DEPLOYMENT.md").read_text("utf-8")
    named = set(re.findall(r"MANGPING_[A-Z_]*[A-Z]", guide))
    assert named <= known_names()
    for name in re.findall(r"deploy/((?:systemd|postgres|proxy)/[\w.-]+\w)", guide):
        assert (DEPLOY / name).is_file(), name
    for code in re.findall(r"--only (\w+)", guide):
        check_command(["serve", "--only", code])
