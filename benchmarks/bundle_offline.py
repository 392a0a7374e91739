"""Installs the offline bundle where there is no network, and works with what it installed.

    python benchmarks/bundle_offline.py [BUNDLE] [--tests] [--keep]

BUNDLE: a folder that `make bundle` made; the newest one in dist/ when none is named. The network
is taken away with `unshare --net` (a network namespace with nothing but a loopback); where that is
not permitted, pip is told of no index and all proxies point nowhere. Home and temporary folders
are new, so that no cache helps. `--tests` runs the tests that a bundle made --with-tests carries.
Exit code 0 only if every step did. Takes 3 to 10 minutes; the standard library is enough.
"""

from __future__ import annotations

import argparse
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
INSIDE = "MANGPING_BUNDLE_INSIDE"
OFFLINE_TESTS = ("tests/scoring", "tests/models", "tests/redactor/test_doctor.py")
"""Those that need neither the browser nor the source tree, in a few minutes."""


def main(arguments: list[str]) -> int:
    asked = parse(arguments)
    bundle = (asked.bundle or newest()).resolve()
    if os.environ.get(INSIDE) is None:
        return again_without_network(bundle, asked)
    loopback_up()
    reached = network_is_there()
    print(f"bundle {bundle}\nnetwork: {'REACHED' if reached else 'none'}", flush=True)
    if reached and os.environ[INSIDE] == "namespace":
        return 1
    with tempfile.TemporaryDirectory(prefix="mangping-offline-") as scratch:
        # As root, the tests' PostgreSQL runs as another user, below this folder.
        Path(scratch).chmod(0o711)
        code = steps(bundle, Path(scratch), tests=asked.tests)
        if asked.keep:
            shutil.copytree(Path(scratch) / "out", ROOT / "demo-output/offline", dirs_exist_ok=True)
    return code


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("bundle", nargs="?", type=Path)
    parser.add_argument("--tests", action="store_true")
    parser.add_argument("--keep", action="store_true", help="the outputs, in demo-output/offline")
    return parser.parse_args(arguments)


def newest() -> Path:
    made = sorted((ROOT / "dist").glob("mangping-*-offline"), key=lambda p: p.stat().st_mtime)
    if not made:
        sys.exit("dist/ holds no bundle. Make one first: make bundle")
    return made[-1]


def again_without_network(bundle: Path, asked: argparse.Namespace) -> int:
    """This script once more, where nothing can be reached."""
    command = [sys.executable, __file__, str(bundle)]
    command += [f"--{name}" for name in ("tests", "keep") if getattr(asked, name)]
    environment = bare_environment()
    for way in (["unshare", "--net"], ["unshare", "--net", "--map-root-user"]):
        if (
            shutil.which("unshare")
            and not subprocess.run([*way, "true"], capture_output=True).returncode
        ):
            environment[INSIDE] = "namespace"
            return subprocess.run([*way, *command], env=environment).returncode
    nowhere = "http://127.0.0.1:9"
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        environment[name] = nowhere
    environment.update({INSIDE: "proxies", "PIP_NO_INDEX": "1"})
    return subprocess.run(command, env=environment).returncode


def bare_environment() -> dict[str, str]:
    """Nothing of this user's settings for pip, Python or caches."""
    kept = ("PATH", "LANG", "LC_ALL", "SYSTEMROOT", "TEMP", "TMP")
    return {name: os.environ[name] for name in kept if name in os.environ}


def loopback_up() -> None:
    """A new namespace has a loopback that is down; the office's pages are served on it."""
    if os.environ.get(INSIDE) != "namespace":
        return
    import fcntl

    set_flags, up, running = 0x8914, 0x1, 0x40
    with socket.socket() as any_socket:
        fcntl.ioctl(any_socket, set_flags, struct.pack("16sh", b"lo", up | running))


def network_is_there() -> bool:
    """Whether any other machine can be reached: there is an interface beside the loopback."""
    return any(name != "lo" for _, name in socket.if_nameindex())


def steps(bundle: Path, scratch: Path, *, tests: bool) -> int:
    """Install, look, mask, prove, tally, demo; names what did not work."""
    home, out = scratch / "home", scratch / "out"
    for folder in (home, out):
        folder.mkdir()
    environment = {**os.environ, "HOME": str(home), "TMPDIR": str(scratch), "OMP_NUM_THREADS": "1"}
    environment["PYTHONDONTWRITEBYTECODE"] = "1"
    target = scratch / "installed"
    tool = target / "current" / "bin" / "mangping"
    samples = bundle / "samples"
    blind, vault = out / "blind", out / "vault"
    todo: list[tuple[str, list[str], tuple[int, ...]]] = [
        ("install", ["sh", str(bundle / "install.sh"), str(target)], (0,)),
        ("doctor", [str(tool), "doctor"], (0,)),
        (
            "redact the samples",
            [str(tool), "redact", str(samples / "scans"), "--roster", str(samples / "roster.xlsx")]
            + ["--blind", str(blind), "--vault", str(vault), "--jobs", "2"],
            (0, 1),
        ),
        ("inspect", [str(tool), "inspect", str(blind)], (0,)),
        ("policies", [str(tool), "policies"], (0,)),
        ("demo", [str(tool), "demo", "--samples", str(samples), "--out", str(out / "demo")], (0,)),
        (
            "backup",
            [str(tool), "backup", str(out / "backup"), "--data", str(out / "demo/office")],
            (0,),
        ),
    ]
    if tests:
        with_tests = scratch / "with-tests"
        todo.append(
            (
                "install for tests",
                ["sh", str(bundle / "install.sh"), str(with_tests), "--tests"],
                (0,),
            )
        )
        python = with_tests / "current/bin/python"
        todo.append(
            ("tests", [str(python), "-m", "pytest", "-p", "no:cacheprovider", *OFFLINE_TESTS], (0,))
        )
    failed = []
    for name, command, good in todo:
        began = time.monotonic()
        where = bundle / "offline-tests" if name == "tests" else scratch
        log = scratch / "log"
        with log.open("w", encoding="utf-8") as stream:
            code = subprocess.run(
                command, cwd=where, env=environment, stdout=stream, stderr=stream
            ).returncode
        ok = code in good
        print(
            f"{'ok    ' if ok else 'FAILED'} {name}: exit {code}, {time.monotonic() - began:.0f} s",
            flush=True,
        )
        if name in ("doctor", "tests") or not ok:
            print(
                "\n".join(
                    "    " + line for line in log.read_text("utf-8", "replace").splitlines()[-25:]
                )
            )
        if not ok:
            failed.append(name)
            if name.startswith("install"):
                break
    if failed:
        print(f"failed: {', '.join(failed)}")
        return 1
    size = sum(p.stat().st_size for p in (target / "current").resolve().rglob("*") if p.is_file())
    pages = sum(1 for p in blind.rglob("*.jpg"))
    print(f"installed {size / 2**20:.0f} MB; {pages} blind pages")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
