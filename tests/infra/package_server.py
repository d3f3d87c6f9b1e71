"""A package registry on this machine, for tests, that can misbehave in the ways real ones do."""

from __future__ import annotations

import hashlib
import io
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from app.infra.artefacts import Member, Package

TEXT = {"a.bin": b"first member " * 9000, "b.bin": b"second"}


@dataclass
class PackageServer:
    """What is served, how, and what was asked for."""

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    cut_after: list[int] = field(default_factory=list)
    """Bytes after which each coming download breaks off; none left: it does not."""
    statuses: list[int] = field(default_factory=list)
    """Statuses with which the coming downloads are refused."""
    honours_range: bool = True
    requests: list[tuple[str, str | None]] = field(default_factory=list)
    """Path and Range header of each download asked for."""


def package(kind: str = "wheel") -> tuple[Package, bytes]:
    """Return a pinned package of two members, and its bytes."""
    paths = {f"made_up-1.0/{name}": data for name, data in TEXT.items()}
    stream = io.BytesIO()
    if kind == "wheel":
        with zipfile.ZipFile(stream, "w") as archive:
            for path, data in {**paths, "made_up-1.0/__init__.py": b"raise SystemExit"}.items():
                archive.writestr(path, data)
    else:
        with tarfile.open(fileobj=stream, mode="w:gz") as archive:
            for path, data in {"made_up-1.0/setup.py": b"raise SystemExit", **paths}.items():
                entry = tarfile.TarInfo(path)
                entry.size = len(data)
                archive.addfile(entry, io.BytesIO(data))
    whole = stream.getvalue()
    members = {name: Member(f"made_up-1.0/{name}", hashlib.sha256(data).hexdigest(), len(data)) for name, data in TEXT.items()}
    filename = "made_up-1.0-py3-none-any.whl" if kind == "wheel" else "made_up-1.0.tar.gz"
    return Package("made-up", "1.0", filename, hashlib.sha256(whole).hexdigest(), len(whole), members), whole


@contextmanager
def serving() -> Iterator[PackageServer]:
    state = PackageServer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = self.path.strip("/").split("/")
            if parts[0] == "simple":
                links = "".join(f'<a href="/files/{name}">{name}</a>' for name in state.files)
                return self.answer(200, f"<html><body>{links}</body></html>".encode(), {"Content-Type": "text/html"})
            state.requests.append((self.path, self.headers["Range"]))
            if state.statuses:
                return self.answer(state.statuses.pop(0), b"", {})
            data = state.files[parts[-1]]
            asked = self.headers["Range"]
            if not (asked and state.honours_range):
                return self.answer(200, data, {}, cut=True)
            start = int(asked.removeprefix("bytes=").removesuffix("-"))
            return self.answer(206, data[start:], {"Content-Range": f"bytes {start}-{len(data) - 1}/{len(data)}"}, cut=True)

        def answer(self, status: int, body: bytes, headers: dict[str, str], cut: bool = False) -> None:
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            # A client that has read enough hangs up.
            with suppress(ConnectionError):
                self.wfile.write(body[: state.cut_after.pop(0)] if cut and state.cut_after else body)

        def log_message(self, *_: Any) -> None:
            """Say nothing: what was asked is in ``requests``."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield state
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
