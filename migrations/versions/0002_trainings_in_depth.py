"""Trainings in depth: courses, places, rosters, registrations, scanning phones, evidence; certificates, kept files, imports, merges."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from quizapp.core import db
from quizapp.core.db import BigId, Json, PathText

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

#: Until now check-in began two hours before a session and ended two hours after it.
MARGIN_MS = 2 * 60 * 60 * 1000


def upgrade() -> None:
    op.create_table(
        "stored_file",
        sa.Column("id", BigId, nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("media_type", sa.String(length=80), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("account_id", BigId, nullable=True),
        sa.Column("created_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("expires_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stored_file")),
        sa.UniqueConstraint("public_id", name=op.f("uq_stored_file_public_id")),
    )
    op.create_index(op.f("ix_stored_file_expires_at"), "stored_file", ["expires_at"], unique=False)
    op.create_table(
        "course",
        sa.Column("id", BigId, nullable=False),
        sa.Column("unit_id", BigId, nullable=False),
        sa.Column("title", sa.String(length=60), nullable=False),
        sa.Column("subject", sa.String(length=120), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("created_by", BigId, nullable=True),
        sa.Column("created_at", BigId, nullable=False),
        sa.Column("closed_at", BigId, nullable=True),
        sa.ForeignKeyConstraint(["unit_id"], ["org_unit.id"], name=op.f("fk_course_unit_id_org_unit")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_course")),
    )
    op.create_index(op.f("ix_course_unit_id"), "course", ["unit_id"], unique=False)
    op.create_table(
        "import_batch",
        sa.Column("id", BigId, nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("target_id", BigId, nullable=True),
        sa.Column("unit_id", BigId, nullable=True),
        sa.Column("account_id", BigId, nullable=True),
        sa.Column("file_id", BigId, nullable=True),
        sa.Column("job_id", BigId, nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("columns", Json, nullable=False),
        sa.Column("summary", Json, nullable=False),
        sa.Column("faults", Json, nullable=False),
        sa.Column("created_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("applied_at", db.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["file_id"], ["stored_file.id"], name=op.f("fk_import_batch_file_id_stored_file")),
        sa.ForeignKeyConstraint(["unit_id"], ["org_unit.id"], name=op.f("fk_import_batch_unit_id_org_unit")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_batch")),
        sa.UniqueConstraint("public_id", name=op.f("uq_import_batch_public_id")),
    )
    op.create_table(
        "place",
        sa.Column("id", BigId, nullable=False),
        sa.Column("unit_id", BigId, nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("address", sa.String(length=120), nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=True),
        sa.Column("created_at", BigId, nullable=False),
        sa.Column("closed_at", BigId, nullable=True),
        sa.ForeignKeyConstraint(["unit_id"], ["org_unit.id"], name=op.f("fk_place_unit_id_org_unit")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_place")),
        sa.UniqueConstraint("unit_id", "name", name=op.f("uq_place_unit_id_name")),
    )
    op.create_table(
        "course_run",
        sa.Column("id", BigId, nullable=False),
        sa.Column("course_id", BigId, nullable=False),
        sa.Column("unit_id", BigId, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=60), nullable=False),
        sa.Column("hours_needed_tenths", sa.Integer(), nullable=True),
        sa.Column("certificate_months", sa.Integer(), nullable=True),
        sa.Column("created_by", BigId, nullable=True),
        sa.Column("created_at", BigId, nullable=False),
        sa.Column("closed_at", BigId, nullable=True),
        sa.ForeignKeyConstraint(["course_id"], ["course.id"], name=op.f("fk_course_run_course_id_course")),
        sa.ForeignKeyConstraint(["unit_id"], ["org_unit.id"], name=op.f("fk_course_run_unit_id_org_unit")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_course_run")),
        sa.UniqueConstraint("course_id", "number", name=op.f("uq_course_run_course_id_number")),
    )
    op.create_index(op.f("ix_course_run_unit_id"), "course_run", ["unit_id"], unique=False)
    op.create_table(
        "person_merge",
        sa.Column("id", BigId, nullable=False),
        sa.Column("kept_id", BigId, nullable=False),
        sa.Column("merged_id", BigId, nullable=False),
        sa.Column("moved", Json, nullable=False),
        sa.Column("done_by", BigId, nullable=True),
        sa.Column("done_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("undone_by", BigId, nullable=True),
        sa.Column("undone_at", db.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["kept_id"], ["person.id"], name=op.f("fk_person_merge_kept_id_person")),
        sa.ForeignKeyConstraint(["merged_id"], ["person.id"], name=op.f("fk_person_merge_merged_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person_merge")),
    )
    op.create_index(op.f("ix_person_merge_kept_id"), "person_merge", ["kept_id"], unique=False)
    op.create_index(op.f("ix_person_merge_merged_id"), "person_merge", ["merged_id"], unique=False)
    op.create_table(
        "personal_code",
        sa.Column("id", BigId, nullable=False),
        sa.Column("person_id", BigId, nullable=False),
        sa.Column("code", sa.String(length=12), nullable=False),
        sa.Column("issued_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", db.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_personal_code_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_personal_code")),
        sa.UniqueConstraint("code", name=op.f("uq_personal_code_code")),
    )
    op.create_index(op.f("ix_personal_code_person_id"), "personal_code", ["person_id"], unique=False)
    op.create_table(
        "certificate",
        sa.Column("id", BigId, nullable=False),
        sa.Column("number", sa.String(length=24), nullable=False),
        sa.Column("check_code", sa.String(length=32), nullable=False),
        sa.Column("run_id", BigId, nullable=False),
        sa.Column("person_id", BigId, nullable=False),
        sa.Column("course_title", sa.String(length=60), nullable=False),
        sa.Column("run_title", sa.String(length=60), nullable=False),
        sa.Column("issuer", sa.String(length=120), nullable=False),
        sa.Column("unit_id", BigId, nullable=True),
        sa.Column("unit_path", PathText, nullable=True),
        sa.Column("hours_tenths", sa.Integer(), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("issued_by", BigId, nullable=True),
        sa.Column("issued_at", BigId, nullable=False),
        sa.Column("revoked_at", BigId, nullable=True),
        sa.Column("revoked_by", BigId, nullable=True),
        sa.Column("revoke_reason", sa.String(length=200), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_certificate_person_id_person")),
        sa.ForeignKeyConstraint(["run_id"], ["course_run.id"], name=op.f("fk_certificate_run_id_course_run")),
        sa.ForeignKeyConstraint(["unit_id"], ["org_unit.id"], name=op.f("fk_certificate_unit_id_org_unit")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_certificate")),
        sa.UniqueConstraint("check_code", name=op.f("uq_certificate_check_code")),
        sa.UniqueConstraint("number", name=op.f("uq_certificate_number")),
    )
    op.create_index("ix_certificate_person_id", "certificate", ["person_id"], unique=False)
    op.create_index(
        "uq_certificate_valid",
        "certificate",
        ["run_id", "person_id"],
        unique=True,
        sqlite_where=sa.text("revoked_at IS NULL"),
        postgresql_where=sa.text("revoked_at IS NULL"),
    )
    op.create_table(
        "audience_rule",
        sa.Column("id", BigId, nullable=False),
        sa.Column("session_id", BigId, nullable=False),
        sa.Column("unit_id", BigId, nullable=True),
        sa.Column("industry_id", BigId, nullable=True),
        sa.Column("job_role", sa.String(length=20), nullable=True),
        sa.ForeignKeyConstraint(["industry_id"], ["industry.id"], name=op.f("fk_audience_rule_industry_id_industry")),
        sa.ForeignKeyConstraint(
            ["session_id"], ["training_session.id"], name=op.f("fk_audience_rule_session_id_training_session")
        ),
        sa.ForeignKeyConstraint(["unit_id"], ["org_unit.id"], name=op.f("fk_audience_rule_unit_id_org_unit")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audience_rule")),
    )
    op.create_index(op.f("ix_audience_rule_session_id"), "audience_rule", ["session_id"], unique=False)
    op.create_table(
        "helper_pass",
        sa.Column("id", BigId, nullable=False),
        sa.Column("session_id", BigId, nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column("label", sa.String(length=40), nullable=False),
        sa.Column("created_by", BigId, nullable=True),
        sa.Column("created_at", BigId, nullable=False),
        sa.Column("expires_at", BigId, nullable=False),
        sa.Column("revoked_at", BigId, nullable=True),
        sa.ForeignKeyConstraint(
            ["session_id"], ["training_session.id"], name=op.f("fk_helper_pass_session_id_training_session")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_helper_pass")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_helper_pass_secret_hash")),
    )
    op.create_index(op.f("ix_helper_pass_session_id"), "helper_pass", ["session_id"], unique=False)
    op.create_table(
        "registration",
        sa.Column("id", BigId, nullable=False),
        sa.Column("session_id", BigId, nullable=False),
        sa.Column("person_id", BigId, nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("via", sa.String(length=10), nullable=False),
        sa.Column("unit_id", BigId, nullable=True),
        sa.Column("unit_path", PathText, nullable=True),
        sa.Column("registered_by", BigId, nullable=True),
        sa.Column("registered_at", BigId, nullable=False),
        sa.Column("queued_at", BigId, nullable=False),
        sa.Column("promoted_at", BigId, nullable=True),
        sa.Column("cancelled_at", BigId, nullable=True),
        sa.Column("email_encrypted", sa.LargeBinary(), nullable=True),
        sa.Column("known_revision", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_registration_person_id_person")),
        sa.ForeignKeyConstraint(
            ["session_id"], ["training_session.id"], name=op.f("fk_registration_session_id_training_session")
        ),
        sa.ForeignKeyConstraint(["unit_id"], ["org_unit.id"], name=op.f("fk_registration_unit_id_org_unit")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_registration")),
        sa.UniqueConstraint("session_id", "person_id", name=op.f("uq_registration_session_id_person_id")),
    )
    op.create_index("ix_registration_person_id", "registration", ["person_id"], unique=False)
    op.create_index(
        "ix_registration_session_id_state_queued_at_id",
        "registration",
        ["session_id", "state", "queued_at", "id"],
        unique=False,
    )
    op.create_table(
        "roster_entry",
        sa.Column("id", BigId, nullable=False),
        sa.Column("session_id", BigId, nullable=False),
        sa.Column("person_id", BigId, nullable=False),
        sa.Column("unit_id", BigId, nullable=True),
        sa.Column("unit_path", PathText, nullable=True),
        sa.Column("job_role", sa.String(length=20), nullable=True),
        sa.Column("source", sa.String(length=10), nullable=False),
        sa.Column("import_id", BigId, nullable=True),
        sa.Column("added_by", BigId, nullable=True),
        sa.Column("added_at", BigId, nullable=False),
        sa.ForeignKeyConstraint(
            ["import_id"], ["import_batch.id"], name=op.f("fk_roster_entry_import_id_import_batch")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_roster_entry_person_id_person")),
        sa.ForeignKeyConstraint(
            ["session_id"], ["training_session.id"], name=op.f("fk_roster_entry_session_id_training_session")
        ),
        sa.ForeignKeyConstraint(["unit_id"], ["org_unit.id"], name=op.f("fk_roster_entry_unit_id_org_unit")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_roster_entry")),
        sa.UniqueConstraint("session_id", "person_id", name=op.f("uq_roster_entry_session_id_person_id")),
    )
    op.create_index("ix_roster_entry_person_id", "roster_entry", ["person_id"], unique=False)
    op.create_table(
        "session_evidence",
        sa.Column("id", BigId, nullable=False),
        sa.Column("session_id", BigId, nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("file_id", BigId, nullable=True),
        sa.Column("added_by", BigId, nullable=True),
        sa.Column("added_at", BigId, nullable=False),
        sa.Column("removed_at", BigId, nullable=True),
        sa.ForeignKeyConstraint(["file_id"], ["stored_file.id"], name=op.f("fk_session_evidence_file_id_stored_file")),
        sa.ForeignKeyConstraint(
            ["session_id"], ["training_session.id"], name=op.f("fk_session_evidence_session_id_training_session")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_session_evidence")),
    )
    op.create_index(op.f("ix_session_evidence_session_id"), "session_evidence", ["session_id"], unique=False)
    op.create_table(
        "session_trainer",
        sa.Column("session_id", BigId, nullable=False),
        sa.Column("account_id", BigId, nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_session_trainer_account_id_account")),
        sa.ForeignKeyConstraint(
            ["session_id"], ["training_session.id"], name=op.f("fk_session_trainer_session_id_training_session")
        ),
        sa.PrimaryKeyConstraint("session_id", "account_id", name=op.f("pk_session_trainer")),
    )
    op.create_index(op.f("ix_session_trainer_account_id"), "session_trainer", ["account_id"], unique=False)
    op.create_table(
        "scan_device",
        sa.Column("id", BigId, nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("session_id", BigId, nullable=False),
        sa.Column("account_id", BigId, nullable=True),
        sa.Column("helper_pass_id", BigId, nullable=True),
        sa.Column("created_at", BigId, nullable=False),
        sa.Column("seen_at", BigId, nullable=False),
        sa.Column("clock_ahead_ms", BigId, nullable=False),
        sa.Column("last_sequence", sa.Integer(), nullable=False),
        sa.Column("revoked_at", BigId, nullable=True),
        sa.ForeignKeyConstraint(
            ["helper_pass_id"], ["helper_pass.id"], name=op.f("fk_scan_device_helper_pass_id_helper_pass")
        ),
        sa.ForeignKeyConstraint(
            ["session_id"], ["training_session.id"], name=op.f("fk_scan_device_session_id_training_session")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scan_device")),
        sa.UniqueConstraint("public_id", name=op.f("uq_scan_device_public_id")),
    )
    op.create_index(op.f("ix_scan_device_session_id"), "scan_device", ["session_id"], unique=False)
    op.create_table(
        "attendance_entry",
        sa.Column("id", BigId, nullable=False),
        sa.Column("session_id", BigId, nullable=False),
        sa.Column("client_id", sa.String(length=32), nullable=False),
        sa.Column("device_id", BigId, nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("method", sa.String(length=20), nullable=False),
        sa.Column("person_id", BigId, nullable=True),
        sa.Column("undoes", sa.String(length=32), nullable=True),
        sa.Column("at_ms", BigId, nullable=False),
        sa.Column("phone_at_ms", BigId, nullable=False),
        sa.Column("received_at", BigId, nullable=False),
        sa.Column("outcome", sa.String(length=10), nullable=False),
        sa.Column("attendance_id", BigId, nullable=True),
        sa.Column("code_hash", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["attendance_id"], ["attendance.id"], name=op.f("fk_attendance_entry_attendance_id_attendance")
        ),
        sa.ForeignKeyConstraint(
            ["device_id"], ["scan_device.id"], name=op.f("fk_attendance_entry_device_id_scan_device")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_attendance_entry_person_id_person")),
        sa.ForeignKeyConstraint(
            ["session_id"], ["training_session.id"], name=op.f("fk_attendance_entry_session_id_training_session")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attendance_entry")),
        sa.UniqueConstraint("client_id", name=op.f("uq_attendance_entry_client_id")),
    )
    op.create_index(op.f("ix_attendance_entry_device_id"), "attendance_entry", ["device_id"], unique=False)
    op.create_index(
        "ix_attendance_entry_session_id_person_id", "attendance_entry", ["session_id", "person_id"], unique=False
    )
    op.create_index(op.f("ix_attendance_entry_undoes"), "attendance_entry", ["undoes"], unique=False)
    with op.batch_alter_table("attendance") as batch_op:
        batch_op.add_column(sa.Column("self_at_ms", BigId, nullable=True))
        batch_op.add_column(sa.Column("received_at", BigId, nullable=True))
        batch_op.add_column(sa.Column("state", sa.String(length=10), nullable=True))
        batch_op.add_column(sa.Column("matched", sa.String(length=10), nullable=True))
        batch_op.add_column(sa.Column("expected", sa.String(length=10), nullable=True))
        batch_op.add_column(sa.Column("right_hash", sa.LargeBinary(), nullable=True))
        batch_op.add_column(sa.Column("took_ms", BigId, nullable=True))
        batch_op.add_column(sa.Column("evidence_id", BigId, nullable=True))
        batch_op.add_column(sa.Column("reason", sa.String(length=20), nullable=True))
        batch_op.add_column(sa.Column("decided_by", BigId, nullable=True))
        batch_op.add_column(sa.Column("decided_at", BigId, nullable=True))
        batch_op.add_column(sa.Column("note", sa.String(length=200), nullable=True))
        batch_op.add_column(sa.Column("checked_out_at", BigId, nullable=True))
        batch_op.add_column(sa.Column("duplicate_of_id", BigId, nullable=True))
    op.execute(
        "UPDATE attendance SET received_at = at_ms, state = 'counted', note = '',"
        " self_at_ms = CASE WHEN method = 'by_hand' THEN NULL ELSE at_ms END,"
        " matched = CASE WHEN method = 'by_hand' THEN 'hand' ELSE 'typed' END"
    )
    with op.batch_alter_table("attendance") as batch_op:
        batch_op.alter_column("received_at", existing_type=BigId, nullable=False)
        batch_op.alter_column("state", existing_type=sa.String(length=10), nullable=False)
        batch_op.alter_column("matched", existing_type=sa.String(length=10), nullable=False)
        batch_op.alter_column("note", existing_type=sa.String(length=200), nullable=False)
        batch_op.create_unique_constraint(op.f("uq_attendance_session_id_right_hash"), ["session_id", "right_hash"])
        batch_op.create_foreign_key(
            op.f("fk_attendance_duplicate_of_id_attendance"), "attendance", ["duplicate_of_id"], ["id"]
        )
        batch_op.create_foreign_key(
            op.f("fk_attendance_evidence_id_session_evidence"), "session_evidence", ["evidence_id"], ["id"]
        )
    with op.batch_alter_table("person") as batch_op:
        batch_op.add_column(sa.Column("job_role", sa.String(length=20), nullable=True))
        batch_op.add_column(sa.Column("merged_into_id", BigId, nullable=True))
    with op.batch_alter_table("person") as batch_op:
        batch_op.create_index(op.f("ix_person_merged_into_id"), ["merged_into_id"], unique=False)
        batch_op.create_foreign_key(op.f("fk_person_merged_into_id_person"), "person", ["merged_into_id"], ["id"])
    with op.batch_alter_table("training_session") as batch_op:
        batch_op.add_column(sa.Column("run_id", BigId, nullable=True))
        batch_op.add_column(sa.Column("subject", sa.String(length=120), nullable=True))
        batch_op.add_column(sa.Column("kind", sa.String(length=10), nullable=True))
        batch_op.add_column(sa.Column("place_id", BigId, nullable=True))
        batch_op.add_column(sa.Column("capacity", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("check_in_from", BigId, nullable=True))
        batch_op.add_column(sa.Column("check_in_until", BigId, nullable=True))
        batch_op.add_column(sa.Column("code_mode", sa.String(length=10), nullable=True))
        batch_op.add_column(sa.Column("check_out", sa.Boolean(), nullable=True))
        batch_op.add_column(sa.Column("hours_tenths", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("registration", sa.String(length=10), nullable=True))
        batch_op.add_column(sa.Column("registration_until", BigId, nullable=True))
        batch_op.add_column(sa.Column("full_names", sa.Boolean(), nullable=True))
        batch_op.add_column(sa.Column("revision", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("moved_at", BigId, nullable=True))
        batch_op.add_column(sa.Column("moved_from_at", BigId, nullable=True))
        batch_op.add_column(sa.Column("moved_from_place", sa.String(length=120), nullable=True))
        batch_op.add_column(sa.Column("cancelled_at", BigId, nullable=True))
    op.execute(
        "UPDATE training_session SET subject = '', kind = 'lecture', code_mode = 'poster', check_out = false, hours_tenths = 0,"
        f" registration = 'closed', full_names = false, revision = 0, check_in_from = starts_at - {MARGIN_MS},"
        f" check_in_until = ends_at + {MARGIN_MS}"
    )
    with op.batch_alter_table("training_session") as batch_op:
        batch_op.alter_column("subject", existing_type=sa.String(length=120), nullable=False)
        batch_op.alter_column("kind", existing_type=sa.String(length=10), nullable=False)
        batch_op.alter_column("check_in_from", existing_type=BigId, nullable=False)
        batch_op.alter_column("check_in_until", existing_type=BigId, nullable=False)
        batch_op.alter_column("code_mode", existing_type=sa.String(length=10), nullable=False)
        batch_op.alter_column("check_out", existing_type=sa.Boolean(), nullable=False)
        batch_op.alter_column("hours_tenths", existing_type=sa.Integer(), nullable=False)
        batch_op.alter_column("registration", existing_type=sa.String(length=10), nullable=False)
        batch_op.alter_column("full_names", existing_type=sa.Boolean(), nullable=False)
        batch_op.alter_column("revision", existing_type=sa.Integer(), nullable=False)
        batch_op.create_index(op.f("ix_training_session_place_id"), ["place_id"], unique=False)
        batch_op.create_index(op.f("ix_training_session_run_id"), ["run_id"], unique=False)
        batch_op.create_index("ix_training_session_starts_at", ["starts_at"], unique=False)
        batch_op.create_foreign_key(op.f("fk_training_session_place_id_place"), "place", ["place_id"], ["id"])
        batch_op.create_foreign_key(op.f("fk_training_session_run_id_course_run"), "course_run", ["run_id"], ["id"])


def downgrade() -> None:
    # what did not count would count again, and methods that were not known become the nearest that was
    op.execute("UPDATE attendance SET duplicate_of_id = NULL, state = 'struck' WHERE duplicate_of_id IS NOT NULL")
    op.execute("UPDATE attendance_entry SET attendance_id = NULL")
    op.execute("DELETE FROM attendance WHERE state <> 'counted'")
    op.execute("UPDATE attendance SET method = 'poster' WHERE method = 'rotating'")
    op.execute("UPDATE attendance SET method = 'by_hand' WHERE method IN ('personal', 'back_filled')")
    with op.batch_alter_table("training_session") as batch_op:
        batch_op.drop_constraint(op.f("fk_training_session_run_id_course_run"), type_="foreignkey")
        batch_op.drop_constraint(op.f("fk_training_session_place_id_place"), type_="foreignkey")
        batch_op.drop_index("ix_training_session_starts_at")
        batch_op.drop_index(op.f("ix_training_session_run_id"))
        batch_op.drop_index(op.f("ix_training_session_place_id"))
        batch_op.drop_column("cancelled_at")
        batch_op.drop_column("moved_from_place")
        batch_op.drop_column("moved_from_at")
        batch_op.drop_column("moved_at")
        batch_op.drop_column("revision")
        batch_op.drop_column("full_names")
        batch_op.drop_column("registration_until")
        batch_op.drop_column("registration")
        batch_op.drop_column("hours_tenths")
        batch_op.drop_column("check_out")
        batch_op.drop_column("code_mode")
        batch_op.drop_column("check_in_until")
        batch_op.drop_column("check_in_from")
        batch_op.drop_column("capacity")
        batch_op.drop_column("place_id")
        batch_op.drop_column("kind")
        batch_op.drop_column("subject")
        batch_op.drop_column("run_id")
    with op.batch_alter_table("person") as batch_op:
        batch_op.drop_constraint(op.f("fk_person_merged_into_id_person"), type_="foreignkey")
        batch_op.drop_index(op.f("ix_person_merged_into_id"))
        batch_op.drop_column("merged_into_id")
        batch_op.drop_column("job_role")
    with op.batch_alter_table("attendance") as batch_op:
        batch_op.drop_constraint(op.f("fk_attendance_evidence_id_session_evidence"), type_="foreignkey")
        batch_op.drop_constraint(op.f("fk_attendance_duplicate_of_id_attendance"), type_="foreignkey")
        batch_op.drop_constraint(op.f("uq_attendance_session_id_right_hash"), type_="unique")
        batch_op.drop_column("duplicate_of_id")
        batch_op.drop_column("checked_out_at")
        batch_op.drop_column("note")
        batch_op.drop_column("decided_at")
        batch_op.drop_column("decided_by")
        batch_op.drop_column("reason")
        batch_op.drop_column("evidence_id")
        batch_op.drop_column("took_ms")
        batch_op.drop_column("right_hash")
        batch_op.drop_column("expected")
        batch_op.drop_column("matched")
        batch_op.drop_column("state")
        batch_op.drop_column("received_at")
        batch_op.drop_column("self_at_ms")
    op.drop_table("attendance_entry")
    op.drop_table("scan_device")
    op.drop_table("session_trainer")
    op.drop_table("session_evidence")
    op.drop_table("roster_entry")
    op.drop_table("registration")
    op.drop_table("helper_pass")
    op.drop_table("audience_rule")
    op.drop_table("certificate")
    op.drop_table("personal_code")
    op.drop_table("person_merge")
    op.drop_table("course_run")
    op.drop_table("place")
    op.drop_table("import_batch")
    op.drop_table("course")
    op.drop_table("stored_file")
