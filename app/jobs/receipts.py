"""The receipt of a job, composed from its row when it is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Literal

from app.core.errors import NotReady
from app.core.finish import Finish
from app.core.specs import StyleParams
from app.core.steering import STEERABLE
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
    # The row has what was asked for last, which may have come too late.
    facts = dict(job.facts)
    in_effect: dict[str, float] = facts.pop("settings", {})
    start = facts.pop("start", None)
    began = () if start is None else (InputDigest(role="start", **start),)
    params = StyleParams.model_validate({**job.params, **{name: in_effect[name] for name in STEERABLE if name in in_effect}})
    return Receipt(
        created=datetime.fromtimestamp(job.finished_at, UTC),
        job=job.id,
        preset=job.preset,
        parameters=params,
        inputs=(*(_digest(job, role, in_effect) for role in pictures.given(job)), *began),
        stopped_early=job.stopped_early,
        finish=Finish.usual(params),
        verdict=summary_of(Verdict.model_validate(verdict.report)) if verdict is not None and verdict.report else None,
        # The painter's version; rows written before it was noted were painted by this one's like.
        **{"version": VERSION, **facts},
    )


def _digest(job: Job, role: str, in_effect: Mapping[str, float]) -> InputDigest:
    facts = job.inputs[role]
    weight = float(facts.get("weight", 1.0))
    if role in pictures.STYLES:
        weight = in_effect.get(f"weight_{pictures.styles_of(job).index(role) + 1}", weight)
    return InputDigest(role=kind_of(role), sha256=facts["sha256"], width=facts["width"], height=facts["height"], weight=weight)


def kind_of(role: str) -> Literal["content", "style", "mask", "part", "protect"]:
    """Return what a receipt calls a picture of this role, whichever painting it is of."""
    if role in ("content", pictures.PROTECT):
        return "content" if role == "content" else "protect"
    if role in pictures.STYLES:
        return "style"
    return "mask" if role.endswith("mask") else "part"
