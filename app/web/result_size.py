"""How large a job's result is, before and after it is there."""

from __future__ import annotations

from app.core.specs import StyleParams
from app.jobs.models import Job


def result_size(job: Job) -> tuple[int, int]:
    """Return width and height, so that the picture's place is kept free."""
    params = StyleParams.model_validate(job.params)
    if params.aspect == "square":
        return params.size, params.size
    width, height = job.inputs["content"]["width"], job.inputs["content"]["height"]
    scale = params.size / max(width, height)
    return max(1, round(width * scale)), max(1, round(height * scale))
