"""Reports that a released page shows who it is, and what the office decided about them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "page_report",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("round_id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=20), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("reported_by", sa.String(length=20), nullable=False),
        sa.Column("at", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["round_id", "code"],
            ["candidate.round_id", "candidate.code"],
            name=op.f("fk_page_report_round_id_code"),
        ),
        sa.ForeignKeyConstraint(
            ["round_id", "reported_by"],
            ["reviewer.round_id", "reviewer.seat"],
            name=op.f("fk_page_report_round_id_reported_by"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_page_report")),
    )
    op.create_index("ix_page_report_page", "page_report", ["round_id", "code", "number"])
    op.create_table(
        "page_settlement",
        sa.Column("report_id", sa.Integer(), nullable=False),
        sa.Column("decision", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("before_sha256", sa.String(length=64), nullable=False),
        sa.Column("after_sha256", sa.String(length=64), nullable=False),
        sa.Column("by", sa.String(length=100), nullable=False),
        sa.Column("at", sa.String(length=40), nullable=False),
        sa.CheckConstraint(
            "decision IN ('not_identifying', 'replaced', 'withdrawn')",
            name=op.f("ck_page_settlement_decision"),
        ),
        sa.CheckConstraint(
            "(decision = 'replaced') = (before_sha256 <> after_sha256)",
            name=op.f("ck_page_settlement_replaced"),
        ),
        sa.ForeignKeyConstraint(
            ["report_id"], ["page_report.id"], name=op.f("fk_page_settlement_report_id")
        ),
        sa.PrimaryKeyConstraint("report_id", name=op.f("pk_page_settlement")),
    )


def downgrade() -> None:
    op.drop_table("page_settlement")
    op.drop_index("ix_page_report_page", "page_report")
    op.drop_table("page_report")
