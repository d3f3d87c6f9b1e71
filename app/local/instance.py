"""What must be free before anything starts: the data folder, the disk, the port."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import socket
import time
from pathlib import Path

import psutil

from app.core.errors import PentimentoError, StorageFull, Unavailable

LOCK = "serve.lock"
# After a kill, the last run's undertaker holds the lock until nothing writes there any more.
_PATIENCE_SECONDS = 6.0
_LEAST_FREE_MB = 100.0


def open_data_folder(folder: Path, least_free_mb: float) -> None:
    """Make the data folder, and make sure that it can be written to.

    Raises:
        StorageFull: no room.
        Unavailable: not a folder, or not writable.
    """
    elsewhere = "Choose another folder with PENTIMENTO_DATA_DIR."
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".probe-{os.getpid()}"
        probe.write_bytes(b"\0" * 65536)
        probe.unlink()
        free = shutil.disk_usage(folder).free / 1e6
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageFull(f"The disk that holds {folder} is full. Free some space, or: {elsewhere}") from error
        raise Unavailable(f"The data folder {folder} cannot be written to ({error.strerror}). {elsewhere}") from error
    if free < max(least_free_mb, _LEAST_FREE_MB):
        raise StorageFull(
            f"The disk that holds {folder} has {free:.0f} MB free, and {max(least_free_mb, _LEAST_FREE_MB):.0f} MB are needed. "
            f"Free some space, or: {elsewhere}"
        )


def lock_data_folder(folder: Path, address: str) -> int:
    """Claim the folder for this run and return the open lock file, which holds the claim until the last process closes it.

    Raises:
        Unavailable: another run has it.
    """
    lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except OSError as error:
            holder, _, where = os.pread(lock, 500, 0).decode("utf-8", "replace").partition(" ")
            # A holder that is dead has left its undertaker to finish.
            if time.monotonic() > deadline or _runs(holder):
                os.close(lock)
                raise Unavailable(
                    f"Pentimento already runs in the data folder {folder} (process {holder or 'unknown'}, {where or 'starting'}). "
                    "Stop that one, or choose another folder with PENTIMENTO_DATA_DIR."
                ) from error
        time.sleep(0.05)
    os.ftruncate(lock, 0)
    os.pwrite(lock, f"{os.getpid()} {address}".encode(), 0)
    return lock


def _runs(pid: str) -> bool:
    try:
        return psutil.Process(int(pid)).status() != psutil.STATUS_ZOMBIE
    except (ValueError, psutil.NoSuchProcess):
        return False


def listen(host: str, port: int) -> socket.socket:
    """Return a bound socket. The web process inherits it, so that a restart keeps the port and refuses nobody.

    Raises:
        Unavailable: the port is taken, or the address is not this machine's.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    except socket.gaierror as error:
        raise Unavailable(f"HOST names no address of this machine: {error.strerror}. Received: {host!r}") from error
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(1024)
    except OSError as error:
        listener.close()
        raise _no_port(host, port, error) from error
    return listener


def _no_port(host: str, port: int, error: OSError) -> PentimentoError:
    if error.errno == errno.EADDRINUSE:
        return Unavailable(f"Port {port} on {host} is taken by another program. Choose another one: make run PORT={port + 1}")
    if error.errno == errno.EACCES:
        return Unavailable(f"Port {port} needs more rights than you have. Choose one above 1023: make run PORT=8000")
    return Unavailable(f"The web server cannot listen on {host} port {port}: {error.strerror}. Set HOST and PORT.")


_ANY = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared, not bound


def reachable(host: str) -> str:
    """Return where this machine itself reaches a server that listens on ``host``."""
    return _ANY.get(host, host)


def here(listener: socket.socket) -> tuple[str, int]:
    host, port = listener.getsockname()[:2]
    return reachable(host), port


def address_of(listener: socket.socket) -> str:
    """Return the address to type into a browser on this machine."""
    host, port = here(listener)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
