"""What the page's buttons do with a job that goes on: pause, resume, change, more, larger."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool

from app.web import balance
from app.web.deps import FromHtmx, OwnerDep, ServicesDep
from app.web.job_view import view
from app.web.render import page
from app.web.routes.page_jobs import shown_part
from app.web.uploads import Form, FormLimits, read_form

router = APIRouter(prefix="/jobs/{job_id}", include_in_schema=False)

# What the sliders come to.
_BYTES = 100_000


@router.post("/pause")
def pause(job_id: str, owner: OwnerDep, services: ServicesDep, htmx: FromHtmx) -> Response:
    services.jobs.pause(owner, job_id)
    return shown_part(services, owner, job_id, htmx)


@router.post("/resume")
def resume(job_id: str, owner: OwnerDep, services: ServicesDep, htmx: FromHtmx) -> Response:
    services.jobs.resume(owner, job_id)
    return shown_part(services, owner, job_id, htmx)


async def _positions(job_id: str, request: Request, owner: OwnerDep, services: ServicesDep) -> Form:
    """Read the sliders, of the job's owner alone; nothing sent is nothing moved."""
    await run_in_threadpool(services.jobs.get, owner, job_id)
    kind = request.headers.get("content-type")
    return await read_form(kind, request.stream(), FormLimits.for_words(_BYTES)) if kind else Form()


@router.post("/change")
def change(job_id: str, form: Annotated[Form, Depends(_positions)], owner: OwnerDep, services: ServicesDep, htmx: FromHtmx) -> Response:
    """With htmx only what was said of it is drawn again, so that the slider keeps the focus."""
    try:
        job = services.jobs.get(owner, job_id)
        wanted = balance.read(form.fields, job)
    finally:
        form.close()
    job = services.jobs.change(owner, job_id, wanted) if wanted else job
    if not htmx:
        return RedirectResponse(f"/jobs/{job_id}", 303)
    return page("partials/_balance_said.html", job=view(job), taken=bool(wanted))


@router.post("/more")
def more(job_id: str, owner: OwnerDep, services: ServicesDep) -> Response:
    return RedirectResponse(f"/jobs/{services.jobs.more(owner, job_id).id}", 303)


@router.post("/larger")
def larger(job_id: str, owner: OwnerDep, services: ServicesDep) -> Response:
    return RedirectResponse(f"/jobs/{services.jobs.larger(owner, job_id).id}", 303)
