"""Jobs that go on: paused and resumed, from a checkpoint, or from another job's result."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("jobs", sa.Column("pause_requested", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("jobs", sa.Column("checkpoint", sa.JSON()))
    op.add_column("jobs", sa.Column("continues", sa.String(32)))
    op.create_index("ix_jobs_continues", "jobs", ["continues"])


def downgrade() -> None:
    op.execute("UPDATE jobs SET state = 'queued' WHERE state = 'paused'")
    op.drop_index("ix_jobs_continues", "jobs")
    for name in ("continues", "checkpoint", "pause_requested"):
        op.drop_column("jobs", name)
