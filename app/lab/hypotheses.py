"""What one may do with studies of the hypothesis: ask for one on labelled pictures, and read its report."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from sqlalchemy.orm import Session

from app.core.errors import InputError, NotFound, NotReady
from app.core.hypothesis import HypothesisReport, HypothesisSpec
from app.core.ids import is_id, new_id
from app.imaging.normalise import Decoded
from app.jobs import pictures
from app.jobs import repository as job_repository
from app.jobs.models import Job, State
from app.lab import hypothesis_files, repository
from app.lab.experiments import ExperimentService, check_ready
from app.lab.folders import check_classes
from app.lab.models import LABELLED, Dataset

HYPOTHESIS = "hypothesis"
# Styles that are trained with, and those kept for the test.
PARTS = ("seen", "unseen")

# Of both parts together.
MOST_STYLES = 24

# A name, and what opens the picture: they may be many and large, so that there is never more than one of them at once.
Styles = Mapping[str, Sequence[tuple[str, Callable[[], Decoded]]]]


class HypothesisService(ExperimentService):
    """Studies share everything with experiments but how they are asked for and what they report."""

    absent = "There is no such study, or it is not yours."

    def ask(self, owner: str, dataset_id: str, spec: HypothesisSpec, styles: Styles) -> Job:
        """Open and store one style after the other, commit the row of a study, then send the wake-up.

        Args:
            styles: name and picture of each, by part.

        Raises:
            NotFound: no such dataset, or not the owner's.
            NotReady: its pictures are still being taken in.
            InputError: the dataset has fewer than two classes, or a part has no style, or both share one, or they are too many,
                or one cannot be opened.
        """
        self.admit(owner)
        _check_number(styles)
        with self._database.read() as session:
            self._dataset(session, owner, dataset_id)
        job_id = new_id()
        told: dict[str, list[dict[str, object]]] = {part: [] for part in PARTS}

        def opened() -> Iterator[tuple[str, Decoded]]:
            for part in PARTS:
                for number, (name, open_style) in enumerate(styles[part], start=1):
                    role, picture = f"{part}-{number}", open_style()
                    facts = pictures.facts(name, picture)
                    told[part].append({"role": role, "name": facts["name"], "sha256": facts["sha256"]})
                    yield role, picture

        with pictures.stored(self._blobs, job_id, opened()):
            _check_apart(told)
            with self._database.write() as session:
                self._check_limits(session, owner)
                dataset = self._dataset(session, owner, dataset_id)
                job = Job(
                    id=job_id,
                    kind=self.kind,
                    owner=owner,
                    state=State.QUEUED,
                    preset="",
                    params=spec.model_dump(mode="json"),
                    inputs={"study": HYPOTHESIS, "dataset": {"id": dataset.id, "name": dataset.name}, "styles": told},
                    created_at=job_repository.now(session),
                )
                session.add(job)
        self._wake(job)
        return job

    def study(self, owner: str, study_id: str) -> Job:
        """Return the study if it is one of the hypothesis."""
        job = self.get(owner, study_id)
        if job.inputs.get("study") != HYPOTHESIS:
            raise NotReady("This study has another kind of report.")
        return job

    def grid(self, owner: str, study_id: str) -> HypothesisReport:
        """Return the report.

        Raises:
            NotReady: there is none yet, or none came of it.
        """
        self.study(owner, study_id)
        return hypothesis_files.from_json(self.report_file(owner, study_id))

    def _dataset(self, session: Session, owner: str, dataset_id: str) -> Dataset:
        """Return the dataset, which can be studied."""
        dataset = repository.find(session, dataset_id, owner) if is_id(dataset_id) else None
        if dataset is None:
            raise NotFound("There is no such dataset, or it is not yours.")
        if dataset.kind != LABELLED:
            raise InputError("This study needs a dataset of labelled folders. Upload one as a zip file.", field="dataset")
        check_ready(dataset)
        # Some of the pictures that were sent may not have been readable.
        check_classes({row.klass for row in repository.pictures(session, dataset.id)}, field="dataset")
        return dataset


def _check_number(styles: Styles) -> None:
    for part in PARTS:
        if not styles.get(part):
            raise InputError(f"Choose at least one style that is {part}.", field=part)
    given = sum(len(styles[part]) for part in PARTS)
    if given > MOST_STYLES:
        raise InputError(f"A study takes at most {MOST_STYLES} styles, both parts together. Received: {given}.", field=PARTS[-1])


def _check_apart(told: Mapping[str, Sequence[Mapping[str, object]]]) -> None:
    seen = {one["sha256"] for one in told["seen"]}
    shared = next((one["name"] for one in told["unseen"] if one["sha256"] in seen), None)
    if shared is not None:
        raise InputError(f"A style that is tested with must not be trained with. Both parts have: {shared}.", field="unseen")
