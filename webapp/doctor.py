"""What keeps an installation from working or from being safe, each with its remedy.

The machine itself (Python, models, libraries, disk) is looked at by redactor.doctor; here come
folders, stores, roles, ports, memory and clock of the installation that the settings describe.
Nothing is made or changed.
"""

from __future__ import annotations

import os
import urllib.error
import urllib.request
from collections.abc import Iterator
from importlib import import_module, metadata
from pathlib import Path
from typing import Any

from models.errors import Sentence
from redactor import doctor as machine
from webapp.doctor_stores import stores
from webapp.finding import Finding, Level
from webapp.folder_rights import shared
from webapp.one_service import CREDENTIALS, Part
from webapp.ports import in_url, why_taken
from webapp.settings import Settings

MEMORY_PER_WORKER = 10**9
"""Bytes; measured, see docs/PERFORMANCE.md."""
NETWORK_DISKS = ("nfs", "cifs", "smb", "fuse.sshfs", "9p")
FONT = "NotoSansSC-Regular.otf"


def examine(settings: Settings, part: Part | None = None) -> list[Finding]:
    """All findings, in the order in which to mend them; of one service when `part` says which."""
    found = [_of_machine(check) for check in machine.examine(settings.data)]
    found.append(fonts())
    if part in (None, Part.RUNNER):
        found.append(memory(settings.workers or os.cpu_count() or 1, _memory_bytes()))
    if part is Part.REVIEW:
        found.append(no_vault(settings, dict(os.environ)))
    else:
        found += key_file(settings)
    found += folders(settings, part)
    found += stores(settings, part)
    found += ports(settings, part)
    if part in (None, Part.OFFICE):
        found += https(settings)
    return found


def _of_machine(check: machine.Check) -> Finding:
    def told(sentence: Any) -> Sentence:
        return Sentence(sentence.zh, sentence.en)

    level: Level = "ok" if check.ok else "problem"
    return Finding(level, told(check.name), told(check.detail), told(check.remedy))


def fonts() -> Finding:
    """Minutes, notices and cards are printed with the font that is installed with mangping."""
    name = Sentence("打印字体", "fonts for printing")
    try:
        files = metadata.files("pylopdf-fonts-zh-cn") or []
    except metadata.PackageNotFoundError:
        files = []
    found = [file for file in files if file.name == FONT and Path(str(file.locate())).is_file()]
    if found:
        return Finding("ok", name, Sentence(FONT, FONT))
    return Finding(
        "problem",
        name,
        Sentence(f"缺少 {FONT}", f"{FONT} is missing"),
        Sentence(
            "会议纪要和公示无法打印中文。请重新安装 mangping。",
            "Minutes and notices cannot be printed in Chinese. Install mangping again.",
        ),
    )


