"""The Lab: datasets, their pictures, and detectors made from experiments."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "datasets",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("owner", sa.String(32), nullable=False),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("spec", sa.JSON(), nullable=False),
        sa.Column("arrival", sa.String(16), nullable=False),
        sa.Column("incoming", sa.JSON()),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("taken", sa.Integer(), nullable=False),
        sa.Column("planned", sa.Integer(), nullable=False),
        sa.Column("skipped", sa.JSON(), nullable=False),
        sa.Column("duplicates", sa.JSON(), nullable=False),
        sa.Column("lease_until", sa.Float()),
        sa.Column("cancelled", sa.Boolean(), nullable=False),
        sa.Column("error", sa.Text()),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("deleted_at", sa.Float()),
        sa.PrimaryKeyConstraint("id", name="pk_datasets"),
    )
    op.create_index("ix_datasets_owner_created_at", "datasets", ["owner", "created_at"])
    op.create_index("ix_datasets_arrival", "datasets", ["arrival"])
    op.create_table(
        "dataset_pictures",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("dataset", sa.String(32), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("name", sa.String(240), nullable=False),
        sa.Column("klass", sa.String(240), nullable=False),
        sa.Column("domain", sa.String(240), nullable=False),
        sa.Column("content", sa.Integer()),
        sa.Column("style", sa.Integer()),
        sa.Column("generator", sa.String(120), nullable=False),
        sa.Column("params", sa.JSON()),
        sa.Column("job", sa.String(32)),
        sa.Column("key", sa.String(160)),
        sa.Column("sha256", sa.String(64)),
        sa.Column("width", sa.Integer()),
        sa.Column("height", sa.Integer()),
        sa.Column("bytes", sa.Integer()),
        sa.Column("format", sa.String(8), nullable=False),
        sa.Column("fingerprint", sa.String(16)),
        sa.PrimaryKeyConstraint("id", name="pk_dataset_pictures"),
        sa.ForeignKeyConstraint(["dataset"], ["datasets.id"], name="fk_dataset_pictures_dataset", ondelete="CASCADE"),
        sa.UniqueConstraint("dataset", "number", name="uq_dataset_pictures_number"),
    )
    op.create_index("ix_dataset_pictures_job", "dataset_pictures", ["job"])
    op.create_table(
        "detectors",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("owner", sa.String(32), nullable=False),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("experiment", sa.String(32), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("key", sa.String(160), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_detectors"),
        sa.UniqueConstraint("owner", "experiment", name="uq_detectors_experiment"),
    )
    op.create_index("ix_detectors_owner_created_at", "detectors", ["owner", "created_at"])


def downgrade() -> None:
    for name in ("detectors", "dataset_pictures", "datasets"):
        op.drop_table(name)
