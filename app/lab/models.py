"""Rows of the Lab: datasets, their pictures, and detectors made from experiments."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Boolean, Float, ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.infra.database import Base

# Kinds of dataset.
STYLISED = "stylised"
LABELLED = "labelled"


class Arrival(StrEnum):
    """How far the pictures that were sent have come in. What becomes of them afterwards stands in the jobs."""

    UNPACKING = "unpacking"
    READY = "ready"
    FAILED = "failed"


class Dataset(Base):
    __tablename__ = "datasets"
    __table_args__ = (Index(None, "owner", "created_at"), Index(None, "arrival"))

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    owner: Mapped[str] = mapped_column(String(32))
    name: Mapped[str] = mapped_column(String(120))
    kind: Mapped[str] = mapped_column(String(16))
    # {"generators": [{"name", "preset", "params"}, …]}; empty for labelled ones
    spec: Mapped[dict[str, Any]] = mapped_column(JSON)

    arrival: Mapped[str] = mapped_column(String(16), default=Arrival.UNPACKING)
    # What was sent, until it is unpacked; see ``app.lab.arrivals``.
    incoming: Mapped[list[dict[str, Any]] | None] = mapped_column(JSON)
    # Of the files that were sent.
    total: Mapped[int] = mapped_column(Integer, default=0)
    taken: Mapped[int] = mapped_column(Integer, default=0)
    # Pictures it holds in the end, if no file is left out.
    planned: Mapped[int] = mapped_column(Integer, default=0)
    # Files left out: [{"name", "reason"}, …]
    skipped: Mapped[list[dict[str, str]]] = mapped_column(JSON, default=list)
    # Pictures that look alike: [{"one", "other", "bits"}, …]
    duplicates: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    lease_until: Mapped[float | None] = mapped_column(Float)
    cancelled: Mapped[bool] = mapped_column(Boolean, default=False)
    error: Mapped[str | None] = mapped_column(Text)

    # Seconds since 1970 by the database's clock.
    created_at: Mapped[float] = mapped_column(Float)
    deleted_at: Mapped[float | None] = mapped_column(Float)
    # When it was last brought back: its age counts from then.
    restored_at: Mapped[float | None] = mapped_column(Float)


class DatasetPicture(Base):
    __tablename__ = "dataset_pictures"
    __table_args__ = (UniqueConstraint("dataset", "number", name="uq_dataset_pictures_number"), Index(None, "job"))

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    dataset: Mapped[str] = mapped_column(String(32), ForeignKey("datasets.id", name="fk_dataset_pictures_dataset", ondelete="CASCADE"))
    number: Mapped[int] = mapped_column(Integer)
    role: Mapped[str] = mapped_column(String(16))
    name: Mapped[str] = mapped_column(String(240))
    # Of labelled pictures.
    klass: Mapped[str] = mapped_column(String(240), default="")
    domain: Mapped[str] = mapped_column(String(240), default="")
    # Numbers of the pictures a stylised one was made from, by which splits hold out contents and styles.
    content: Mapped[int | None] = mapped_column(Integer)
    style: Mapped[int | None] = mapped_column(Integer)
    generator: Mapped[str] = mapped_column(String(120), default="")
    params: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    # The job that makes it; its file is the job's result unless ``key`` names a copy.
    job: Mapped[str | None] = mapped_column(String(32))
    key: Mapped[str | None] = mapped_column(String(160))

    sha256: Mapped[str | None] = mapped_column(String(64))
    width: Mapped[int | None] = mapped_column(Integer)
    height: Mapped[int | None] = mapped_column(Integer)
    # Of the file as it was sent: a classifier that sees only these must be at chance.
    bytes: Mapped[int | None] = mapped_column(Integer)
    format: Mapped[str] = mapped_column(String(8), default="")
    # Perceptual hash, 64 bits in hexadecimal: finds the same picture in another size or quality.
    fingerprint: Mapped[str | None] = mapped_column(String(16))


class Detector(Base):
    __tablename__ = "detectors"
    __table_args__ = (Index(None, "owner", "created_at"), UniqueConstraint("owner", "experiment", name="uq_detectors_experiment"))

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    owner: Mapped[str] = mapped_column(String(32))
    name: Mapped[str] = mapped_column(String(120))
    experiment: Mapped[str] = mapped_column(String(32))
    sha256: Mapped[str] = mapped_column(String(64))
    key: Mapped[str] = mapped_column(String(160))
    # At most one of an owner's; none: the shipped one judges.
    active: Mapped[bool] = mapped_column(Boolean, default=False)
    created_at: Mapped[float] = mapped_column(Float)
