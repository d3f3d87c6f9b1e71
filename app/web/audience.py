"""Who follows an event stream: the owner, with one of the places that one person has."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends

from app.web.deps import OwnerDep, ServicesDep
from app.web.places import Share


async def _follower(owner: OwnerDep, services: ServicesDep) -> AsyncIterator[str]:
    most = services.settings.max_streams
    said = f"You are watching {most} things at once. Close some of their pages, or load this one again to see how far it is."
    with services.streams.one([Share(owner, most, said)]):
        yield owner


# Held until the last of the stream is sent, or nobody listens any more.
FollowerDep = Annotated[str, Depends(_follower, scope="request")]
