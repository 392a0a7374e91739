"""Accounts, rounds, pages and jobs of the office."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "account",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("login", sa.String(length=50), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("role", sa.String(length=10), nullable=False),
        sa.Column("password_hash", sa.String(length=200), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.String(length=40), nullable=False),
        sa.CheckConstraint("role IN ('admin', 'clerk', 'secretary')", name=op.f("ck_account_role")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.UniqueConstraint("login", name=op.f("uq_account_login")),
    )
    op.create_table(
        "office_event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.String(length=40), nullable=False),
        sa.Column("actor", sa.String(length=100), nullable=False),
        sa.Column("action", sa.String(length=50), nullable=False),
        sa.Column("round_id", sa.Integer(), nullable=True),
        sa.Column("page_id", sa.Integer(), nullable=True),
        sa.Column("details", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_office_event")),
    )
    with op.batch_alter_table("office_event", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_office_event_page_id"), ["page_id"], unique=False)
        batch_op.create_index("ix_office_event_round", ["round_id", "id"], unique=False)

    op.create_table(
        "office_round",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("policy_name", sa.String(length=100), nullable=False),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column("profile", sa.String(length=10), nullable=False),
        sa.Column("committee_members", sa.Integer(), nullable=False),
        sa.Column("submit_until", sa.String(length=40), nullable=False),
        sa.Column("two_person_release", sa.Boolean(), nullable=False),
        sa.Column("paused", sa.Boolean(), nullable=False),
        sa.Column("review_round_id", sa.Integer(), nullable=True),
        sa.Column("retention_days", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_office_round")),
        sa.UniqueConstraint("name", name=op.f("uq_office_round_name")),
    )
    op.create_table(
        "expert",
        sa.Column("round_id", sa.Integer(), nullable=False),
        sa.Column("seat", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("unit", sa.String(length=200), nullable=False),
        sa.Column("former_units", sa.Text(), nullable=False),
        sa.Column("specialties", sa.Text(), nullable=False),
        sa.Column("relatives", sa.Text(), nullable=False),
        sa.Column("phone", sa.String(length=40), nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=True),
        sa.CheckConstraint("capacity >= 0", name=op.f("ck_expert_capacity")),
        sa.ForeignKeyConstraint(
            ["round_id"], ["office_round.id"], name=op.f("fk_expert_round_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("round_id", "seat", name=op.f("pk_expert")),
    )
    op.create_table(
        "assignment_rule",
        sa.Column("round_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("reviews", sa.Integer(), nullable=False),
        sa.Column("by_specialty", sa.Boolean(), nullable=False),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.CheckConstraint("reviews >= 1", name=op.f("ck_assignment_rule_reviews")),
        sa.ForeignKeyConstraint(
            ["round_id"],
            ["office_round.id"],
            name=op.f("fk_assignment_rule_round_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("round_id", name=op.f("pk_assignment_rule")),
    )
    op.create_table(
        "destruction",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("office_round_id", sa.Integer(), nullable=False),
        sa.Column("review_round_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("asked_by", sa.String(length=100), nullable=False),
        sa.Column("confirmed_by", sa.String(length=100), nullable=False),
        sa.Column("begun_at", sa.String(length=40), nullable=False),
        sa.Column("done_at", sa.String(length=40), nullable=False),
        sa.Column("certificate", sa.Text(), nullable=False),
        sa.Column("certificate_sha256", sa.String(length=64), nullable=False),
        sa.CheckConstraint("confirmed_by <> asked_by", name=op.f("ck_destruction_two_persons")),
        sa.CheckConstraint(
            "state IN ('begun', 'emptied', 'done')", name=op.f("ck_destruction_state")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_destruction")),
    )
    with op.batch_alter_table("destruction", schema=None) as batch_op:
        batch_op.create_index("ix_destruction_round", ["office_round_id", "state"], unique=False)

    op.create_table(
        "setup_link",
        sa.Column("token_sha256", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.String(length=40), nullable=False),
        sa.Column("used_at", sa.String(length=40), nullable=True),
        sa.PrimaryKeyConstraint("token_sha256", name=op.f("pk_setup_link")),
    )
    op.create_table(
        "entrant",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("round_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("unit", sa.String(length=200), nullable=False),
        sa.Column("specialty", sa.String(length=100), nullable=False),
        sa.Column("level", sa.String(length=20), nullable=False),
        sa.Column("row", sa.Text(), nullable=False),
        sa.Column("code", sa.String(length=20), nullable=False),
        sa.Column("submissions", sa.Integer(), nullable=False),
        sa.Column("returned_at", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["round_id"], ["office_round.id"], name=op.f("fk_entrant_round_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_entrant")),
        sa.UniqueConstraint("round_id", "code", name=op.f("uq_entrant_round_id_code")),
        sa.UniqueConstraint("round_id", "number", name=op.f("uq_entrant_round_id_number")),
    )
    op.create_table(
        "job",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("round_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("target", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.Column("worker", sa.String(length=100), nullable=False),
        sa.Column("leased_until", sa.String(length=40), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("created_at", sa.String(length=40), nullable=False),
        sa.Column("finished_at", sa.String(length=40), nullable=False),
        sa.CheckConstraint("kind IN ('redact', 'consistency', 'remask')", name=op.f("ck_job_kind")),
        sa.CheckConstraint(
            "state IN ('waiting', 'running', 'done', 'failed')", name=op.f("ck_job_state")
        ),
        sa.ForeignKeyConstraint(
            ["round_id"], ["office_round.id"], name=op.f("fk_job_round_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job")),
    )
    with op.batch_alter_table("job", schema=None) as batch_op:
        batch_op.create_index("ix_job_queue", ["state", "priority", "id"], unique=False)
        batch_op.create_index("ix_job_round", ["round_id", "state", "kind", "pages"], unique=False)
        batch_op.create_index("ix_job_target", ["target", "kind", "state"], unique=False)
        batch_op.create_index(
            "ix_job_rate",
            ["round_id", "kind", "state", "finished_at", "pages", "target"],
            unique=False,
        )

    op.create_table(
        "sign_in",
        sa.Column("token_sha256", sa.String(length=64), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("device", sa.String(length=200), nullable=False),
        sa.Column("address", sa.String(length=60), nullable=False),
        sa.Column("created_at", sa.String(length=40), nullable=False),
        sa.Column("seen_at", sa.String(length=40), nullable=False),
        sa.Column("expires_at", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_sign_in_account_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("token_sha256", name=op.f("pk_sign_in")),
    )
    with op.batch_alter_table("sign_in", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sign_in_account_id"), ["account_id"], unique=False)

    op.create_table(
        "upload",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("round_id", sa.Integer(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("modified", sa.BigInteger(), nullable=False),
        sa.Column("received", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("started_at", sa.String(length=40), nullable=False),
        sa.CheckConstraint(
            "state IN ('receiving', 'received', 'duplicate', 'refused')",
            name=op.f("ck_upload_state"),
        ),
        sa.ForeignKeyConstraint(
            ["round_id"], ["office_round.id"], name=op.f("fk_upload_round_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_upload")),
    )
    with op.batch_alter_table("upload", schema=None) as batch_op:
        batch_op.create_index("ix_upload_round_path", ["round_id", "path"], unique=False)

    op.create_table(
        "check_link",
        sa.Column("token_sha256", sa.String(length=64), nullable=False),
        sa.Column("entrant_id", sa.Integer(), nullable=False),
        sa.Column("created_by", sa.String(length=100), nullable=False),
        sa.Column("created_at", sa.String(length=40), nullable=False),
        sa.Column("expires_at", sa.String(length=40), nullable=False),
        sa.Column("finished_at", sa.String(length=40), nullable=False),
        sa.Column("withdrawn_at", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["entrant_id"],
            ["entrant.id"],
            name=op.f("fk_check_link_entrant_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("token_sha256", name=op.f("pk_check_link")),
    )
    with op.batch_alter_table("check_link", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_check_link_entrant_id"), ["entrant_id"], unique=False)

    op.create_table(
        "release",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("round_id", sa.Integer(), nullable=False),
        sa.Column("entrant_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("hashes", sa.Text(), nullable=False),
        sa.Column("salt", sa.String(length=64), nullable=False),
        sa.Column("asked_by", sa.String(length=100), nullable=False),
        sa.Column("asked_at", sa.String(length=40), nullable=False),
        sa.Column("confirmed_by", sa.String(length=100), nullable=True),
        sa.Column("released_at", sa.String(length=40), nullable=False),
        sa.Column("withdrawn_by", sa.String(length=100), nullable=False),
        sa.Column("withdrawn_at", sa.String(length=40), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "state IN ('asked', 'released', 'withdrawn')", name=op.f("ck_release_state")
        ),
        sa.CheckConstraint(
            "confirmed_by IS NULL OR confirmed_by <> asked_by", name=op.f("ck_release_two_persons")
        ),
        sa.ForeignKeyConstraint(
            ["entrant_id"], ["entrant.id"], name=op.f("fk_release_entrant_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["round_id"], ["office_round.id"], name=op.f("fk_release_round_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_release")),
    )
    with op.batch_alter_table("release", schema=None) as batch_op:
        batch_op.create_index("ix_release_entrant", ["entrant_id", "id"], unique=False)
        batch_op.create_index("ix_release_round", ["round_id", "state", "entrant_id"], unique=False)

    op.create_table(
        "submission",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("entrant_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.Column("by", sa.String(length=100), nullable=False),
        sa.Column("at", sa.String(length=40), nullable=False),
        sa.CheckConstraint(
            "kind IN ('submitted', 'returned', 'accepted')", name=op.f("ck_submission_kind")
        ),
        sa.ForeignKeyConstraint(
            ["entrant_id"],
            ["entrant.id"],
            name=op.f("fk_submission_entrant_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_submission")),
    )
    with op.batch_alter_table("submission", schema=None) as batch_op:
        batch_op.create_index("ix_submission_entrant", ["entrant_id", "id"], unique=False)

    op.create_table(
        "source_file",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("round_id", sa.Integer(), nullable=False),
        sa.Column("entrant_id", sa.Integer(), nullable=True),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("folder", sa.Text(), nullable=False),
        sa.Column("category", sa.String(length=20), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("modified", sa.BigInteger(), nullable=False),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("received_at", sa.String(length=40), nullable=False),
        sa.CheckConstraint(
            "state IN ('unmatched', 'waiting', 'done', 'failed', 'duplicate', 'replaced')",
            name=op.f("ck_source_file_state"),
        ),
        sa.ForeignKeyConstraint(
            ["entrant_id"], ["entrant.id"], name=op.f("fk_source_file_entrant_id")
        ),
        sa.ForeignKeyConstraint(
            ["round_id"],
            ["office_round.id"],
            name=op.f("fk_source_file_round_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_source_file")),
    )
    with op.batch_alter_table("source_file", schema=None) as batch_op:
        batch_op.create_index(
            "ix_source_file_entrant", ["entrant_id", "position", "state", "pages"], unique=False
        )
        batch_op.create_index(
            "ix_source_file_live_path",
            ["round_id", "path"],
            unique=True,
            sqlite_where=sa.text("state <> 'replaced'"),
            postgresql_where=sa.text("state <> 'replaced'"),
        )
        batch_op.create_index(
            "ix_source_file_round_state", ["round_id", "state", "pages"], unique=False
        )
        batch_op.create_index("ix_source_file_round_sha256", ["round_id", "sha256"], unique=False)

    op.create_table(
        "page",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("round_id", sa.Integer(), nullable=False),
        sa.Column("entrant_id", sa.Integer(), nullable=False),
        sa.Column("file_id", sa.Integer(), nullable=False),
        sa.Column("source_page", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("category", sa.String(length=20), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("decision", sa.String(length=10), nullable=False),
        sa.Column("decided_by", sa.String(length=100), nullable=False),
        sa.Column("decided_at", sa.String(length=40), nullable=False),
        sa.Column("decision_reason", sa.Text(), nullable=False),
        sa.Column("risk", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("seconds", sa.Integer(), nullable=False),
        sa.Column("kinds", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("frozen", sa.Boolean(), nullable=False),
        sa.Column("faults", sa.Integer(), nullable=False),
        sa.Column("staged_sha256", sa.String(length=64), nullable=False),
        sa.Column("found", sa.Text(), nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "decision IN ('', 'accepted', 'returned')", name=op.f("ck_page_decision")
        ),
        sa.CheckConstraint(
            "state IN ('clean', 'review', 'failed', 'checking')", name=op.f("ck_page_state")
        ),
        sa.ForeignKeyConstraint(
            ["entrant_id"], ["entrant.id"], name=op.f("fk_page_entrant_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["file_id"], ["source_file.id"], name=op.f("fk_page_file_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["round_id"], ["office_round.id"], name=op.f("fk_page_round_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_page")),
        sa.UniqueConstraint("file_id", "source_page", name=op.f("uq_page_file_id_source_page")),
    )
    with op.batch_alter_table("page", schema=None) as batch_op:
        batch_op.create_index("ix_page_entrant", ["entrant_id", "position"], unique=False)
        batch_op.create_index(
            "ix_page_release",
            ["round_id", "entrant_id", "state", "decision", "frozen", "file_id"],
            unique=False,
        )
        batch_op.create_index(
            "ix_page_queue", ["round_id", "decision", "state", "risk", "id"], unique=False
        )
        batch_op.create_index("ix_page_risk", ["round_id", "risk", "id"], unique=False)
        batch_op.create_index("ix_page_frozen", ["round_id", "frozen"], unique=False)
        batch_op.create_index("ix_page_kinds", ["round_id", "kinds"], unique=False)
        batch_op.create_index(
            "ix_page_decided",
            ["round_id", "decision", "decided_by", "decided_at"],
            unique=False,
        )

    op.create_table(
        "check_answer",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("page_id", sa.Integer(), nullable=False),
        sa.Column("answer", sa.String(length=10), nullable=False),
        sa.Column("remark", sa.Text(), nullable=False),
        sa.Column("places", sa.Text(), nullable=False),
        sa.Column("shown_sha256", sa.String(length=64), nullable=False),
        sa.Column("at", sa.String(length=40), nullable=False),
        sa.CheckConstraint(
            "answer IN ('yes', 'no', 'question')", name=op.f("ck_check_answer_answer")
        ),
        sa.ForeignKeyConstraint(
            ["page_id"], ["page.id"], name=op.f("fk_check_answer_page_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_check_answer")),
    )
    with op.batch_alter_table("check_answer", schema=None) as batch_op:
        batch_op.create_index("ix_check_answer_page", ["page_id", "id"], unique=False)

    op.create_table(
        "check_verdict",
        sa.Column("answer_id", sa.Integer(), nullable=False),
        sa.Column("verdict", sa.String(length=10), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("by", sa.String(length=100), nullable=False),
        sa.Column("at", sa.String(length=40), nullable=False),
        sa.CheckConstraint(
            "verdict IN ('agreed', 'declined')", name=op.f("ck_check_verdict_verdict")
        ),
        sa.ForeignKeyConstraint(
            ["answer_id"],
            ["check_answer.id"],
            name=op.f("fk_check_verdict_answer_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("answer_id", name=op.f("pk_check_verdict")),
    )

    op.create_table(
        "page_edit",
        sa.Column("page_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("previous", sa.Integer(), nullable=False),
        sa.Column("what", sa.String(length=50), nullable=False),
        sa.Column("masks", sa.Text(), nullable=False),
        sa.Column("by", sa.String(length=100), nullable=False),
        sa.Column("at", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["page_id"], ["page.id"], name=op.f("fk_page_edit_page_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("page_id", "number", name=op.f("pk_page_edit")),
    )

    op.create_table(
        "page_look",
        sa.Column("page_id", sa.Integer(), nullable=False),
        sa.Column("login", sa.String(length=50), nullable=False),
        sa.Column("round_id", sa.Integer(), nullable=False),
        sa.Column("seconds", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["page_id"], ["page.id"], name=op.f("fk_page_look_page_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["round_id"],
            ["office_round.id"],
            name=op.f("fk_page_look_round_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("page_id", "login", name=op.f("pk_page_look")),
    )
    with op.batch_alter_table("page_look", schema=None) as batch_op:
        batch_op.create_index("ix_page_look_round", ["round_id", "login", "seconds"], unique=False)

    op.create_table(
        "audit_draw",
        sa.Column("round_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("seed", sa.String(length=200), nullable=False),
        sa.Column("of", sa.Integer(), nullable=False),
        sa.Column("sheets", sa.Text(), nullable=False),
        sa.Column("by", sa.String(length=100), nullable=False),
        sa.Column("at", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["round_id"],
            ["office_round.id"],
            name=op.f("fk_audit_draw_round_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("round_id", "number", name=op.f("pk_audit_draw")),
    )
    op.create_table(
        "complaint",
        sa.Column("round_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("received", sa.String(length=10), nullable=False),
        sa.Column("sender", sa.String(length=200), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("by", sa.String(length=100), nullable=False),
        sa.Column("at", sa.String(length=40), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("answered_by", sa.String(length=100), nullable=False),
        sa.Column("answered_at", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["round_id"],
            ["office_round.id"],
            name=op.f("fk_complaint_round_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("round_id", "number", name=op.f("pk_complaint")),
    )
    op.create_table(
        "office_day",
        sa.Column("round_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("working", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["round_id"],
            ["office_round.id"],
            name=op.f("fk_office_day_round_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("round_id", "day", name=op.f("pk_office_day")),
    )
    op.create_table(
        "rekeyed_total",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("round_id", sa.Integer(), nullable=False),
        sa.Column("draw", sa.Integer(), nullable=False),
        sa.Column("sheet", sa.String(length=50), nullable=False),
        sa.Column("total", sa.String(length=20), nullable=False),
        sa.Column("by", sa.String(length=100), nullable=False),
        sa.Column("at", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["round_id"],
            ["office_round.id"],
            name=op.f("fk_rekeyed_total_round_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rekeyed_total")),
    )
    with op.batch_alter_table("rekeyed_total", schema=None) as batch_op:
        batch_op.create_index("ix_rekeyed_total_draw", ["round_id", "draw"], unique=False)

    op.create_table(
        "result_notice",
        sa.Column("round_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("tally", sa.Integer(), nullable=False),
        sa.Column("posted", sa.String(length=10), nullable=False),
        sa.Column("working_days", sa.Integer(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("contact", sa.Text(), nullable=False),
        sa.Column("by", sa.String(length=100), nullable=False),
        sa.Column("at", sa.String(length=40), nullable=False),
        sa.CheckConstraint("working_days >= 5", name=op.f("ck_result_notice_working_days")),
        sa.ForeignKeyConstraint(
            ["round_id"],
            ["office_round.id"],
            name=op.f("fk_result_notice_round_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("round_id", "number", name=op.f("pk_result_notice")),
    )
    op.create_table(
        "roster_file",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("round_id", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("suffix", sa.String(length=10), nullable=False),
        sa.Column("sheet", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("by", sa.String(length=100), nullable=False),
        sa.Column("at", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["round_id"],
            ["office_round.id"],
            name=op.f("fk_roster_file_round_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_roster_file")),
        sa.UniqueConstraint("round_id", "sha256", name=op.f("uq_roster_file_round_id_sha256")),
    )
    op.create_table(
        "signed_scan",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("round_id", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("suffix", sa.String(length=10), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.Column("codes", sa.Text(), nullable=False),
        sa.Column("by", sa.String(length=100), nullable=False),
        sa.Column("at", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["round_id"],
            ["office_round.id"],
            name=op.f("fk_signed_scan_round_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signed_scan")),
        sa.UniqueConstraint("round_id", "sha256", name=op.f("uq_signed_scan_round_id_sha256")),
    )
    op.create_table(
        "unsealing",
        sa.Column("round_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("tally", sa.Integer(), nullable=False),
        sa.Column("asked_by", sa.String(length=100), nullable=False),
        sa.Column("asked_at", sa.String(length=40), nullable=False),
        sa.Column("confirmed_by", sa.String(length=100), nullable=False),
        sa.Column("confirmed_at", sa.String(length=40), nullable=False),
        sa.CheckConstraint("confirmed_by <> asked_by", name=op.f("ck_unsealing_two_persons")),
        sa.ForeignKeyConstraint(
            ["round_id"],
            ["office_round.id"],
            name=op.f("fk_unsealing_round_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("round_id", name=op.f("pk_unsealing")),
    )


def downgrade() -> None:

    op.drop_table("unsealing")
    op.drop_table("signed_scan")
    op.drop_table("roster_file")
    op.drop_table("result_notice")
    with op.batch_alter_table("rekeyed_total", schema=None) as batch_op:
        batch_op.drop_index("ix_rekeyed_total_draw")

    op.drop_table("rekeyed_total")
    op.drop_table("office_day")
    op.drop_table("complaint")
    op.drop_table("audit_draw")

    with op.batch_alter_table("page_look", schema=None) as batch_op:
        batch_op.drop_index("ix_page_look_round")

    op.drop_table("page_look")
    op.drop_table("page_edit")
    op.drop_table("check_verdict")
    with op.batch_alter_table("check_answer", schema=None) as batch_op:
        batch_op.drop_index("ix_check_answer_page")

    op.drop_table("check_answer")
    with op.batch_alter_table("page", schema=None) as batch_op:
        batch_op.drop_index("ix_page_decided")
        batch_op.drop_index("ix_page_kinds")
        batch_op.drop_index("ix_page_frozen")
        batch_op.drop_index("ix_page_risk")
        batch_op.drop_index("ix_page_queue")
        batch_op.drop_index("ix_page_release")
        batch_op.drop_index("ix_page_entrant")

    op.drop_table("page")
    with op.batch_alter_table("source_file", schema=None) as batch_op:
        batch_op.drop_index("ix_source_file_round_sha256")
        batch_op.drop_index("ix_source_file_round_state")
        batch_op.drop_index("ix_source_file_live_path")
        batch_op.drop_index("ix_source_file_entrant")

    op.drop_table("source_file")
    with op.batch_alter_table("submission", schema=None) as batch_op:
        batch_op.drop_index("ix_submission_entrant")

    op.drop_table("submission")
    with op.batch_alter_table("release", schema=None) as batch_op:
        batch_op.drop_index("ix_release_round")
        batch_op.drop_index("ix_release_entrant")

    op.drop_table("release")
    with op.batch_alter_table("check_link", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_check_link_entrant_id"))

    op.drop_table("check_link")
    with op.batch_alter_table("upload", schema=None) as batch_op:
        batch_op.drop_index("ix_upload_round_path")

    op.drop_table("upload")
    with op.batch_alter_table("sign_in", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sign_in_account_id"))

    op.drop_table("sign_in")
    with op.batch_alter_table("job", schema=None) as batch_op:
        batch_op.drop_index("ix_job_rate")
        batch_op.drop_index("ix_job_target")
        batch_op.drop_index("ix_job_round")
        batch_op.drop_index("ix_job_queue")

    op.drop_table("job")
    op.drop_table("entrant")
    op.drop_table("setup_link")
    with op.batch_alter_table("destruction", schema=None) as batch_op:
        batch_op.drop_index("ix_destruction_round")

    op.drop_table("destruction")
    op.drop_table("assignment_rule")
    op.drop_table("expert")
    op.drop_table("office_round")
    with op.batch_alter_table("office_event", schema=None) as batch_op:
        batch_op.drop_index("ix_office_event_round")
        batch_op.drop_index(batch_op.f("ix_office_event_page_id"))

    op.drop_table("office_event")
    op.drop_table("account")
