"""Makes ``.venv`` and fills it from the lock files. Standard library only: it runs before anything is installed."""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
EXTRAS = ("cpu", "gpu")
_STAMP = "installed-"


class InstallError(Exception):
    """One line that says what to do."""


def fingerprint(root: Path, extra: str, dev: bool) -> str:
    """Return 16 hexadecimal digits that change whenever ``.venv`` has to change."""
    digest = hashlib.sha256(f"{platform.python_version()}\0{root}\0".encode())
    for name in (extra, "dev") if dev else (extra,):
        digest.update((root / "requirements" / f"{name}.txt").read_bytes())
    return digest.hexdigest()[:16]


def stamp_name(root: Path, extra: str, dev: bool) -> str:
    return f"{_STAMP}{extra}{'-dev' if dev else ''}-{fingerprint(root, extra, dev)}"


def stamps(venv: Path) -> list[Path]:
    """Return the marks of finished installs; none means that ``.venv`` cannot be trusted."""
    return sorted(venv.glob(f"{_STAMP}*"))


def installed_extra(venv: Path) -> str | None:
    for stamp in stamps(venv):
        return stamp.name.removeprefix(_STAMP).split("-")[0]
    return None


def is_current(root: Path, venv: Path, extra: str, dev: bool) -> bool:
    # A development install holds everything that a plain one does.
    wanted = {stamp_name(root, extra, True)} | (set() if dev else {stamp_name(root, extra, False)})
    return bool(wanted & {stamp.name for stamp in stamps(venv)}) and runs(venv)


def runs(venv: Path) -> bool:
    """Tell whether the environment's own Python still starts: a system upgrade can take it away."""
    python = venv / "bin" / "python"
    code = f"import sys; raise SystemExit(sys.version_info[:3] != {tuple(sys.version_info[:3])!r})"
    try:
        return subprocess.run([python, "-c", code], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def install(root: Path, extra: str, dev: bool) -> None:
    """Bring ``.venv`` to exactly what the lock files say. A broken-off install is never taken as whole."""
    venv = root / ".venv"
    keep = installed_extra(venv) == extra and runs(venv)
    dev = dev or (keep and any("-dev-" in stamp.name for stamp in stamps(venv)))
    for stamp in stamps(venv):
        stamp.unlink()
    if not keep:
        _create(venv)
    locks = [root / "requirements" / f"{name}.txt" for name in ((extra, "dev") if dev else (extra,))]
    for lock in locks:
        _pip(venv, lock)
    _link(root, venv)
    (venv / stamp_name(root, extra, dev)).touch()


def _create(venv: Path) -> None:
    if importlib.util.find_spec("venv") is None or importlib.util.find_spec("ensurepip") is None:
        package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
        raise InstallError(f"Python's venv module is missing. Install it and start again: sudo apt-get install {package}")
    print(f"Making {venv.name} with Python {platform.python_version()} ...", flush=True)
    # The running interpreter may be the one inside the folder about to go.
    interpreter = getattr(sys, "_base_executable", sys.executable)
    shutil.rmtree(venv, ignore_errors=True)
    made = subprocess.run([interpreter, "-m", "venv", str(venv)], capture_output=True, text=True, check=False)
    if made.returncode:
        raise InstallError(explain(made.stdout + made.stderr, venv.parent))


def _pip(venv: Path, lock: Path) -> None:
    # Every package is pinned, so nothing is left to resolve; wheels only, so nothing is built or run.
    options = ["--require-hashes", "--no-deps", "--only-binary", ":all:", "--no-input", "--disable-pip-version-check", "--retries", "2"]
    command = [str(venv / "bin" / "python"), "-m", "pip", "install", *options, "-r", str(lock)]
    total = sum(line[:1].isalnum() for line in lock.read_text().splitlines())
    log = venv / f"pip-{lock.stem}.log"
    environment = {**os.environ, "PYTHONUNBUFFERED": "1", "PIP_PROGRESS_BAR": "off"}
    with (
        log.open("w") as record,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment) as pip,
    ):
        assert pip.stdout is not None  # noqa: S101 - asked for above
        show(lock.stem, total, tee(pip.stdout, record))
    if pip.returncode:
        raise InstallError(explain(log.read_text(), lock.parent.parent))


def tee(lines: Iterator[str], record: object) -> Iterator[str]:
    for line in lines:
        print(line, end="", file=record)  # type: ignore[call-overload]
        yield line


def show(name: str, total: int, lines: Iterator[str]) -> None:
    """Turn pip's output into one line that counts up; plain lines now and then where there is no terminal."""
    terminal = sys.stdout.isatty()
    found = 0
    for line in lines:
        words = line.split()
        if words[:1] == ["Collecting"] or line.startswith("Requirement already satisfied"):
            found += 1
            package = (words[1] if words[0] == "Collecting" else words[3]).split("==")[0]
            text = f"Fetching {name} packages: {found} of at most {total} ({package})"
        elif line.startswith("Installing collected"):
            text = f"Installing {len(words) - 3} {name} packages ... (a minute or two)"
        else:
            continue
        if terminal:
            print(f"\r\x1b[K{text}", end="", flush=True)
        elif found % 25 == 1 or text.startswith("Installing"):
            print(text, flush=True)
    if terminal:
        print("\r\x1b[K", end="", flush=True)


def explain(output: str, folder: Path) -> str:
    """Turn pip's or venv's failure into one line that says what to do."""
    if "No space left on device" in output or "Errno 28" in output:
        return f"The disk is full: free about 3 GB where {folder} lies (TMPDIR names another folder for downloads) and start again."
    if "ensurepip is not" in output or "returned non-zero exit status" in output:
        package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
        return f"Python's venv module is incomplete. Install it and start again: sudo apt-get install {package}"
    if "DO NOT MATCH THE HASHES" in output:
        return "A downloaded package is not the one in the lock file, so nothing of it was installed. Check the pip index settings."
    if any(
        sign in output
        for sign in (
            "NewConnectionError",
            "ConnectTimeoutError",
            "NameResolutionError",
            "Temporary failure in name",
            "Could not find a version",
        )
    ):
        return "The package registry cannot be reached. The first start needs the network (or a pip index in pip's settings): connect and start again."
    last = [line for line in output.splitlines() if line.strip()][-1:]
    return f"pip could not install the packages: {last[0] if last else 'no output'}. Its whole output is in .venv/pip-*.log."


def _link(root: Path, venv: Path) -> None:
    """Make the checkout importable, and ``pentimento`` a command, without building a package."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    (venv / "lib" / version / "site-packages" / "pentimento.pth").write_text(f"{root}\n")
    script = venv / "bin" / "pentimento"
    # A #! line naming the interpreter would break where the path holds a space.
    script.write_text('#!/bin/sh\nexec "$(dirname "$(readlink -f "$0")")/python" -m app.cli "$@"\n')
    script.chmod(0o755)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="install", description=__doc__)
    parser.add_argument(
        "--extra", default="", choices=("", *EXTRAS), help="TensorFlow for the CPU or for CUDA; default: as installed, else cpu"
    )
    parser.add_argument("--dev", action="store_true", help="also what tests and linters need")
    options = parser.parse_args(arguments)
    venv = ROOT / ".venv"
    extra = options.extra or installed_extra(venv) or "cpu"
    if is_current(ROOT, venv, extra, options.dev):
        return 0
    try:
        install(ROOT, extra, options.dev)
    except InstallError as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        print(explain(str(error), ROOT), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. The next start installs again.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
