"""Rounds, candidates, seats, sheets and defence scores."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "round",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("places", sa.Integer(), nullable=False),
        sa.Column("committee_members", sa.Integer(), nullable=False),
        sa.Column("phase", sa.String(length=10), nullable=False),
        sa.CheckConstraint(
            "phase IN ('scoring', 'locked', 'defence', 'voting', 'closed')",
            name=op.f("ck_round_phase"),
        ),
        sa.CheckConstraint("committee_members >= 1", name=op.f("ck_round_committee_members")),
        sa.CheckConstraint("places >= 0 AND places <= 6", name=op.f("ck_round_places")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_round")),
        sa.UniqueConstraint("name", name=op.f("uq_round_name")),
    )
    op.create_table(
        "candidate",
        sa.Column("round_id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=20), nullable=False),
        sa.Column("specialty", sa.String(length=100), nullable=False),
        sa.Column("level", sa.String(length=20), nullable=False),
        sa.Column("defence", sa.String(length=20), nullable=False),
        sa.Column("ground", sa.String(length=20), nullable=True),
        sa.Column("disqualified", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "defence IN ('attended', 'exempt', 'absent', 'waived', 'not_required')",
            name=op.f("ck_candidate_defence"),
        ),
        sa.CheckConstraint(
            "ground IS NULL OR ground IN "
            "('service', 'remote_county', 'below_county', 'junior', 'non_public')",
            name=op.f("ck_candidate_ground"),
        ),
        sa.ForeignKeyConstraint(["round_id"], ["round.id"], name=op.f("fk_candidate_round_id")),
        sa.PrimaryKeyConstraint("round_id", "code", name=op.f("pk_candidate")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "policy_snapshot",
        sa.Column("round_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("by", sa.String(length=100), nullable=False),
        sa.Column("at", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["round_id"], ["round.id"], name=op.f("fk_policy_snapshot_round_id")
        ),
        sa.PrimaryKeyConstraint("round_id", "number", name=op.f("pk_policy_snapshot")),
    )
    op.create_table(
        "reviewer",
        sa.Column("round_id", sa.Integer(), nullable=False),
        sa.Column("seat", sa.String(length=20), nullable=False),
        sa.Column("present", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["round_id"], ["round.id"], name=op.f("fk_reviewer_round_id")),
        sa.PrimaryKeyConstraint("round_id", "seat", name=op.f("pk_reviewer")),
    )
    op.create_table(
        "defence_result",
        sa.Column("round_id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=20), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("passed", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("by", sa.String(length=100), nullable=False),
        sa.Column("confirmed_by", sa.String(length=100), nullable=True),
        sa.ForeignKeyConstraint(
            ["round_id", "code"],
            ["candidate.round_id", "candidate.code"],
            name=op.f("fk_defence_result_round_id_code"),
        ),
        sa.ForeignKeyConstraint(
            ["round_id"], ["round.id"], name=op.f("fk_defence_result_round_id")
        ),
        sa.PrimaryKeyConstraint("round_id", "code", "number", name=op.f("pk_defence_result")),
    )
    op.create_table(
        "defence_score",
        sa.Column("round_id", sa.Integer(), nullable=False),
        sa.Column("judge", sa.String(length=20), nullable=False),
        sa.Column("code", sa.String(length=20), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("by", sa.String(length=100), nullable=False),
        sa.Column("confirmed_by", sa.String(length=100), nullable=True),
        sa.CheckConstraint("points >= 0", name=op.f("ck_defence_score_points")),
        sa.ForeignKeyConstraint(
            ["round_id", "code"],
            ["candidate.round_id", "candidate.code"],
            name=op.f("fk_defence_score_round_id_code"),
        ),
        sa.ForeignKeyConstraint(
            ["round_id", "judge"],
            ["reviewer.round_id", "reviewer.seat"],
            name=op.f("fk_defence_score_round_id_judge"),
        ),
        sa.PrimaryKeyConstraint(
            "round_id", "judge", "code", "number", name=op.f("pk_defence_score")
        ),
    )
    op.create_table(
        "recusal",
        sa.Column("round_id", sa.Integer(), nullable=False),
        sa.Column("reviewer", sa.String(length=20), nullable=False),
        sa.Column("code", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("by", sa.String(length=100), nullable=False),
        sa.Column("at", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["round_id", "code"],
            ["candidate.round_id", "candidate.code"],
            name=op.f("fk_recusal_round_id_code"),
        ),
        sa.ForeignKeyConstraint(
            ["round_id", "reviewer"],
            ["reviewer.round_id", "reviewer.seat"],
            name=op.f("fk_recusal_round_id_reviewer"),
        ),
        sa.PrimaryKeyConstraint("round_id", "reviewer", "code", name=op.f("pk_recusal")),
    )
    op.create_table(
        "sheet",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("round_id", sa.Integer(), nullable=False),
        sa.Column("reviewer", sa.String(length=20), nullable=False),
        sa.Column("code", sa.String(length=20), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "state IN ('open', 'submitted', 'excluded', 'recused', 'withdrawn')",
            name=op.f("ck_sheet_state"),
        ),
        sa.ForeignKeyConstraint(
            ["round_id", "code"],
            ["candidate.round_id", "candidate.code"],
            name=op.f("fk_sheet_round_id_code"),
        ),
        sa.ForeignKeyConstraint(
            ["round_id", "reviewer"],
            ["reviewer.round_id", "reviewer.seat"],
            name=op.f("fk_sheet_round_id_reviewer"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sheet")),
        sa.UniqueConstraint(
            "round_id", "reviewer", "code", name=op.f("uq_sheet_round_id_reviewer_code")
        ),
    )
    op.create_table(
        "sheet_version",
        sa.Column("sheet_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("by", sa.String(length=100), nullable=False),
        sa.Column("confirmed_by", sa.String(length=100), nullable=True),
        sa.Column("at", sa.String(length=40), nullable=False),
        sa.CheckConstraint(
            "kind IN ('draft', 'submitted', 'correction')", name=op.f("ck_sheet_version_kind")
        ),
        sa.CheckConstraint(
            "kind <> 'correction' OR (reason <> '' AND confirmed_by IS NOT NULL "
            'AND confirmed_by <> "by")',
            name=op.f("ck_sheet_version_two_persons"),
        ),
        sa.ForeignKeyConstraint(["sheet_id"], ["sheet.id"], name=op.f("fk_sheet_version_sheet_id")),
        sa.PrimaryKeyConstraint("sheet_id", "number", name=op.f("pk_sheet_version")),
    )
    op.create_table(
        "sheet_score",
        sa.Column("sheet_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("criterion", sa.String(length=50), nullable=False),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.CheckConstraint("points >= 0", name=op.f("ck_sheet_score_points")),
        sa.ForeignKeyConstraint(
            ["sheet_id", "number"],
            ["sheet_version.sheet_id", "sheet_version.number"],
            name=op.f("fk_sheet_score_sheet_id_number"),
        ),
        sa.PrimaryKeyConstraint("sheet_id", "number", "criterion", name=op.f("pk_sheet_score")),
    )


def downgrade() -> None:
    op.drop_table("sheet_score")
    op.drop_table("sheet_version")
    op.drop_table("sheet")
    op.drop_table("recusal")
    op.drop_table("defence_score")
    op.drop_table("defence_result")
    op.drop_table("reviewer")
    op.drop_table("policy_snapshot")
    op.drop_table("candidate")
    op.drop_table("round")
