"""When a deleted job or dataset was brought back: its age counts from then."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    for table in ("jobs", "datasets"):
        op.add_column(table, sa.Column("restored_at", sa.Float()))


def downgrade() -> None:
    for table in ("datasets", "jobs"):
        op.drop_column(table, "restored_at")
