"""Brings a store's database to a revision, from code, so that an office needs no ini file."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

Store = Literal["review", "vault"]

_SCRIPTS = Path(__file__).parent / "migrations"


def migrate(engine: Engine, store: Store, revision: str = "head") -> None:
    """Upgrade `engine`'s database to `revision` in one transaction."""
    with engine.begin() as connection:
        upgrade_in(connection, store, revision)


def upgrade_in(connection: Connection, store: Store, revision: str = "head") -> None:
    """The same in the caller's transaction."""
    command.upgrade(_config(store, connection), revision)


def revisions(engine: Engine, store: Store) -> tuple[str, str]:
    """(the revision that `engine`'s database has, "" for none; the newest that there is)."""
    with engine.connect() as connection:
        there = MigrationContext.configure(connection).get_current_revision()
        newest = ScriptDirectory.from_config(_config(store, connection)).get_current_head()
    return there or "", newest or ""


def migrate_down(engine: Engine, store: Store, revision: str) -> None:
    """Downgrade to `revision` ("base": nothing left). Tables of later revisions lose their rows."""
    with engine.begin() as connection:
        command.downgrade(_config(store, connection), revision)


def _config(store: Store, connection: object) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS / store).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
