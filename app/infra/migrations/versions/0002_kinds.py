"""Jobs of several kinds: what a job belongs to, the pictures kept of a run, and what a finished one reports."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_VERDICTS = sa.text("kind = 'verdict'")


def upgrade() -> None:
    op.add_column("jobs", sa.Column("parent", sa.String(32)))
    op.add_column("jobs", sa.Column("frames", sa.JSON()))
    op.add_column("jobs", sa.Column("report", sa.JSON()))
    op.create_index("ix_jobs_parent", "jobs", ["parent"])
    op.create_index("uq_jobs_verdict", "jobs", ["parent"], unique=True, sqlite_where=_VERDICTS, postgresql_where=_VERDICTS)


def downgrade() -> None:
    op.execute("DELETE FROM jobs WHERE kind <> 'stylize'")
    op.drop_index("uq_jobs_verdict", "jobs")
    op.drop_index("ix_jobs_parent", "jobs")
    for name in ("report", "frames", "parent"):
        op.drop_column("jobs", name)
