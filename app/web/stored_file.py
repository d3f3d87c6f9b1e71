"""A stored file as an answer: read while it is sent, so that a large one is never in memory as a whole."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack
from typing import IO

from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from app.web.outgoing import PIECE


def answer(opened: AbstractContextManager[IO[bytes]], media_type: str, headers: Mapping[str, str], *, etags: str | None = None) -> Response:
    """Return the answer.

    Args:
        etags: what the client says is there already; None: the file never changes, and needs no tag.
    """
    with ExitStack() as stack:
        file = stack.enter_context(opened)
        told = dict(headers)
        if etags is not None:
            told["ETag"] = f'"{_digest(file)}"'
            if told["ETag"] in etags:
                return Response(status_code=304, headers=told)
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        if size <= PIECE:
            return Response(file.read(), media_type=media_type, headers=told)
        told["Content-Length"] = str(size)
        return _Pieces(file, stack.pop_all(), media_type, told)


class _Pieces(StreamingResponse):
    def __init__(self, file: IO[bytes], open_files: ExitStack, media_type: str, headers: Mapping[str, str]) -> None:
        super().__init__(_pieces(file), media_type=media_type, headers=headers)
        self._open_files = open_files

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._open_files:
            if scope["method"] == "HEAD":
                await Response(headers=dict(self.headers))(scope, receive, send)
            else:
                await super().__call__(scope, receive, send)


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    while piece := file.read(PIECE):
        yield piece


def _digest(file: IO[bytes]) -> str:
    digest = hashlib.sha256()
    for piece in _pieces(file):
        digest.update(piece)
    return digest.hexdigest()
