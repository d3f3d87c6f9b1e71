"""Every route × caller, from the route table: nobody, another owner, a forged cookie, another site's page, and the owner."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from fastapi.testclient import TestClient

from app.core.hypothesis import HypothesisSpec
from app.core.ids import new_id
from app.jobs import repository
from app.jobs.models import EXPERIMENT, Job, State
from app.lab import places
from app.lab.hypotheses import HYPOTHESIS
from app.lab.models import Dataset, Detector
from app.web.security import OWNER_COOKIE
from tests.web.conftest import Studio, picture, two_pictures
from tests.web.route_table import SAFE, Route, filled, found, placeholders, routes
from tests.web.test_api_lab_datasets import make, paint_all, several, wait
from tests.web.test_api_verdicts import ask

_FORM = "takes a form, and makes something of the sender's own"
_OWN_LIST = "shows the caller's own things; a newcomer has none"
_SAME = "is the same for everybody"
_OWN_CHOICE = "changes the caller's own choice and names nothing"
_DOOR = "opens and closes a shared installation, and names nothing"
_BROWSER = "takes a browser's report on a page of ours; adds to a count"
_OPERATOR = "tells the operator how the installation is, and of nobody"

# Routes that name nobody's thing in their path, each with its reason.
OPEN = {
    "/": _OWN_LIST,
    "/history": _OWN_LIST,
    "/verdict": _OWN_LIST,
    "/lab": _OWN_LIST,
    "/lab/compare": _OWN_LIST,
    "/lab/datasets/new": _OWN_LIST,
    "/lab/experiments/new": _OWN_LIST,
    "/lab/hypotheses/new": _OWN_LIST,
    "/api/jobs": f"{_OWN_LIST}; {_FORM}",
    "/api/verdicts": f"{_OWN_LIST}; {_FORM}",
    "/api/lab/datasets": f"{_OWN_LIST}; {_FORM}",
    "/api/lab/experiments": f"{_OWN_LIST}; {_FORM}",
    "/api/lab/detectors": _OWN_LIST,
    "/api/lab/compare": _OWN_LIST,
    "/jobs": _FORM,
    "/verdicts": _FORM,
    "/lab/datasets": _FORM,
    "/lab/experiments": _FORM,
    "/lab/hypotheses": _FORM,
    "/api/lab/hypotheses": _FORM,
    "/api/lab/presets": _SAME,
    "/docs": _SAME,
    "/docs/{name}": _SAME,
    "/openapi.json": _SAME,
    "/lab/detectors/shipped/use": _OWN_CHOICE,
    "/api/lab/detectors/shipped/use": _OWN_CHOICE,
    "/login": _DOOR,
    "/logout": _DOOR,
    "/csp-reports": _BROWSER,
    "/healthz": _OPERATOR,
    "/readyz": _OPERATOR,
    "/metrics": _OPERATOR,
}
# Parameters of queries: those that name a thing, and those that do not. Experiments to compare are looked at apart.
NAMED_IN_QUERY = {"from", "dataset", "deleted"}
NAMES_NOTHING = {"before", "colours", "datasets_before", "experiments_before", "first", "format", "iterations", "limit", "next"} | {
    "side",
    "size",
    "strength",
}
FORM_OF_CROSS_SITE = {"sec-fetch-site": "cross-site"}


@dataclass
class Things:
    """One of everything, of the studio's first client."""

    studio: Studio
    owner: str
    values: dict[str, str]

    def path(self, route: Route) -> str:
        name = "picture.png" if "verdict" in route[1] else "content.png"
        return filled(route[1], {**self.values, "name": name})

    def mend(self, *, gone: bool = False) -> None:
        """Undo what a request did: nothing is deleted, or everything is where it is about to be brought back."""
        with self.studio.services.database.write() as session:
            moment = repository.now(session)
            for model, name in ((Job, "job_id"), (Job, "verdict_id"), (Job, "experiment_id"), (Job, "study_id"), (Dataset, "dataset_id")):
                session.get_one(model, self.values[name]).deleted_at = moment if gone else None
            if session.get(Detector, self.values["detector_id"]) is None:
                session.add(_detector(self.owner, self.values["detector_id"], moment))
        self.studio.services.blobs.put(places.detector_key(self.values["detector_id"]), b"weights")


def _detector(owner: str, detector_id: str, moment: float) -> Detector:
    key = places.detector_key(detector_id)
    return Detector(id=detector_id, owner=owner, name="Mine", experiment=new_id(), sha256="0" * 64, key=key, created_at=moment)


@pytest.fixture
def things(studio: Studio) -> Things:
    job_id, verdict_id = studio.finished(), ask(studio)
    for _ in range(2):
        studio.judge()
    dataset_id = make(studio, several(1, 1))
    wait(studio, dataset_id, "making")
    paint_all(studio, 1)
    experiment_id = studio.client.post("/api/lab/experiments", json={"dataset": dataset_id}).json()["id"]
    assert studio.client.post(f"/api/lab/experiments/{experiment_id}/cancel").status_code == 202
    owner = str(studio.services.signer.read(studio.client.cookies[OWNER_COOKIE]))
    study_id = new_id()
    with studio.services.database.write() as session:
        study = Job(
            id=study_id,
            kind=EXPERIMENT,
            owner=owner,
            state=State.CANCELLED,
            preset="",
            params=HypothesisSpec().model_dump(mode="json"),
            inputs={"study": HYPOTHESIS, "dataset": {"id": dataset_id, "name": "Mine"}, "styles": {"seen": [], "unseen": []}},
            created_at=repository.now(session),
        )
        session.add(study)
    values = {"job_id": job_id, "verdict_id": verdict_id, "dataset_id": dataset_id, "experiment_id": experiment_id, "study_id": study_id}
    made = Things(studio, owner, {**values, "detector_id": new_id(), "number": "1"})
    made.mend()
    return made


