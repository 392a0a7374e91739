"""`make bundle`: everything that an office without internet needs to install mangping, in a folder.

    python run.py bundle [--out FOLDER] [--python 3.11]... [--with-tests] [--zip]

uv resolves for each target, because pip answers `sys_platform == "win32"` for the machine it runs
on; pip downloads by hash alone. What was downloaded is then proved: every wheel's own metadata is
read and each requirement that holds on the target must be met by a wheel in the folder.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from dataclasses import dataclass
from email.parser import HeaderParser
from pathlib import Path

from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name, parse_wheel_filename

ROOT = Path(__file__).resolve().parent.parent
PARTS = Path(__file__).resolve().parent / "offline"
OLDEST_GLIBC = 28
"""2.28: Debian 10, openEuler, Kylin V10, UOS 20, and newer. onnxruntime has no wheel for less."""
SUMS = "SHA256SUMS"
TEST_PARTS = ("tests", "sample_scans", "pyproject.toml", "docs/POLICIES.md")


class BundleError(Exception):
    """The bundle could not be made, or is not whole."""


@dataclass(frozen=True)
class Target:
    """A kind of machine: system ("linux-x86_64", "windows-amd64") and Python ("3.11")."""

    system: str
    python: str

    @property
    def name(self) -> str:
        """The lock's name; the install scripts look for it."""
        return f"{self.system}-py{self.python}"

    @property
    def platform(self) -> str:
        """uv's name of the system."""
        windows = "x86_64-pc-windows-msvc"
        return windows if self.windows else f"x86_64-manylinux_2_{OLDEST_GLIBC}"

    @property
    def windows(self) -> bool:
        return self.system.startswith("windows")

    @property
    def tags(self) -> list[str]:
        """pip's names of the system, the newest first. pip infers no older ones from a new one."""
        if self.windows:
            return ["win_amd64"]
        modern = [f"manylinux_2_{minor}_x86_64" for minor in range(OLDEST_GLIBC, 4, -1)]
        return [*modern, "manylinux2014_x86_64", "manylinux2010_x86_64", "manylinux1_x86_64"]

    def environment(self) -> dict[str, str]:
        """What the markers of requirements are asked about on such a machine."""
        system = (
            {"sys_platform": "win32", "platform_system": "Windows", "os_name": "nt"}
            if self.windows
            else {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix"}
        )
        return {
            **{key: str(value) for key, value in default_environment().items()},
            **system,
            "platform_machine": "AMD64" if self.windows else "x86_64",
            "implementation_name": "cpython",
            "platform_python_implementation": "CPython",
            "python_version": self.python,
            "python_full_version": f"{self.python}.0",
        }


def main(arguments: list[str]) -> int:
    asked = parse(arguments)
    try:
        made = make(asked.out, targets(asked.python), with_tests=asked.with_tests)
        packed = pack(made) if asked.zip else None
    except BundleError as error:
        print(f"\n{error}", file=sys.stderr)
        return 2
    size = sum(path.stat().st_size for path in made.rglob("*") if path.is_file())
    print(f"\n{made}  {size / 2**20:.0f} MB" + (f"\n{packed}" if packed else ""))
    print(f"sha256 of {SUMS}: {sha256(made / SUMS)}")
    print("请把该文件夹带到目标机器，核对上面的校验和，再运行 install.sh 或 install.bat。")
    print("Carry the folder over, compare the sum above, then run install.sh or install.bat.")
    return 0


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="run.py bundle", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--out", type=Path, default=ROOT / "dist", help="where the bundle is put")
    parser.add_argument("--python", action="append", help="3.11, 3.12, ...; may be repeated")
    parser.add_argument("--with-tests", action="store_true", help="and what the tests need")
    parser.add_argument("--zip", action="store_true", help="and one file of it all")
    return parser.parse_args(arguments)


def targets(pythons: list[str] | None) -> list[Target]:
    """Both systems for each Python, this one when none is named."""
    chosen = pythons or [f"{sys.version_info[0]}.{sys.version_info[1]}"]
    return [Target(system, p) for p in chosen for system in ("linux-x86_64", "windows-amd64")]


def make(out: Path, wanted: list[Target], *, with_tests: bool = False) -> Path:
    """The bundle's folder, made anew; it takes its name only when it is proved."""
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out, prefix=".bundle-") as scratch:
        folder = Path(scratch) / "bundle"
        wheels, locks = folder / "wheels", folder / "locks"
        for part in (wheels, locks):
            part.mkdir(parents=True)
        ours = build_wheel(wheels)
        uv = resolver(Path(scratch))
        for target in wanted:
            say(f"{target.name}: resolve")
            lock = locks / f"{target.name}.txt"
            lock_for(uv, target, lock, extras=run_extras())
            fetch(lock, target, wheels)
            add_ours(lock, ours)
            if with_tests:
                more = locks / f"{target.name}-tests.txt"
                lock_for(uv, target, more, extras=[*run_extras(), "dev"])
                fetch(more, target, wheels)
                add_ours(more, ours)
            lacking = unmet(wheels, lock, target)
            if lacking:
                raise BundleError(f"{target.name} lacks: " + "; ".join(lacking))
        add_parts(folder, with_tests=with_tests)
        write_sums(folder)
        final = out / f"mangping-{parse_wheel_filename(ours.name)[1]}-offline"
        if final.exists():
            shutil.rmtree(final)
        folder.rename(final)
    return final


