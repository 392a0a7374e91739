"""Pages that were released to the experts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "released_page",
        sa.Column("round_id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=20), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("category", sa.String(length=20), nullable=False),
        sa.Column("suffix", sa.String(length=4), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("frozen", sa.Boolean(), nullable=False),
        sa.CheckConstraint("number >= 1", name=op.f("ck_released_page_number")),
        sa.ForeignKeyConstraint(
            ["round_id", "code"],
            ["candidate.round_id", "candidate.code"],
            name=op.f("fk_released_page_round_id_code"),
        ),
        sa.PrimaryKeyConstraint("round_id", "code", "number", name=op.f("pk_released_page")),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    op.drop_table("released_page")
