"""The pages: the form, a job, the history, the API's documentation."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from app.core.errors import NotReady
from app.core.finish import Finish
from app.jobs.job_events import JobEvent
from app.web import documents, verdict_view
from app.web.deps import OwnerDep, Services, ServicesDep, VisitorDep
from app.web.form import FormState
from app.web.job_view import JobView, view
from app.web.render import page
from app.web.routes.reference import operations

router = APIRouter(include_in_schema=False)

HISTORY_PAGE = 24


def studio(services: Services, form: FormState, job: JobView | None = None, status: int = 200) -> HTMLResponse:
    """Return the one page: the form beside the picture."""
    return page("pages/studio.html", status, form=form, job=job, samples=services.samples, max_bytes=services.settings.max_upload_bytes)


@router.head("/")
@router.get("/")
def index(
    visitor: VisitorDep, services: ServicesDep, again: Annotated[str | None, Query(alias="from", description="Job to begin from.")] = None
) -> HTMLResponse:
    form = FormState()
    if again is not None:
        form = services.reception.again(services.jobs.get(visitor.owner, again))
    response = studio(services, form)
    visitor.remember(response, services)
    return response


@router.head("/jobs/{job_id}")
@router.get("/jobs/{job_id}")
def job_page(
    job_id: str,
    owner: OwnerDep,
    services: ServicesDep,
    strength: Annotated[float, Query(ge=0, le=1)] = 1.0,
    colours: Annotated[Literal["painting", "photograph"] | None, Query()] = None,
) -> HTMLResponse:
    shown = job_shown(services, owner, job_id, services.jobs.event(owner, job_id))
    if colours is not None:
        shown = replace(shown, asked=Finish(strength=strength, colours=colours))
    return studio(services, services.reception.again(shown.job), shown)


def job_shown(services: Services, owner: str, job_id: str, event: JobEvent) -> JobView:
    """Return the job with its verdict, if there is one by now."""
    job = services.jobs.get(owner, job_id)
    earlier = services.jobs.continued_from(job)
    lineage = [("Continued from an earlier picture", f"/jobs/{earlier}")] if earlier else []
    lineage += [("Continued in another picture", f"/jobs/{later}") for later in services.jobs.continued_in(owner, job_id)]
    shown = replace(view(job, event), lineage=tuple(lineage))
    try:
        row = services.verdicts.of_job(owner, job_id)
    except NotReady:
        return shown
    return replace(shown, verdict=verdict_view.view(row, job, services.verdicts.event(owner, row.id)))


@router.head("/history")
@router.get("/history")
def history(
    visitor: VisitorDep,
    services: ServicesDep,
    before: Annotated[float | None, Query()] = None,
    deleted: Annotated[str | None, Query()] = None,
) -> HTMLResponse:
    jobs = services.jobs.history(visitor.owner, HISTORY_PAGE + 1, before)
    older = jobs[HISTORY_PAGE - 1].created_at if len(jobs) > HISTORY_PAGE else None
    shown = [view(job) for job in jobs[:HISTORY_PAGE]]
    undoable = _undoable(services, visitor.owner, deleted)
    return page("pages/history.html", jobs=shown, older=older, before=before, deleted=undoable, keep_days=services.settings.keep_days)


def _undoable(services: Services, owner: str, job_id: str | None) -> JobView | None:
    """Return the job that was just deleted, while it can be brought back."""
    job = services.jobs.deleted(owner, job_id) if job_id else None
    return view(job) if job else None


@router.head("/docs")
@router.get("/docs")
def docs(request: Request) -> HTMLResponse:
    return page("pages/docs.html", operations=operations(request.app.openapi()), base=str(request.base_url).rstrip("/"))


@router.head("/docs/{name}")
@router.get("/docs/{name}")
def document(name: str) -> HTMLResponse:
    return page("pages/document.html", document=documents.read(name))
