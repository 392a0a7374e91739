"""What is wrong with the databases of an installation and with the roles that open them.

Nothing is made or changed.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import Engine, make_url, text
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from models.base import open_store
from models.errors import Sentence
from models.migration import Store, revisions
from models.review_grants import unfit_for_experts
from webapp.finding import Finding
from webapp.one_service import Part
from webapp.settings import Settings

NO_RIGHTS = "42501"
"""PostgreSQL's SQLSTATE of a role that may not do something."""
LARGEST_DRIFT = 120.0
"""Seconds between two clocks; deadlines are told in minutes."""


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
        if getattr(getattr(error, "orig", None), "sqlstate", "") == NO_RIGHTS:
            yield _without_rights(name, shown)
            return
        # The text of the driver's error holds host and user, never the password.
        yield _unusable(name, f"{shown}: {str(error.__cause__ or error).splitlines()[0]}")
    finally:
        engine.dispose()


def _without_rights(name: Sentence, shown: str) -> Finding:
    return Finding(
        "warning",
        name,
        Sentence(f"{shown}：该角色还没有权限", f"{shown}: this role has no rights yet"),
        Sentence(
            "请先用 MANGPING_EXPERTS_DATABASE 启动办公室服务，它会授予评委角色权限。",
            "Start the office's service with MANGPING_EXPERTS_DATABASE first: it gives the "
            "experts' role its rights.",
        ),
    )


def _unusable(name: Sentence, why: str) -> Finding:
    return Finding(
        "problem",
        name,
        Sentence(f"无法连接：{why}", f"cannot be reached: {why}"),
        Sentence(
            "请检查 MANGPING_VAULT_DATABASE、MANGPING_REVIEW_DATABASE、MANGPING_EXPERTS_DATABASE "
            "的地址、用户和密码，以及数据库是否已启动。PostgreSQL 需要 mangping[postgres]。"
            "评委角色的权限由办公室启动时授予。",
            "Check address, user and password in MANGPING_VAULT_DATABASE, "
            "MANGPING_REVIEW_DATABASE and MANGPING_EXPERTS_DATABASE, and that the server runs. "
            "PostgreSQL needs mangping[postgres]. The experts' role gets its rights at the start "
            "of the office's service.",
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
    if not there:
        empty = Sentence(
            f"{shown}：空，首次启动时建表", f"{shown}: empty; the first start makes its tables"
        )
        return Finding("ok", name, empty)
    detail = Sentence(
        f"{shown}：版本 {there}，本程序为 {newest}",
        f"{shown}: revision {there}, this version's is {newest}",
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
    rights = [Sentence("与办公室相同", "it is the office's own")] if role == review.username else []
    try:
        rights += rights_in(settings.vault_url, role) + unfit_in(settings.review_url, role)
    except SQLAlchemyError:
        return  # the store's own line says that it cannot be reached
    if not rights:
        yield Finding("ok", name, Sentence(f"{role}：保险库中无权限", f"{role}: none in the vault"))
    for right in rights:
        yield Finding(
            "problem",
            name,
            Sentence(f"{role}：{right.zh}", f"{role}: {right.en}"),
            Sentence(
                "评委的角色不得打开保险库，也不得有管理权限。请收回，见 docs/POSTGRESQL.md。",
                "The experts' role must not open the vault, nor administer anything. Take that "
                "away; see docs/POSTGRESQL.md.",
            ),
        )


def unfit_in(review_url: str, role: str) -> list[Sentence]:
    """Why the office would not start with this role for the experts."""
    engine = open_store(review_url)
    try:
        with engine.connect() as connection:
            return unfit_for_experts(connection, role)
    finally:
        engine.dispose()


def rights_in(vault_url: str, role: str) -> list[Sentence]:
    """What a role may do in the vault's database; nothing for one that its server does not know."""
    vault = open_store(vault_url)
    if vault.dialect.name != "postgresql":
        return []
    asked = {"role": role}
    try:
        with vault.connect() as connection:
            known = "SELECT rolsuper FROM pg_roles WHERE rolname = :role"
            is_super = connection.scalar(text(known), asked)
            if is_super is None:
                return []
            if is_super:
                return [Sentence("是超级用户", "it is a superuser")]
            tables = connection.scalars(
                text(
                    "SELECT relname FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace "
                    "WHERE n.nspname = 'public' AND relkind IN ('r', 'p', 'v') "
                    "AND has_table_privilege(:role, pg_class.oid, "
                    "'SELECT, INSERT, UPDATE, DELETE') ORDER BY 1"
                ),
                asked,
            ).all()
    finally:
        vault.dispose()
    named = ", ".join(tables[:5])
    return [Sentence(f"可以打开 {named}", f"it may open {named}")] if tables else []
