"""What keeps an installation from working or from being safe, each with its remedy.

The machine itself (Python, models, libraries, disk) is looked at by redactor.doctor; here come
folders, stores, roles, ports, memory and clock of the installation that the settings describe.
Nothing is made or changed.
"""

from __future__ import annotations

import os
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib import import_module, metadata
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import Engine, make_url, text
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from models.base import open_store
from models.errors import Sentence
from models.migration import Store, revisions
from redactor import doctor as machine
from webapp.folder_rights import shared
from webapp.one_service import CREDENTIALS, Part
from webapp.settings import Settings

Level = Literal["ok", "warning", "problem"]
MEMORY_PER_WORKER = 10**9
"""Bytes; measured, see docs/PERFORMANCE.md."""
LARGEST_DRIFT = 120.0
"""Seconds between two clocks; deadlines are told in minutes."""
NETWORK_DISKS = ("nfs", "cifs", "smb", "fuse.sshfs", "9p")
FONT = "NotoSansSC-Regular.otf"
_NOTHING = Sentence("", "")


@dataclass(frozen=True)
class Finding:
    """One line of the doctor's. `remedy` is empty when `level` is ok."""

    level: Level
    name: Sentence
    detail: Sentence
    remedy: Sentence = _NOTHING

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


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
    found += list(folders(settings, part))
    found += list(stores(settings, part))
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


def stores(settings: Settings, part: Part | None) -> Iterator[Finding]:
    """Each database can be reached, has this version's tables, and a clock like this machine's."""
    asked: list[tuple[Store, str]] = []
    if part is not Part.REVIEW:
        asked.append(("vault", settings.vault_url))
    if part is not Part.RUNNER:
        experts = part is Part.REVIEW and settings.experts_database
        asked.append(("review", experts or settings.review_url))
    for store, url in asked:
        yield from store_findings(store, url)
    if part in (None, Part.OFFICE):
        yield from roles(settings)


def store_findings(store: Store, url: str) -> Iterator[Finding]:
    """Of one database."""
    name = Sentence(f"数据库 {store}", f"database {store}")
    try:
        address = make_url(url)
        if address.get_backend_name() == "sqlite" and not Path(address.database or "").exists():
            yield Finding(
                "ok", name, Sentence("尚未建立，首次启动时建立", "not there yet; made at the start")
            )
            return
        shown = address.render_as_string(hide_password=True)
        engine = open_store(url)
    except (ArgumentError, ImportError) as error:
        yield _unusable(name, f"{type(error).__name__}: {str(error).splitlines()[0]}")
        return
    try:
        there, newest = revisions(engine, store)
        yield _revision(name, shown, there, newest, known_revision(store, there))
        yield from _clock(name, engine)
    except SQLAlchemyError as error:
        # The text of the driver's error holds host and user, never the password.
        yield _unusable(name, f"{shown}: {str(error.__cause__ or error).splitlines()[0]}")
    finally:
        engine.dispose()


def _unusable(name: Sentence, why: str) -> Finding:
    return Finding(
        "problem",
        name,
        Sentence(f"无法连接：{why}", f"cannot be reached: {why}"),
        Sentence(
            "请检查 MANGPING_VAULT_DATABASE、MANGPING_REVIEW_DATABASE、MANGPING_EXPERTS_DATABASE "
            "的地址、用户和密码，以及数据库是否已启动。PostgreSQL 需要 mangping[postgres]。",
            "Check address, user and password in MANGPING_VAULT_DATABASE, "
            "MANGPING_REVIEW_DATABASE and MANGPING_EXPERTS_DATABASE, and that the server runs. "
            "PostgreSQL needs mangping[postgres].",
        ),
    )


def known_revision(store: Store, revision: str) -> bool:
    """Whether this version of mangping knows a database's revision."""
    from alembic.script import ScriptDirectory
    from alembic.util import CommandError

    from models import migration

    scripts = ScriptDirectory(str(Path(migration.__file__).parent / "migrations" / store))
    try:
        return not revision or scripts.get_revision(revision) is not None
    except CommandError:
        return False


def _revision(name: Sentence, shown: str, there: str, newest: str, known: bool) -> Finding:
    if there == newest:
        return Finding("ok", name, Sentence(f"{shown}（{there}）", f"{shown} ({there})"))
    detail = Sentence(
        f"{shown}：版本 {there or '空'}，本程序为 {newest}",
        f"{shown}: revision {there or 'none'}, this version's is {newest}",
    )
    if known:
        remedy = Sentence(
            "请先运行 mangping backup，再启动办公室服务，它会自动升级数据库。",
            "Run mangping backup first, then start the office's service, which brings it up to "
            "date.",
        )
        return Finding("warning", name, detail, remedy)
    remedy = Sentence(
        "该数据库由更新的版本写过。请安装该版本，或恢复升级前的备份。",
        "A newer version has written it. Install that one, or restore the backup from before.",
    )
    return Finding("problem", name, detail, remedy)


