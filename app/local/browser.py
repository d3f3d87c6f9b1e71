"""Finds the Chromium that the browser tests drive, and installs it where that is possible. Standard library only."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_BY_HAND = "The browser tests need Chromium. Install it and start again: sudo apt-get update && sudo apt-get install chromium"


def find() -> str | None:
    """Return the path of a Chromium that starts, or None."""
    for path in filter(None, map(shutil.which, NAMES)):
        # Ubuntu's package of that name may be a stub which only says how to install a snap.
        try:
            version = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=60, check=False)
        except (OSError, subprocess.TimeoutExpired):
            continue
        if version.returncode == 0 and version.stdout.startswith(("Chromium", "Google Chrome")):
            return path
    return None


def install() -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (
        ["apt-get", "update", "-q"],
        ["apt-get", "install", "-y", "-q", "--no-install-recommends", "chromium", "fonts-dejavu-core"],
    ):
        subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=False)


def main() -> int:
    if find():
        return 0
    if os.geteuid() == 0 and shutil.which("apt-get"):
        print("Installing Chromium from the system's packages ...", flush=True)
        install()
        if find():
            return 0
    print(_BY_HAND, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
