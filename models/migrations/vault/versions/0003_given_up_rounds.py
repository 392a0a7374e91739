"""Rounds that are given up are destroyed in time as well, also those that experts never saw."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("office_round", schema=None) as batch_op:
        batch_op.add_column(sa.Column("given_up_on", sa.String(length=10), nullable=True))
    with op.batch_alter_table("destruction", schema=None) as batch_op:
        batch_op.alter_column("review_round_id", existing_type=sa.Integer(), nullable=True)


def downgrade() -> None:
    op.execute("DELETE FROM destruction WHERE review_round_id IS NULL")
    with op.batch_alter_table("destruction", schema=None) as batch_op:
        batch_op.alter_column("review_round_id", existing_type=sa.Integer(), nullable=False)
    with op.batch_alter_table("office_round", schema=None) as batch_op:
        batch_op.drop_column("given_up_on")
