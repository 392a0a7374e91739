"""Alembic's entry for the vault; models/migration.py hands it an open connection."""

from __future__ import annotations

from alembic import context

from models.base import VaultBase
from models.schema import VAULT_TABLES

assert VAULT_TABLES  # importing it fills the metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=VaultBase.metadata,
    render_as_batch=True,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
