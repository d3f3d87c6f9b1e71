"""The receipt of a job, composed from its row when it is asked for."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

from app.core.errors import NotReady
from app.core.finish import Finish
from app.core.specs import StyleParams
from app.core.verdicts import Verdict, summary_of
from app.core.version import VERSION
from app.imaging.receipt import InputDigest, Receipt
from app.jobs import pictures
from app.jobs.models import Job


def receipt_of(job: Job, verdict: Job | None = None) -> Receipt:
    """Return what the picture of ``job`` states about its making.

    Args:
        verdict: the row of its verdict, which counts once it has ended.

    Raises:
        NotReady: the job has no picture.
    """
    if job.result is None or job.facts is None or job.finished_at is None:
        raise NotReady("This job has no finished picture yet, so there is no receipt.")
    return Receipt(
        created=datetime.fromtimestamp(job.finished_at, UTC),
        job=job.id,
        preset=job.preset,
        parameters=job.params,
        inputs=tuple(_digest(job, role) for role in pictures.given(job)),
        stopped_early=job.stopped_early,
        finish=Finish.usual(StyleParams.model_validate(job.params)),
        verdict=summary_of(Verdict.model_validate(verdict.report)) if verdict is not None and verdict.report else None,
        # The painter's version; rows written before it was noted were painted by this one's like.
        **{"version": VERSION, **job.facts},
    )


def _digest(job: Job, role: str) -> InputDigest:
    facts = job.inputs[role]
    kind: Literal["content", "style", "mask", "protect"] = "style"
    if role in ("content", pictures.PROTECT):
        kind = "content" if role == "content" else "protect"
    elif role not in pictures.STYLES:
        kind = "mask"
    return InputDigest(
        role=kind, sha256=facts["sha256"], width=facts["width"], height=facts["height"], weight=float(facts.get("weight", 1.0))
    )
