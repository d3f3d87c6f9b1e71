"""Whose turn it is: the order in which waiting jobs of one kind are claimed."""

from __future__ import annotations

import heapq
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum


class Rank(IntEnum):
    """What is claimed before what: a picture that was begun and is only to be ended, one that was sent alone, one of a batch."""

    ENDING = 0
    SINGLE = 1
    BATCH = 2


@dataclass(frozen=True, order=True)
class Waiting:
    """One waiting job: when it was made, its id, whose it is, and which come before it whoever's they are."""

    created_at: float
    id: str
    owner: str
    rank: Rank = Rank.SINGLE


def order(waiting: Iterable[Waiting], served: Mapping[str, float]) -> Iterator[str]:
    """Yield ids in the order in which jobs are claimed, if nothing is added meanwhile.

    Ranks come one after the other. Within one the owner served longest ago comes first, then the oldest job.

    Args:
        served: when each owner was served last; an owner who is not named never was.
    """
    turns: dict[str, float] = dict(served)
    jobs = sorted(waiting)
    for rank in Rank:
        queues: dict[str, deque[Waiting]] = defaultdict(deque)
        for job in jobs:
            if job.rank == rank:
                queues[job.owner].append(job)
        heads = [(turns.get(owner, 0.0), queue[0]) for owner, queue in queues.items()]
        heapq.heapify(heads)
        after_all = max(turns.values(), default=0.0)
        while heads:
            _, job = heapq.heappop(heads)
            yield job.id
            after_all += 1.0
            turns[job.owner] = after_all
            queue = queues[job.owner]
            queue.popleft()
            if queue:
                heapq.heappush(heads, (after_all, queue[0]))