def run_extras() -> list[str]:
    """The extras of pyproject.toml that an installation may use."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return [name for name in project["optional-dependencies"] if name != "dev"]


def build_wheel(wheels: Path) -> Path:
    """Our own wheel, with the model files that hatch_build.py puts in."""
    say("wheel of mangping, with its models")
    pip("wheel", "--no-deps", "--wheel-dir", str(wheels), str(ROOT))
    return next(wheels.glob("mangping-*.whl"))


def resolver(scratch: Path) -> list[str]:
    """uv's command: the machine's own, else a copy for this run."""
    found = shutil.which("uv")
    if found:
        return [found]
    say("uv, for this run only")
    pip("install", "--target", str(scratch / "uv"), "uv>=0.5")
    return [str(scratch / "uv" / "bin" / ("uv.exe" if os.name == "nt" else "uv"))]


def lock_for(uv: list[str], target: Target, lock: Path, extras: list[str]) -> None:
    """Writes the exact versions and hashes that `target` needs. Names all that has no wheel."""
    source = [str(ROOT / "pyproject.toml"), *(f"--extra={name}" for name in extras)]
    done = compiled(uv, target, [*source, "--only-binary", ":all:", "--generate-hashes"])
    if done.returncode == 0:
        lock.write_text(done.stdout, encoding="utf-8", newline="\n")
        return
    everything = compiled(uv, target, source)
    lacking = [
        pin
        for pin in re.findall(r"^[\w.-]+==\S+", everything.stdout, re.M)
        if compiled(uv, target, ["-", "--no-deps", "--only-binary", ":all:"], pin).returncode
    ]
    named = "; ".join(lacking) or done.stderr.strip()
    raise BundleError(
        f"没有适用于 {target.name} 的 wheel，无法离线安装：{named}\n"
        f"No wheel for {target.name}, so it cannot be installed offline: {named}"
    )


def compiled(
    uv: list[str], target: Target, arguments: list[str], given: str = ""
) -> subprocess.CompletedProcess[str]:
    command = [*uv, "pip", "compile", "--quiet", "--no-header", "--no-annotate", *arguments]
    command += ["--python-version", target.python, "--python-platform", target.platform]
    if index := configured_index():
        command += ["--default-index", index]
    return subprocess.run(
        command,
        cwd=ROOT,
        input=given,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )


def configured_index() -> str:
    """The index or mirror that pip was told to use; uv does not read pip's settings."""
    done = subprocess.run(
        [sys.executable, "-m", "pip", "config", "get", "global.index-url"],
        capture_output=True,
        text=True,
        check=False,
    )
    return os.environ.get("PIP_INDEX_URL", "") or done.stdout.strip()


def fetch(lock: Path, target: Target, wheels: Path) -> None:
    """Downloads what the lock names, by its hashes."""
    say(f"{lock.stem}: download")
    platforms = [word for tag in target.tags for word in ("--platform", tag)]
    pip(
        *("download", "--no-deps", "--require-hashes", "--only-binary", ":all:"),
        *("--python-version", target.python, "--implementation", "cp", *platforms),
        *("--dest", str(wheels), "--requirement", str(lock)),
    )


def add_ours(lock: Path, wheel: Path) -> None:
    """Our own wheel joins the lock, so that one command installs exactly what was proved."""
    name, version, _, _ = parse_wheel_filename(wheel.name)
    with lock.open("a", encoding="utf-8", newline="\n") as file:
        file.write(f"{name}=={version} \\\n    --hash=sha256:{sha256(wheel)}\n")


def pins(lock: Path) -> dict[str, str]:
    """{canonical name: version} of a lock."""
    found = re.findall(r"^([A-Za-z0-9_.-]+)==(\S+)", lock.read_text("utf-8"), re.M)
    return {canonicalize_name(name): version for name, version in found}


