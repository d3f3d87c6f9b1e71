"""`make audit`, with a stand-in for what asks the public list."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Takes the place of the interpreter that makes an environment: `python -m venv .audit`.
PYTHON = """\
#!/bin/sh
mkdir -p .audit/bin
printf '#!/bin/sh\\n' > .audit/bin/python
printf '#!/bin/sh\\nfor last in "$@"; do :; done\\necho "$last" >> asked\\n! grep -q vulnerable "$last"\\n' > .audit/bin/pip-audit
chmod +x .audit/bin/python .audit/bin/pip-audit
"""


@pytest.mark.parametrize("vulnerable", ["", "cpu", "gpu", "dev"])
def test_every_list_is_looked_up_and_one_finding_is_enough(tmp_path: Path, vulnerable: str) -> None:
    shutil.copy(ROOT / "Makefile", tmp_path)
    lists = sorted(path.name for path in (ROOT / "requirements").iterdir())
    (tmp_path / "requirements").mkdir()
    for name in lists:
        (tmp_path / "requirements" / name).write_text("vulnerable\n" if name == f"{vulnerable}.txt" else "sound\n")
    python = tmp_path / "python"
    python.write_text(PYTHON)
    python.chmod(0o755)
    # The environment that it is made from is there already.
    done = subprocess.run(
        ["make", "--assume-old=venv", "audit", "VENV=./python"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode != 0) == bool(vulnerable), done.stderr
    assert (tmp_path / "asked").read_text().split() == [f"requirements/{name}" for name in lists]
    assert {"cpu.txt", "gpu.txt", "dev.txt"} <= set(lists)
    assert not (tmp_path / ".audit").exists()
