"""Both stores on PostgreSQL as docs/POSTGRESQL.md has them, with a furnished round."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from models.base import open_store
from models.migration import migrate
from tests.postgresql_server import Server
from tests.webapp.review_round import ReviewRound, furnish_review
from webapp.expert_role import give_experts_their_rights
from webapp.settings import Settings, prepare_folders, review_settings

OWNER, EXPERTS = "mangping_office", "mangping_experts"
VAULT, REVIEW = "mangping_vault", "mangping_review"


def make_databases(server: Server) -> None:
    """What the administrator does (docs/POSTGRESQL.md), after what an earlier test left."""
    server.run(
        *(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)" for name in (VAULT, REVIEW)),
        *(f"DROP ROLE IF EXISTS {name}" for name in (OWNER, EXPERTS)),
        *(f"CREATE ROLE {name} LOGIN" for name in (OWNER, EXPERTS)),
        *(f"CREATE DATABASE {name} OWNER {OWNER}" for name in (VAULT, REVIEW)),
        "REVOKE CONNECT ON DATABASE postgres, template1 FROM PUBLIC",
    )


def remove_databases(server: Server) -> None:
    """As before, for the other tests on this server."""
    server.run(
        *(f"DROP DATABASE {name} WITH (FORCE)" for name in (VAULT, REVIEW)),
        *(f"DROP ROLE {name}" for name in (OWNER, EXPERTS)),
        "GRANT CONNECT ON DATABASE postgres, template1 TO PUBLIC",
    )


def installation(server: Server, folder: Path) -> Settings:
    """The settings of an office and its experts on these databases; migrated, rights given."""
    settings = Settings(
        data=folder,
        vault_database=server.url(VAULT, OWNER),
        review_database=server.url(REVIEW, OWNER),
        experts_database=server.url(REVIEW, EXPERTS),
        workers=1,
    )
    prepare_folders(settings)
    for url, store in ((settings.vault_url, "vault"), (settings.review_url, "review")):
        engine = open_store(url)
        migrate(engine, store)  # type: ignore[arg-type]
        engine.dispose()
    give_experts_their_rights(settings)
    return settings


def furnish(settings: Settings, store: Engine) -> ReviewRound:
    """A round with pages, seats and signed-in tablets."""
    return furnish_review(store, review_settings(settings))


@pytest.fixture(scope="module")
def on_postgresql(
    postgresql_server: Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Settings]:
    """Both stores on PostgreSQL, the experts' with a role of its own."""
    make_databases(postgresql_server)
    yield installation(postgresql_server, tmp_path_factory.mktemp("postgresql") / "data")
    remove_databases(postgresql_server)
