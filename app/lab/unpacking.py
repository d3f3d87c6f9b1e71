"""Takes in what was sent for datasets, some pictures at a time, in a thread of the web process.

The row says how far it is, so a restart goes on where it was; who finds that somebody else went
on meanwhile writes nothing.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from app.core.errors import InputError, NotFound, PentimentoError, StorageFull
from app.imaging import encode
from app.imaging.decode import Decoded, DecoderPool
from app.imaging.kinds import sniff
from app.imaging.normalise import THUMBNAIL_SIDE
from app.infra import standstill
from app.infra.clients import Clients
from app.infra.database import db_now
from app.jobs.models import Job
from app.lab import likeness, places, repository
from app.lab.archives import Archive, ArchiveLimits, Member, Skipped
from app.lab.arrivals import Piece
from app.lab.batches import generator_of, generators_of, queue_batch, wake
from app.lab.models import Arrival, Dataset, DatasetPicture

log = logging.getLogger(__name__)

# Pictures between two writes of the row.
_CHUNK = 8
_LEASE_SECONDS = 60.0
# Nobody waits for an answer: visitors' single pictures may take their turn first.
_DECODER_SECONDS = 30.0
_DUPLICATES = 200

Read = Callable[[Piece], bytes]


@dataclass(frozen=True)
class _Taken:
    """A picture that came in well: what its row says, and its files."""

    piece: Piece
    decoded: Decoded
    sha256: str
    bytes: int
    format: str


class Unpacker:
    """Unpacks one dataset after another; ``closing`` tells it to put its work down."""

    def __init__(self, clients: Clients, decoders: DecoderPool, at_once: int, closing: Callable[[], bool]) -> None:
        self._clients = clients
        self._decoders = decoders
        self._at_once = at_once
        self._closing = closing
        self._limits = ArchiveLimits.of(clients.settings)

    def unpack_one(self) -> bool:
        """Take in the dataset that has waited longest. False: none was waiting."""
        with self._clients.database.write() as session:
            dataset = repository.claim_arrival(session, _LEASE_SECONDS)
        if dataset is None:
            return False
        try:
            self._unpack(dataset)
        except (InputError, NotFound) as error:
            self._fail(dataset, error.message)
        except StorageFull as error:
            self._interrupt(dataset, error.message)
        except (PentimentoError, OSError):
            raise  # no verdict on what was sent: the lease runs out, and it goes on
        except Exception:
            log.exception("not unpacked: dataset=%s", dataset.id)
            self._fail(dataset, "Something went wrong while the pictures were unpacked. It has been logged; sending them again may help.")
        return True

    def _unpack(self, dataset: Dataset) -> None:
        pieces = [Piece.model_validate(one) for one in dataset.incoming or []]
        known = self._known(dataset)
        with self._reader(dataset, pieces) as read, ThreadPoolExecutor(self._at_once) as threads:
            taken = dataset.taken
            while taken < len(pieces):
                if self._closing():
                    return self._put_down(dataset, taken)
                if self._clients.blobs.short_of(self._clients.settings.min_free_mb):
                    raise StorageFull("The server's disk is almost full.")
                chunk = list(enumerate(pieces[taken : taken + _CHUNK], start=taken + 1))
                results = threads.map(lambda one: self._take(read, one[1]), chunk)
                if not self._keep(dataset, taken, list(zip(chunk, results, strict=True)), known):
                    return None
                taken += len(chunk)
        return self._complete(dataset, len(pieces))

    def _take(self, read: Read, piece: Piece) -> _Taken | Skipped:
        try:
            data = read(piece)
            if piece.source == "job":
                return self._copy(piece, data)
            decoded = self._decoders.decode(data, wait=_DECODER_SECONDS)
        except (InputError, NotFound) as error:
            return Skipped(name=piece.name, reason=error.message)
        return _Taken(piece, decoded, hashlib.sha256(decoded.png).hexdigest(), len(data), sniff(data))

    def _copy(self, piece: Piece, png: bytes) -> _Taken:
        """A job's picture is our own: it was decoded before."""
        pixels = encode.read_rgb(png)
        thumbnail = encode.preview(pixels, max_side=THUMBNAIL_SIDE)
        decoded = Decoded(pixels.shape[1], pixels.shape[0], png, thumbnail)
        return _Taken(piece, decoded, hashlib.sha256(png).hexdigest(), len(png), "PNG")

    def _keep(
        self, dataset: Dataset, before: int, results: list[tuple[tuple[int, Piece], _Taken | Skipped]], known: dict[tuple[str, str], int]
    ) -> bool:
        """Store files, then their rows and how far it is. False: this is not our work any more."""
        rows: list[DatasetPicture] = []
        skipped: list[Skipped] = []
        for (number, piece), result in results:
            if isinstance(result, Skipped):
                skipped.append(result)
                continue
            twin = known.get((piece.role, result.sha256))
            if twin is not None:
                if piece.source != "job":
                    skipped.append(Skipped(name=piece.name, reason=f"it is the same picture as number {twin}"))
                continue
            try:
                origin = self._origin(piece, known)
            except NotFound as error:
                skipped.append(Skipped(name=piece.name, reason=error.message))
                continue
            known[piece.role, result.sha256] = number
            rows.append(self._row(dataset, number, result, origin))
        with self._clients.database.write() as session:
            dataset.skipped = [*dataset.skipped, *(one.model_dump() for one in skipped)]
            after = before + len(results)
            lease = db_now() + _LEASE_SECONDS
            if not repository.advance(session, dataset.id, before, taken=after, skipped=dataset.skipped, lease_until=lease):
                return False
            session.add_all(rows)
        return True

    def _row(self, dataset: Dataset, number: int, taken: _Taken, origin: dict[str, Any]) -> DatasetPicture:
        key = places.picture_key(dataset.id, number)
        self._clients.blobs.put(key, taken.decoded.png)
        self._clients.blobs.put(places.thumbnail_key(dataset.id, number), taken.decoded.thumbnail_jpeg)
        return DatasetPicture(
            dataset=dataset.id,
            number=number,
            role=taken.piece.role,
            name=taken.piece.name,
            klass=taken.piece.klass,
            domain=taken.piece.domain,
            key=key,
            sha256=taken.sha256,
            width=taken.decoded.width,
            height=taken.decoded.height,
            bytes=taken.bytes,
            format=taken.format,
            fingerprint=likeness.print_of(taken.decoded.thumbnail_jpeg),
            **origin,
        )

    def _origin(self, piece: Piece, known: dict[tuple[str, str], int]) -> dict[str, Any]:
        """Return what a finished picture was made from and how; nothing for others."""
        if piece.source != "job" or piece.role != "stylised":
            return {}
        job = self._job(piece)
        content, style = (known.get((role, job.inputs[role]["sha256"])) for role in ("content", "style"))
        if content is None or style is None:
            raise NotFound("its content or its style is gone")
        generator, params = generator_of(job)
        return {"content": content, "style": style, "generator": generator, "params": params}

    def _job(self, piece: Piece) -> Job:
        with self._clients.database.read() as session:
            job = session.get(Job, piece.job)
        if job is None or job.result is None:
            raise NotFound("its job is gone")
        return job

    def _known(self, dataset: Dataset) -> dict[tuple[str, str], int]:
        with self._clients.database.read() as session:
            return {(row.role, row.sha256 or ""): row.number for row in repository.pictures(session, dataset.id)}

    @contextmanager
    def _reader(self, dataset: Dataset, pieces: list[Piece]) -> Iterator[Read]:
        """Yield what returns the bytes of a piece. Members of an archive are read one at a time."""
        blobs = self._clients.blobs

        def loose(piece: Piece) -> bytes:
            if piece.source == "job":
                return blobs.get(places.job_key(self._job(piece), piece))
            return blobs.get(places.incoming_key(dataset.id, piece.number))

        if all(piece.source != "archive" for piece in pieces):
            yield loose
            return
        with blobs.open(places.archive_key(dataset.id)) as file, Archive(file, self._limits) as archive:
            members: dict[int, Member] = {member.number: member for member in archive.survey().members}
            yield lambda piece: archive.read(members[piece.number]) if piece.source == "archive" else loose(piece)

    def _complete(self, dataset: Dataset, total: int) -> None:
        """Commit the dataset as unpacked together with the jobs that stylise it, then wake their workers."""
        with self._clients.database.write() as session:
            rows = repository.pictures(session, dataset.id)
            _check_enough(dataset, rows)
            prints = [(row.number, row.fingerprint) for row in rows if row.fingerprint and row.role != "stylised"]
            duplicates = [
                {"one": prints[one][0], "other": prints[other][0], "bits": bits}
                for one, other, bits in likeness.alike([value for _, value in prints], _DUPLICATES)
            ]
            done = {"arrival": Arrival.READY, "incoming": None, "lease_until": None, "duplicates": duplicates}
            if not repository.advance(session, dataset.id, total, **done):
                return
            jobs = queue_batch(session, dataset, rows)
        self._forget_incoming(dataset)
        wake(self._clients, len(jobs))
        log.info("unpacked: dataset=%s pictures=%d skipped=%d jobs=%d", dataset.id, len(rows), len(dataset.skipped), len(jobs))

    def _put_down(self, dataset: Dataset, taken: int) -> None:
        with self._clients.database.write() as session:
            repository.advance(session, dataset.id, taken, lease_until=None)

    def _interrupt(self, dataset: Dataset, reason: str) -> None:
        """Leave the dataset as one that was cancelled: what came in stays, and its owner goes on once there is room."""
        with self._clients.database.write() as session:
            current = session.get(Dataset, dataset.id)
            if current is not None and current.arrival == Arrival.UNPACKING:
                current.cancelled, current.lease_until = True, None
                current.error = f"{reason} What has come in stays: delete old datasets or ask the server's operator, then go on."

    def _fail(self, dataset: Dataset, message: str) -> None:
        with self._clients.database.write() as session:
            current = session.get(Dataset, dataset.id)
            if current is not None and current.arrival == Arrival.UNPACKING:
                current.arrival, current.error, current.lease_until = Arrival.FAILED, message, None
        self._forget_incoming(dataset)

    def _forget_incoming(self, dataset: Dataset) -> None:
        """Remove what was sent; during a backup, which may still name it, that is left to the janitor."""
        with standstill.deleting(self._clients.settings) as may:
            if may:
                self._clients.blobs.delete_folder(places.incoming_folder(dataset.id))


def _check_enough(dataset: Dataset, rows: Sequence[DatasetPicture]) -> None:
    """Raise InputError, which ends the dataset as failed, when what came in cannot be used for anything."""
    because = f" {dataset.skipped[0]['name']}: {dataset.skipped[0]['reason']}" if dataset.skipped else ""
    if not rows:
        raise InputError(f"None of the pictures could be read.{because}")
    for role in ("content", "style") if generators_of(dataset) else ():
        if all(row.role != role for row in rows):
            raise InputError(f"None of the {role} pictures could be read, so there is nothing to stylise.{because}")
