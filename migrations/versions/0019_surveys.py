"""Surveys: plan, draw, invitations, estimate."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from quizapp.core import db
from quizapp.core.db import BigId, Json

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "survey",
        sa.Column("id", BigId, primary_key=True),
        sa.Column("unit_id", BigId, sa.ForeignKey("org_unit.id"), nullable=False),
        sa.Column("title", sa.String(120), nullable=False),
        sa.Column("delivery_id", BigId, sa.ForeignKey("delivery.id"), nullable=False),
        sa.Column("design", sa.String(12), nullable=False),
        sa.Column("frame_kind", sa.String(10), nullable=False),
        sa.Column("plan", Json, nullable=False),
        sa.Column("unit_sizes", Json, nullable=False),
        sa.Column("seed", sa.String(120), nullable=False),
        sa.Column("counts", Json, nullable=False),
        sa.Column("frame", sa.LargeBinary()),
        sa.Column("frame_digest", sa.String(64)),
        sa.Column("drawn_digest", sa.String(64)),
        sa.Column("weighting", Json, nullable=False),
        sa.Column("estimate", Json),
        sa.Column("estimated_at", db.UtcDateTime(timezone=True)),
        sa.Column("drawn_at", db.UtcDateTime(timezone=True)),
        sa.Column("closed_at", db.UtcDateTime(timezone=True)),
        sa.Column("created_by", BigId),
        sa.Column("created_at", db.UtcDateTime(timezone=True), nullable=False),
    )
    op.create_index("ix_survey_unit_id", "survey", ["unit_id"])
    op.create_index("ix_survey_delivery_id", "survey", ["delivery_id"])
    op.create_table(
        "survey_invitation",
        sa.Column("id", BigId, primary_key=True),
        sa.Column("survey_id", BigId, sa.ForeignKey("survey.id"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("person_id", BigId, sa.ForeignKey("person.id")),
        sa.Column("place", sa.Integer()),
        sa.Column("stratum", sa.String(20), nullable=False),
        sa.Column("home", sa.String(20), nullable=False),
        sa.Column("weight", sa.Float(), nullable=False),
        sa.Column("populations", Json, nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(), unique=True),
        sa.Column("outcome", sa.String(12), nullable=False),
        sa.Column("noted_by", BigId),
        sa.Column("noted_at", db.UtcDateTime(timezone=True)),
        sa.Column("attempt_id", BigId, sa.ForeignKey("attempt.id")),
        sa.UniqueConstraint("survey_id", "number"),
        sa.UniqueConstraint("survey_id", "person_id"),
    )
    op.create_index("ix_survey_invitation_person_id", "survey_invitation", ["person_id"])
    op.create_index("ix_survey_invitation_attempt_id", "survey_invitation", ["attempt_id"])


def downgrade() -> None:
    op.drop_table("survey_invitation")
    op.drop_table("survey")