def _clock(name: Sentence, engine: Engine) -> Iterator[Finding]:
    """A server's clock, or the time at which the file was last written, fits this machine's."""
    if engine.dialect.name == "postgresql":
        with engine.connect() as connection:
            before = time.time()
            other = float(connection.scalar(text("SELECT extract(epoch FROM clock_timestamp())")))
            drift = abs(other - before)
    else:
        other = Path(engine.url.database or "").stat().st_mtime
        drift = max(0.0, other - time.time())
    clock = Sentence("时钟", "clock")
    where = Sentence(f"与{name.zh}相差 {drift:.0f} 秒", f"{drift:.0f} s off the {name.en}")
    if drift <= LARGEST_DRIFT:
        yield Finding("ok", clock, where)
        return
    yield Finding(
        "problem",
        clock,
        where,
        Sentence(
            "截止时间和公示日期会算错。请校准本机或数据库服务器的时钟（NTP）。",
            "Deadlines and dates would be wrong. Set this machine's or the server's clock (NTP).",
        ),
    )


def roles(settings: Settings) -> Iterator[Finding]:
    """On PostgreSQL the experts have a role of their own, without rights in the vault."""
    review = make_url(settings.review_url)
    if review.get_backend_name() != "postgresql":
        return
    name = Sentence("数据库角色", "database roles")
    if not settings.experts_database:
        yield Finding(
            "warning",
            name,
            Sentence("评委进程使用办公室的角色", "the experts' process has the office's role"),
            Sentence(
                "请为评委建立单独的角色并设 MANGPING_EXPERTS_DATABASE，见 docs/POSTGRESQL.md。",
                "Make the experts a role of their own and set MANGPING_EXPERTS_DATABASE; see "
                "docs/POSTGRESQL.md.",
            ),
        )
        return
    role = make_url(settings.experts_database).username or ""
    engine = open_store(settings.vault_url)
    try:
        rights = rights_in(engine, role) if engine.dialect.name == "postgresql" else []
    except SQLAlchemyError:
        return  # the store's own line says that it cannot be reached
    finally:
        engine.dispose()
    if role == review.username:
        rights = [Sentence("与办公室相同", "it is the office's own")]
    if not rights:
        yield Finding("ok", name, Sentence(f"{role}：保险库中无权限", f"{role}: none in the vault"))
    for right in rights:
        yield Finding(
            "problem",
            name,
            Sentence(f"{role}：{right.zh}", f"{role}: {right.en}"),
            Sentence(
                "评委的角色不得打开保险库。请收回权限，见 docs/POSTGRESQL.md。",
                "The experts' role must not open the vault. Take its rights away; see "
                "docs/POSTGRESQL.md.",
            ),
        )


def rights_in(vault: Engine, role: str) -> list[Sentence]:
    """What a role may do in the vault's database; nothing for one that its server does not know."""
    found = []
    with vault.connect() as connection:
        known = connection.execute(
            text("SELECT rolsuper FROM pg_roles WHERE rolname = :role"), {"role": role}
        ).first()
        if known is None:
            return []
        if known[0]:
            found.append(Sentence("是超级用户", "it is a superuser"))
        tables = connection.scalars(
            text(
                "SELECT relname FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace "
                "WHERE n.nspname = 'public' AND relkind IN ('r', 'p', 'v') "
                "AND has_table_privilege(:role, pg_class.oid, "
                "'SELECT, INSERT, UPDATE, DELETE') ORDER BY 1"
            ),
            {"role": role},
        ).all()
    if tables and not found:
        named = ", ".join(tables[:5])
        found.append(Sentence(f"可以打开 {named}", f"it may open {named}"))
    return found


def ports(settings: Settings, part: Part | None) -> list[Finding]:
    """The ports are free, or mangping itself answers there."""
    asked = {"office": settings.port, "review": settings.port_of_review}
    wanted = [asked[part.value]] if part in (Part.OFFICE, Part.REVIEW) else list(asked.values())
    return [] if part is Part.RUNNER else [port_finding(settings.host, port) for port in wanted]


def port_finding(host: str, port: int) -> Finding:
    """Of one port."""
    name = Sentence(f"端口 {port}", f"port {port}")
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as trial:
        if os.name != "nt":
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((host, port))
        except OSError as error:
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
    return Finding("ok", name, Sentence("空闲", "free"))


def is_ours(host: str, port: int) -> bool:
    """Whether mangping answers there."""
    asked = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)
    try:
        with urllib.request.urlopen(f"http://{asked}:{port}/healthz", timeout=5) as answer:
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