def unmet(wheels: Path, lock: Path, target: Target) -> list[str]:
    """What the lock or a wheel's metadata asks for on `target` and no wheel that fits meets."""
    wanted = pins(lock)
    fitting = {
        canonicalize_name(parse_wheel_filename(path.name)[0]): path
        for path in wheels.glob("*.whl")
        if fits(path, target) and _version(path) == wanted.get(_name(path))
    }
    lacking = [f"{name}=={version}" for name, version in wanted.items() if name not in fitting]
    for path in fitting.values():
        for asked in requirements(path, target):
            version = wanted.get(canonicalize_name(asked.name))
            if version is None or not asked.specifier.contains(version, prereleases=True):
                lacking.append(f"{asked} (for {path.name})")
    return lacking


def _name(wheel: Path) -> str:
    return canonicalize_name(parse_wheel_filename(wheel.name)[0])


def _version(wheel: Path) -> str:
    return str(parse_wheel_filename(wheel.name)[1])


def fits(wheel: Path, target: Target) -> bool:
    """Whether pip on `target` would take the wheel."""
    minor = target.python.replace(".", "")
    for tag in parse_wheel_filename(wheel.name)[3]:
        system = tag.platform == "any" or tag.platform in target.tags
        exact = tag.interpreter in (f"cp{minor}", f"py{minor}", "py3")
        stable = tag.abi == "abi3" and _number(tag.interpreter) <= _number(f"cp{minor}")
        if system and (exact or stable):
            return True
    return False


def _number(interpreter: str) -> int:
    """cp39 -> 9, cp311 -> 11."""
    return int(interpreter[3:] or 0)


def requirements(wheel: Path, target: Target) -> list[Requirement]:
    """What a wheel's own metadata demands on `target`, without extras."""
    with zipfile.ZipFile(wheel) as archive:
        name = next(n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
        text = archive.read(name).decode("utf-8", "replace")
    environment = {**target.environment(), "extra": ""}
    asked = [
        Requirement(line) for line in HeaderParser().parsestr(text).get_all("Requires-Dist", [])
    ]
    return [r for r in asked if r.marker is None or r.marker.evaluate(environment)]


def add_parts(folder: Path, *, with_tests: bool) -> None:
    """Install scripts, READMEs, samples, deployment files and, if asked, the tests."""
    for part in sorted(PARTS.iterdir()):
        if part.suffix == ".bat":  # cmd misreads labels of files with bare line feeds
            text = part.read_text("utf-8").replace("\r\n", "\n").replace("\n", "\r\n")
            (folder / part.name).write_bytes(text.encode())
        else:
            shutil.copyfile(part, folder / part.name)
    (folder / "install.sh").chmod(0o755)
    shutil.copytree(ROOT / "sample_scans" / "set", folder / "samples")
    hidden = shutil.ignore_patterns("__pycache__", "*.py", "offline")
    shutil.copytree(ROOT / "deploy", folder / "deploy", ignore=hidden)
    for name in ("LICENSE", "NOTICE", "CHANGELOG.md", "docs/DEPLOYMENT.md"):
        if (ROOT / name).is_file():
            shutil.copyfile(ROOT / name, folder / Path(name).name)
    if with_tests:
        for name in TEST_PARTS:
            source, copy = ROOT / name, folder / "offline-tests" / name
            copy.parent.mkdir(exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, copy, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copyfile(source, copy)


def write_sums(folder: Path) -> None:
    """A line for each file, as sha256sum reads it."""
    files = sorted(p for p in folder.rglob("*") if p.is_file() and p != folder / SUMS)
    lines = [f"{sha256(path)}  {path.relative_to(folder).as_posix()}\n" for path in files]
    (folder / SUMS).write_text("".join(lines), encoding="utf-8", newline="\n")


def pack(folder: Path) -> Path:
    """One file of the bundle; wheels are compressed already."""
    target = folder.with_name(folder.name + ".zip")
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.write(path, f"{folder.name}/{path.relative_to(folder).as_posix()}")
    return target


def pip(*arguments: str) -> None:
    command = [sys.executable, "-m", "pip", arguments[0], "-qq", "--disable-pip-version-check"]
    if subprocess.run([*command, *arguments[1:]], cwd=ROOT, check=False).returncode:
        raise BundleError(
            f"pip {arguments[0]} 未成功，原因见上。请连接互联网或设置镜像源后重试。\n"
            f"pip {arguments[0]} did not succeed; the reason is above. Connect to the internet or "
            "set a mirror, then run again."
        )


def sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def say(text: str) -> None:
    print(f"-> {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