def memory(workers: int, there: int) -> Finding:
    """`there`: bytes of the machine, 0 when unknown."""
    name = Sentence("内存", "memory")
    gigabytes = f"{there / 10**9:.0f} GB"
    detail = Sentence(f"{gigabytes}，{workers} 个遮盖进程", f"{gigabytes}, {workers} workers")
    if not there or there >= (workers + 1) * MEMORY_PER_WORKER:
        return Finding("ok", name, detail)
    fewer = max(1, there // MEMORY_PER_WORKER - 1)
    return Finding(
        "warning",
        name,
        detail,
        Sentence(
            f"每个进程约需 1 GB。请设 MANGPING_WORKERS={fewer}，或增加内存。",
            f"A worker takes about 1 GB. Set MANGPING_WORKERS={fewer}, or add memory.",
        ),
    )


def _memory_bytes() -> int:
    # It has no type hints, and only this line needs it.
    return int(import_module("psutil").virtual_memory().total)


def no_vault(settings: Settings, given: dict[str, str]) -> Finding:
    """The experts' service can open nothing of the office's."""
    name = Sentence("评委服务与保险库隔离", "the experts' service knows no vault")
    named = [item for item in CREDENTIALS if given.get(item)]
    if os.access(settings.vault, os.R_OK | os.X_OK):
        named.append(str(settings.vault))
    if not named:
        return Finding("ok", name, Sentence("是", "yes"))
    return Finding(
        "problem",
        name,
        Sentence(f"可以得到 {'、'.join(named)}", f"it can reach {', '.join(named)}"),
        Sentence(
            "请从评委服务的设置和文件夹中去掉，见 docs/DEPLOYMENT.md。",
            "Take it out of that service's settings and folders; see docs/DEPLOYMENT.md.",
        ),
    )


def key_file(settings: Settings) -> list[Finding]:
    """The vault's key, when one is set, is there, private and outside the data folder."""
    path = settings.vault_key
    if path is None:
        return []
    name = Sentence("保险库密钥", "the vault's key")
    told = Sentence(str(path), str(path))
    if not path.is_file() or not os.access(path, os.R_OK):
        remedy = Sentence(
            "该文件不存在或无法读取。请从保管处取回；没有密钥，保险库无法打开。",
            "There is no such file, or it cannot be read. Bring it back from where it is kept; "
            "without it the vault cannot be opened.",
        )
    elif settings.data.resolve() in path.resolve().parents:
        remedy = Sentence(
            "密钥与数据放在一起，会一同被盗。请移到数据文件夹之外。",
            "It lies in the data folder and would be stolen with it. Move it elsewhere.",
        )
    elif os.name != "nt" and path.stat().st_mode & 0o077:
        remedy = Sentence(f"请运行 chmod 600 {path}", f"Run chmod 600 {path}")
    else:
        return [Finding("ok", name, told)]
    return [Finding("problem", name, told, remedy)]


def folders(settings: Settings, part: Part | None) -> Iterator[Finding]:
    """What a service must be able to write is writable, and closed to everybody else."""
    if not settings.data.exists():
        yield Finding(
            "ok",
            Sentence("数据文件夹", "data folder"),
            Sentence(
                f"{settings.data} 尚不存在，首次启动时建立",
                f"{settings.data} is not there yet; the first start makes it",
            ),
        )
        return
    experts, group = part is Part.REVIEW, settings.experts_group
    wanted = [(settings.blind, not experts, 0o050 if group else 0)]
    wanted.append((settings.review, True, 0o070 if group else 0))
    if not experts:
        wanted = [(settings.data, True, 0), (settings.vault, True, 0), *wanted]
    for folder, writable, allowed in wanted:
        yield folder_finding(folder, writable=writable, allowed=allowed)
    kind = _file_system(settings.data)
    if kind.startswith(NETWORK_DISKS) and "sqlite" in settings.review_url + settings.vault_url:
        yield Finding(
            "problem",
            Sentence("磁盘类型", "kind of disk"),
            Sentence(f"{settings.data} 在网络盘上（{kind}）", f"{settings.data} is on {kind}"),
            Sentence(
                "SQLite 数据库在网络盘上会损坏。请移到本机磁盘，或改用 PostgreSQL。",
                "An SQLite database is damaged on a network share. Move the folder to a local "
                "disk, or use PostgreSQL.",
            ),
        )


def folder_finding(folder: Path, *, writable: bool, allowed: int) -> Finding:
    """`allowed`: the group's rights (bits of 0o070) that the settings grant."""
    name = Sentence(f"文件夹 {folder.name}", f"folder {folder.name}")
    told = Sentence(str(folder), str(folder))
    if not folder.is_dir():
        detail = Sentence(f"{folder} 不存在", f"{folder} is not there")
        remedy = Sentence(
            "请启动办公室服务（它会建立），或从备份恢复。",
            "Start the office's service, which makes it, or restore a backup.",
        )
        return Finding("warning", name, detail, remedy)
    if not os.access(folder, os.R_OK | os.X_OK | (os.W_OK if writable else 0)):
        detail = Sentence(f"{folder} 当前用户无权使用", f"{folder} is closed to this user")
        remedy = Sentence(
            "请用运行服务的用户运行 doctor；若仍如此，请把文件夹的属主改为该用户。",
            "Run the doctor as the service's user; if it stays so, make that user the owner.",
        )
        return Finding("problem", name, detail, remedy)
    if os.name == "nt":
        return Finding("ok", name, told)
    mode = folder.stat().st_mode & 0o777
    if mode & 0o007 or shared(folder) & ~allowed:
        detail = Sentence(f"{folder} 他人可以打开（{mode:o}）", f"{folder} is open ({mode:o})")
        right = f"chmod {0o700 | allowed:o} {folder}"
        return Finding("problem", name, detail, Sentence(f"请运行 {right}", f"Run {right}"))
    return Finding("ok", name, Sentence(f"{folder}（{mode:o}）", f"{folder} ({mode:o})"))


def _file_system(folder: Path) -> str:
    """The kind of file system, as Linux calls it; "" elsewhere."""
    mounts = Path("/proc/mounts")
    if not mounts.is_file():
        return ""
    place, best, kind = folder.resolve(), "", ""
    for line in mounts.read_text("utf-8", "replace").splitlines():
        _, point, found, *_ = line.split(" ")
        point = point.replace("\\040", " ")
        if len(point) >= len(best) and place.is_relative_to(point):
            best, kind = point, found
    return kind


def ports(settings: Settings, part: Part | None) -> list[Finding]:
    """The ports are free, or mangping itself answers there."""
    asked = {"office": settings.port, "review": settings.port_of_review}
    wanted = [asked[part.value]] if part in (Part.OFFICE, Part.REVIEW) else list(asked.values())
    return [] if part is Part.RUNNER else [port_finding(settings.host, port) for port in wanted]


def port_finding(host: str, port: int) -> Finding:
    """Of one port."""
    name = Sentence(f"端口 {port}", f"port {port}")
    error = why_taken(host, port)
    if error is None:
        return Finding("ok", name, Sentence("空闲", "free"))
    if is_ours(host, port):
        return Finding("ok", name, Sentence("mangping 正在运行", "mangping is running"))
    return Finding(
        "problem",
        name,
        Sentence(f"{host}:{port} {error.strerror}", f"{host}:{port} {error.strerror}"),
        Sentence(
            "其他程序占用了该端口。请结束它，或用 --port、--review-port、--host 另选。",
            "Another program has it. End that, or choose others with --port, "
            "--review-port, --host.",
        ),
    )


def is_ours(host: str, port: int) -> bool:
    """Whether mangping answers there."""
    asked = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    try:
        with urllib.request.urlopen(f"http://{in_url(asked)}:{port}/healthz", timeout=5) as answer:
            return bool(answer.read(16).startswith(b"ok"))
    except urllib.error.HTTPError as error:
        return error.code == 503  # it runs, and says itself that its database does not
    except (OSError, ValueError):
        return False


def https(settings: Settings) -> list[Finding]:
    """Where others come in, they come by https."""
    if settings.host in ("127.0.0.1", "::1", "localhost") or settings.secure_cookies:
        return []
    return [
        Finding(
            "warning",
            Sentence("加密连接", "https"),
            Sentence(
                f"{settings.host} 上的网页未加密", f"pages at {settings.host} are not encrypted"
            ),
            Sentence(
                "同一网络中的人可以看到密码和评分。请用反向代理提供 https 并设 "
                "MANGPING_SECURE_COOKIES=1，见 docs/DEPLOYMENT.md；只在隔离的会场网络中才可不设。",
                "Others in the network can read passwords and scores. Put a reverse proxy with "
                "https before it and set MANGPING_SECURE_COOKIES=1, see docs/DEPLOYMENT.md; leave "
                "it only in a separate network of the meeting room.",
            ),
        )
    ]
