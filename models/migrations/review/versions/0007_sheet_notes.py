"""Notes on pages in score sheets, and the mark by which a repeated save is known."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("sheet_version", sa.Column("save_id", sa.String(length=40), nullable=True))
    op.create_index("uq_sheet_version_save", "sheet_version", ["sheet_id", "save_id"], unique=True)
    op.create_table(
        "sheet_note",
        sa.Column("sheet_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("page", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.CheckConstraint("page >= 1", name=op.f("ck_sheet_note_page")),
        sa.ForeignKeyConstraint(
            ["sheet_id", "number"],
            ["sheet_version.sheet_id", "sheet_version.number"],
            name=op.f("fk_sheet_note_sheet_id_number"),
        ),
        sa.PrimaryKeyConstraint("sheet_id", "number", "page", name=op.f("pk_sheet_note")),
    )


def downgrade() -> None:
    op.drop_table("sheet_note")
    op.drop_index("uq_sheet_version_save", "sheet_version")
    op.drop_column("sheet_version", "save_id")
