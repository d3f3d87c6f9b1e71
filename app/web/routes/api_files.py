"""The pictures of a job, and the receipt of how the finished one was made."""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response

from app.core.errors import NotFound
from app.imaging import encode
from app.imaging.receipt import Receipt, attach
from app.jobs.models import Job
from app.web.deps import OwnerDep, ServicesDep
from app.web.routes.api_jobs import ENDED, PROBLEMS

router = APIRouter(prefix="/api/jobs/{job_id}", tags=["pictures"])

TYPES = {".png": "image/png", ".jpg": "image/jpeg"}
_NAME = re.compile(r"(content|style|preview|result)[a-z0-9-]{0,40}\.(png|jpg)")
# Names of stored pictures are never used twice, and only their owner may see them.
CACHED = "private, max-age=86400, immutable"


@router.head("/result", include_in_schema=False)
@router.get(
    "/result",
    summary="Download the picture",
    response_class=Response,
    responses={
        **PROBLEMS,
        **ENDED,
        200: {
            "description": "The picture, with its receipt inside.",
            "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in TYPES.values()},
        },
    },
)
def result(
    job_id: str,
    owner: OwnerDep,
    services: ServicesDep,
    kind: Annotated[Literal["png", "jpeg"], Query(alias="format", description="PNG is lossless.")] = "png",
) -> Response:
    job, stored = services.jobs.result(owner, job_id)
    picture = stored if kind == "png" else encode.jpeg(encode.read_rgb(stored))
    headers = {"Content-Disposition": f'attachment; filename="{_file_name(job)}.{"png" if kind == "png" else "jpg"}"'}
    return Response(attach(picture, services.jobs.receipt(owner, job_id)), media_type=f"image/{kind}", headers=headers)


@router.head("/receipt", include_in_schema=False)
@router.get("/receipt", summary="Read the receipt", response_description="How the picture was made.", responses={**PROBLEMS, **ENDED})
def receipt(job_id: str, owner: OwnerDep, services: ServicesDep) -> Receipt:
    """Everything needed to paint the same picture again: parameters, seed, inputs, weights, versions; and the verdict, once there is one."""
    return services.jobs.receipt(owner, job_id)


@router.head("/pictures/{name}", include_in_schema=False)
@router.get(
    "/pictures/{name}",
    summary="Show a picture",
    response_class=Response,
    responses={
        **PROBLEMS,
        200: {
            "description": "An input, a thumbnail, a preview or the result's pixels.",
            "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in TYPES.values()},
        },
    },
)
def picture(job_id: str, name: str, owner: OwnerDep, services: ServicesDep) -> Response:
    if not _NAME.fullmatch(name):
        raise NotFound("There is no picture of that name.")
    data = services.jobs.picture(owner, job_id, name)
    return Response(data, media_type=TYPES[PurePath(name).suffix], headers={"Cache-Control": CACHED})


def _file_name(job: Job) -> str:
    """Return a file name of plain letters, whatever the inputs were called."""
    words = [
        re.sub(r"[^A-Za-z0-9]+", "-", PurePath(str(job.inputs[role]["name"])).stem).strip("-").lower()[:40] for role in ("content", "style")
    ]
    return "-".join(["pentimento", *filter(None, words)])