def owned(studio: Studio) -> list[Route]:
    """Return the routes whose path names somebody's thing."""
    bound = [route for route in routes(studio) if route[1] not in OPEN]
    assert len(bound) >= 90, bound
    return bound


def another(studio: Studio) -> TestClient:
    """The owner of other things."""
    client = studio.new_client()
    own = {role: ("own.png", picture(), "image/png") for role in two_pictures()}
    assert client.post("/api/jobs", files=own).status_code == 202
    return client


def test_every_route_is_bound_to_an_owner_or_open_for_a_reason(things: Things) -> None:
    known = {*things.values, "name"}
    paths = {path for _, path in routes(things.studio)}
    bound = {path for _, path in owned(things.studio)}
    assert {name for path in paths for name in placeholders(path)} <= known, "what a placeholder stands for is told in `things`"
    assert [path for path in bound if not {*placeholders(path)} & ({*things.values} - {"number"})] == [], (
        "names nothing, so it has a reason"
    )
    assert OPEN.keys() - paths == set(), "gone"


@pytest.mark.parametrize("caller", ["newcomer", "another owner", "forged cookie"])
def test_nobody_else_reaches_anything(things: Things, caller: str) -> None:
    studio = things.studio
    client = another(studio) if caller == "another owner" else studio.new_client()
    if caller == "forged cookie":
        client.cookies.set(OWNER_COOKIE, f"{things.owner}.forged")
    wrong = {}
    for route in owned(studio):
        status = client.request(route[0], things.path(route)).status_code
        if status != 404:
            wrong[route] = status
    assert wrong == {}
    for path in ("jobs/{job_id}", "verdicts/{verdict_id}", "lab/datasets/{dataset_id}", "lab/experiments/{experiment_id}"):
        assert studio.client.get(f"/api/{filled(path, things.values)}").status_code == 200


def test_the_owner_reaches_everything(things: Things) -> None:
    """The contrary of the test above, so that it cannot pass because addresses are wrong."""
    studio, unreached = things.studio, {}
    for route in sorted(owned(studio), key=lambda route: route[0] not in SAFE):
        if route[0] not in SAFE:
            things.mend(gone=route[1].endswith("/restore"))
        status = studio.client.request(route[0], things.path(route)).status_code
        # 409: a state that does not allow it, 422: nothing was sent; both come after the owner's check.
        if status not in (200, 201, 202, 303, 409, 422):
            unreached[route] = status
    assert unreached == {}


def test_other_sites_pages_can_do_nothing(things: Things) -> None:
    unsafe = [route for route in routes(things.studio) if route[0] not in SAFE]
    assert len(unsafe) >= 60, unsafe
    wrong = {}
    for route in unsafe:
        status = things.studio.client.request(route[0], things.path(route), headers=FORM_OF_CROSS_SITE).status_code
        if status != 403:
            wrong[route] = status
    assert wrong == {}


def test_what_a_query_names_is_the_caller_s_own(things: Things) -> None:
    """Each parameter that names a thing, on each page that takes one: of another's, nothing is told."""
    studio = things.studio
    taken = {(route.path, param.alias) for route in found(studio) if hasattr(route, "dependant") for param in route.dependant.query_params}
    assert {name for _, name in taken} <= NAMED_IN_QUERY | NAMES_NOTHING | {"second"}, "what a parameter names is told here"
    asked = sorted((path, name) for path, name in taken if name in NAMED_IN_QUERY)
    assert len(asked) >= 7, asked
    stranger = another(studio)
    for path, name in asked:
        for value in things.values.values():
            answer = stranger.get(path, params={name: value})
            assert answer.status_code in (200, 404), (path, name)
            for secret in ("harbour", "c0.png", "night.png", "Mine"):
                assert secret not in answer.text, (path, name, secret)
    pair = {"first": things.values["experiment_id"], "second": things.values["experiment_id"]}
    for path in ("/lab/compare", "/api/lab/compare"):
        assert (stranger.get(path, params=pair).status_code, studio.client.get(path, params=pair).status_code) == (404, 409)


def test_what_a_form_names_is_the_sender_s_own(things: Things) -> None:
    studio, stranger = things.studio, another(things.studio)
    job_id, dataset_id = things.values["job_id"], things.values["dataset_id"]
    forms = {
        "/api/jobs": {"content_kept": job_id, "style_sample": studio.services.samples.of("style")[0].name},
        "/api/lab/datasets": {"job": job_id},
        "/lab/experiments": {"dataset": dataset_id},
        "/api/lab/hypotheses": {"dataset": dataset_id},
    }
    for path, form in forms.items():
        assert stranger.post(path, data=form).status_code in (404, 422), path
    assert stranger.post("/api/lab/experiments", json={"dataset": dataset_id}).status_code == 404
    assert studio.client.post("/api/jobs", data=forms["/api/jobs"]).status_code == 202
    assert studio.client.post("/api/lab/datasets", data=forms["/api/lab/datasets"]).status_code == 202
