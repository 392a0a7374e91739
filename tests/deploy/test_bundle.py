"""The offline bundle: proved for each target before it takes its name; damage is found."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from deploy import bundle
from deploy.bundle import Target

ROOT = Path(__file__).resolve().parents[2]
PARTS = ROOT / "deploy" / "offline"
LINUX, WINDOWS = Target("linux-x86_64", "3.11"), Target("windows-amd64", "3.11")


def wheel(folder: Path, name: str, *asks: str) -> Path:
    """A wheel with nothing but its metadata."""
    project, version, *_ = name.split("-")
    lines = ["Metadata-Version: 2.1", f"Name: {project}", f"Version: {version}"]
    lines += [f"Requires-Dist: {asked}" for asked in asks]
    folder.mkdir(exist_ok=True)
    with zipfile.ZipFile(folder / name, "w") as archive:
        archive.writestr(f"{project}-{version}.dist-info/METADATA", "\n".join(lines) + "\n")
    return folder / name


def lock(folder: Path, *pins: str) -> Path:
    path = folder / "lock.txt"
    path.write_text("".join(f"{pin} \\\n    --hash=sha256:{'0' * 64}\n" for pin in pins))
    return path


def test_each_system_has_what_holds_there(tmp_path: Path) -> None:
    """pip on Linux would have left out what only Windows asks for."""
    wheels = tmp_path / "wheels"
    wheel(wheels, "click-8.0-py3-none-any.whl", 'colorama; sys_platform == "win32"')
    assert bundle.unmet(wheels, lock(tmp_path, "click==8.0"), LINUX) == []
    lacking = bundle.unmet(wheels, lock(tmp_path, "click==8.0"), WINDOWS)
    assert len(lacking) == 1 and lacking[0].startswith("colorama")
    wheel(wheels, "colorama-0.4.6-py2.py3-none-any.whl")
    both = lock(tmp_path, "click==8.0", "colorama==0.4.6")
    assert bundle.unmet(wheels, both, WINDOWS) == []


def test_a_wheel_of_another_system_python_or_version_is_none(tmp_path: Path) -> None:
    wheels = tmp_path / "wheels"
    pins = lock(tmp_path, "tool==2.0")
    for name in (
        "tool-2.0-cp311-cp311-win_amd64.whl",
        "tool-2.0-cp312-cp312-manylinux_2_17_x86_64.whl",
        "tool-1.0-cp311-cp311-manylinux_2_17_x86_64.whl",
        "tool-2.0-cp311-cp311-manylinux_2_35_x86_64.whl",
        "tool-2.0-cp312-abi3-manylinux_2_17_x86_64.whl",
    ):
        wheel(wheels, name)
        assert bundle.unmet(wheels, pins, LINUX) == ["tool==2.0"], name
    wheel(wheels, "tool-2.0-cp39-abi3-manylinux_2_17_x86_64.manylinux2014_x86_64.whl")
    assert bundle.unmet(wheels, pins, LINUX) == []


def test_a_version_that_a_wheel_does_not_accept_is_named(tmp_path: Path) -> None:
    wheels = tmp_path / "wheels"
    wheel(wheels, "app-1.0-py3-none-any.whl", "part>=2", 'extra-part; extra == "more"')
    wheel(wheels, "part-1.5-py3-none-any.whl")
    lacking = bundle.unmet(wheels, lock(tmp_path, "app==1.0", "part==1.5"), LINUX)
    assert lacking == ["part>=2 (for app-1.0-py3-none-any.whl)"]


def test_without_a_wheel_the_package_is_named_and_nothing_is_made(tmp_path: Path) -> None:
    """A resolver that refuses wheels alone, as uv does for a package that has only sources."""
    uv = tmp_path / "uv.py"
    uv.write_text(
        "import sys\n"
        "given = sys.stdin.read()\n"
        "only = '--only-binary' in sys.argv\n"
        "if only and (not given or 'sources' in given):\n"
        "    sys.exit('no wheel')\n"
        "print(given or 'fine==1.0\\nsources==2.0')\n"
    )
    made = tmp_path / "lock.txt"
    with pytest.raises(bundle.BundleError, match=r"wheel.*: sources==2\.0$"):
        bundle.lock_for([sys.executable, str(uv)], WINDOWS, made, extras=[])
    assert not made.exists()


def test_every_extra_that_an_installation_may_use_is_in() -> None:
    assert "postgres" in bundle.run_extras()
    assert "dev" not in bundle.run_extras()


def test_both_systems_are_made_for_each_python() -> None:
    assert [t.name for t in bundle.targets(["3.11", "3.12"])] == [
        "linux-x86_64-py3.11",
        "windows-amd64-py3.11",
        "linux-x86_64-py3.12",
        "windows-amd64-py3.12",
    ]


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """A bundle without wheels."""
    folder = tmp_path / "bundle"
    (folder / "locks").mkdir(parents=True)
    bundle.add_parts(folder, with_tests=False)
    bundle.write_sums(folder)
    return folder


def test_the_parts_that_a_person_needs_are_in(made: Path) -> None:
    names = {path.relative_to(made).as_posix() for path in made.rglob("*") if path.is_file()}
    assert {"install.sh", "install.bat", "upgrade.sh", "README.md", "README.zh-CN.md"} <= names
    assert {"samples/roster.xlsx", "deploy/systemd/mangping-review.service"} <= names
    assert {"DEPLOYMENT.md", "LICENSE", "NOTICE"} <= names
    assert not [name for name in names if "__pycache__" in name]
    batch = (made / "install.bat").read_bytes()
    assert batch.count(b"\n") == batch.count(b"\r\n")


def test_damage_is_named_on_a_bare_python(made: Path) -> None:
    def verify(*more: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-S", str(made / "verify.py"), *more]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    assert verify().returncode == 0
    sums = (made / bundle.SUMS).read_bytes()
    assert verify("--id").stdout.strip() == hashlib.sha256(sums).hexdigest()[:12]
    (made / "samples/roster.xlsx").write_bytes(b"another")
    (made / "LICENSE").unlink()
    done = verify()
    assert done.returncode == 1
    assert done.stdout.splitlines() == ["LICENSE", "samples/roster.xlsx"]


posix = pytest.mark.skipif(sys.platform != "linux", reason="a script for Linux")


def sh(script: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    command = ["sh", str(script), *arguments]
    given = {**os.environ, **more}
    return subprocess.run(command, capture_output=True, text=True, env=given, check=False)


@posix
def test_a_damaged_bundle_installs_nothing(made: Path, tmp_path: Path) -> None:
    (made / "NOTICE").write_text("another")
    done = sh(made / "install.sh", str(tmp_path / "target"))
    assert done.returncode == 2
    assert "NOTICE" in done.stdout + done.stderr
    assert not (tmp_path / "target").exists()


@posix
def test_a_python_that_the_bundle_does_not_fit_is_said(made: Path, tmp_path: Path) -> None:
    (made / "locks/linux-x86_64-py3.5.txt").write_text("")
    bundle.write_sums(made)
    done = sh(made / "install.sh", str(tmp_path / "target"))
    assert done.returncode == 2
    assert "this bundle is for: 3.5" in done.stderr
    assert not (tmp_path / "target").exists()


@posix
@pytest.mark.parametrize("works", [True, False])
def test_an_upgrade_backs_up_with_the_old_version_before_it_switches(
    tmp_path: Path, works: bool
) -> None:
    """The steps and their order, with versions that only say what they were asked."""
    new, target, said = tmp_path / "new", tmp_path / "target", tmp_path / "said"
    (target / "old/bin").mkdir(parents=True)
    (target / "current").symlink_to("old")
    (tmp_path / "backups").mkdir()
    new.mkdir()
    (new / "SHA256SUMS").write_text("of the new version\n")
    shutil.copy(PARTS / "upgrade.sh", new)
    (new / "install.sh").write_text(f'echo "install $SWITCH" >> {said}\n')
    tool = target / "old/bin/mangping"
    tool.write_text(
        f'#!/bin/sh\necho "old $1 $(readlink {target}/current)" >> {said}\nexit {int(not works)}\n'
    )
    tool.chmod(0o755)
    # No systemctl on the PATH: a test must not stop services of the machine it runs on.
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("sh", "readlink", "sha256sum", "cut", "date", "dirname", "ln", "cat"):
        (programs / name).symlink_to(str(shutil.which(name)))
    done = sh(
        *(new / "upgrade.sh", str(target), str(tmp_path / "data"), str(tmp_path / "backups")),
        PATH=str(programs),
        SETTINGS=str(tmp_path / "none"),
    )
    assert said.read_text().splitlines() == ["install no", "old backup old"]
    sums = hashlib.sha256(b"of the new version\n").hexdigest()[:12]
    assert str((target / "current").readlink()) == (sums if works else "old")
    assert done.returncode == (0 if works else 2)
    assert ("ln -sfn old" in done.stdout) is works


@pytest.mark.skipif(
    "MANGPING_BUNDLE" not in os.environ,
    reason="installing takes minutes and a bundle: set MANGPING_BUNDLE to one that make bundle "
    "made, or run make bundle-test",
)
def test_a_fresh_machine_without_network_installs_and_works() -> None:
    script = ROOT / "benchmarks" / "bundle_offline.py"
    bundle_folder = os.environ["MANGPING_BUNDLE"]
    done = subprocess.run([sys.executable, str(script), bundle_folder], check=False)
    assert done.returncode == 0
