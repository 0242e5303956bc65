"""Town or country: of a unit, and of whoever is drawn for a survey; a survey may draw units in strata."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("org_unit", sa.Column("residence", sa.String(8)))
    op.add_column("survey_invitation", sa.Column("residence", sa.String(8)))
    with op.batch_alter_table("survey") as batch:
        batch.alter_column("design", existing_type=sa.String(12), type_=sa.String(24), existing_nullable=False)


def downgrade() -> None:
    # the name does not fit any more; what was drawn stays as it was drawn
    op.execute("UPDATE survey SET design = 'two_stage' WHERE design = 'stratified_two_stage'")
    with op.batch_alter_table("survey") as batch:
        batch.alter_column("design", existing_type=sa.String(24), type_=sa.String(12), existing_nullable=False)
    op.drop_column("survey_invitation", "residence")
    op.drop_column("org_unit", "residence")
