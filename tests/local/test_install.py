"""What decides whether ``.venv`` is made anew, and what a failure is called."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from app.local import install

PIP_WITHOUT_NETWORK = """\
WARNING: Retrying (Retry(total=1)) after connection broken by 'NewConnectionError('<HTTPSConnection object>: Failed to establish')': /simple/absl-py/
ERROR: Could not find a version that satisfies the requirement absl-py==2.5.1 (from versions: none)
ERROR: No matching distribution found for absl-py==2.5.1
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    (tmp_path / "requirements").mkdir()
    for name in ("cpu", "gpu", "dev"):
        (tmp_path / "requirements" / f"{name}.txt").write_text(f"{name}==1\n")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / ".venv"], check=True)
    return tmp_path


def finish(checkout: Path, extra: str, dev: bool) -> None:
    (checkout / ".venv" / install.stamp_name(checkout, extra, dev)).touch()


def current(checkout: Path, extra: str, dev: bool) -> bool:
    return install.is_current(checkout, checkout / ".venv", extra, dev)


def test_an_install_that_was_broken_off_is_not_taken_as_whole(checkout: Path) -> None:
    assert not current(checkout, "cpu", dev=False)


def test_a_finished_install_is_kept_until_a_lock_file_changes(checkout: Path) -> None:
    finish(checkout, "cpu", dev=False)
    assert current(checkout, "cpu", dev=False)
    (checkout / "requirements" / "cpu.txt").write_text("cpu==2\n")
    assert not current(checkout, "cpu", dev=False)


def test_an_install_for_tests_serves_a_plain_start_and_not_the_other_way_round(checkout: Path) -> None:
    finish(checkout, "cpu", dev=True)
    assert current(checkout, "cpu", dev=False)
    for stamp in install.stamps(checkout / ".venv"):
        stamp.unlink()
    finish(checkout, "cpu", dev=False)
    assert not current(checkout, "cpu", dev=True)


def test_the_other_extra_is_another_install(checkout: Path) -> None:
    finish(checkout, "cpu", dev=False)
    assert not current(checkout, "gpu", dev=False)
    assert install.installed_extra(checkout / ".venv") == "cpu"


def test_an_environment_whose_python_is_gone_is_made_anew(checkout: Path) -> None:
    finish(checkout, "cpu", dev=False)
    python = checkout / ".venv" / "bin" / "python"
    python.unlink()
    python.symlink_to(checkout / "no such python")
    assert not current(checkout, "cpu", dev=False)


@pytest.mark.parametrize(
    ("output", "part"),
    [
        (PIP_WITHOUT_NETWORK, "cannot be reached"),
        ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device\n", "The disk is full"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.\n", "not the one in the lock file"),
        ("The virtual environment was not created successfully because ensurepip is not\navailable.\n", "sudo apt-get install python3."),
        ("ERROR: something new\n", "ERROR: something new"),
    ],
)
def test_a_failure_is_one_line_that_says_what_to_do(output: str, part: str) -> None:
    line = install.explain(output, Path("/somewhere"))
    assert part in line
    assert "\n" not in line


def test_progress_is_shown_as_plain_lines_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    lines = [f"Collecting package{n}==1.0 (from -r cpu.txt (line 1))\n" for n in range(30)] + ["Installing collected packages: a, b, c\n"]
    install.show("cpu", 30, iter(lines))
    assert capsys.readouterr().out.splitlines() == [
        "Fetching cpu packages: 1 of at most 30 (package0)",
        "Fetching cpu packages: 26 of at most 30 (package25)",
        "Installing 3 cpu packages ... (a minute or two)",
    ]


def test_a_python_without_its_venv_module_is_named_with_its_package(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    with pytest.raises(install.InstallError, match=rf"sudo apt-get install python{version}-venv$"):
        install.install(checkout, "cpu", dev=False)


def test_the_checkout_is_importable_and_pentimento_a_command_without_building_anything(checkout: Path) -> None:
    (checkout / "app").mkdir()
    (checkout / "app" / "__init__.py").touch()
    (checkout / "app" / "cli.py").write_text("import sys\nprint(sys.argv[1:])\n")
    install._link(checkout, checkout / ".venv")
    done = subprocess.run([checkout / ".venv" / "bin" / "pentimento", "a b", "c"], cwd="/", capture_output=True, text=True, check=True)
    assert done.stdout == "['a b', 'c']\n"
