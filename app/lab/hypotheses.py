"""What one may do with studies of the hypothesis: ask for one on labelled pictures, and read its report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

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
from app.lab.models import LABELLED

HYPOTHESIS = "hypothesis"
# Styles that are trained with, and those kept for the test.
PARTS = ("seen", "unseen")

Styles = Mapping[str, Sequence[tuple[str, Decoded]]]


class HypothesisService(ExperimentService):
    """Studies share everything with experiments but how they are asked for and what they report."""

    absent = "There is no such study, or it is not yours."

    def ask(self, owner: str, dataset_id: str, spec: HypothesisSpec, styles: Styles) -> Job:
        """Store the styles, commit the row of a study, then send the wake-up.

        Args:
            styles: name and picture of each, by part.

        Raises:
            NotFound: no such dataset, or not the owner's.
            NotReady: its pictures are still being taken in.
            InputError: the dataset has fewer than two classes, or a part has no style, or both share one.
        """
        self.admit(owner)
        for part in PARTS:
            if not styles.get(part):
                raise InputError(f"Choose at least one style that is {part}.", field=part)
        job_id = new_id()
        given = {f"{part}-{number}": one for part in PARTS for number, one in enumerate(styles[part], start=1)}
        facts = {role: pictures.facts(name, picture) for role, (name, picture) in given.items()}
        told = {
            part: [
                {"role": role, "name": one["name"], "sha256": one["sha256"]} for role, one in facts.items() if role.startswith(f"{part}-")
            ]
            for part in PARTS
        }
        both = {one["sha256"] for one in told["seen"]} & {one["sha256"] for one in told["unseen"]}
        if both:
            shared = next(one["name"] for one in told["unseen"] if one["sha256"] in both)
            raise InputError(f"A style that is tested with must not be trained with. Both parts have: {shared}.", field="unseen")
        stored = {role: picture for role, (_, picture) in given.items()}
        with pictures.stored(self._blobs, job_id, stored), self._database.write() as session:
            self._check_limits(session, owner)
            dataset = repository.find(session, dataset_id, owner) if is_id(dataset_id) else None
            if dataset is None:
                raise NotFound("There is no such dataset, or it is not yours.")
            if dataset.kind != LABELLED:
                raise InputError("This study needs a dataset of labelled folders. Upload one as a zip file.", field="dataset")
            check_ready(dataset)
            # Some of the pictures that were sent may not have been readable.
            check_classes({row.klass for row in repository.pictures(session, dataset.id)}, field="dataset")
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
