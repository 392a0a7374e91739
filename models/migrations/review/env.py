"""Alembic's entry for the review store; models/migration.py hands it an open connection."""

from __future__ import annotations

from alembic import context

from models.base import ReviewBase
from models.schema import REVIEW_TABLES

assert REVIEW_TABLES  # importing it fills the metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=ReviewBase.metadata,
    render_as_batch=True,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
