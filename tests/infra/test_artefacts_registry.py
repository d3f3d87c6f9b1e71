from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from app.core.errors import ArtefactError
from app.infra import registry


def test_what_pip_prints_is_read_by_rank() -> None:
    listing = "\n".join(
        [
            "global.index-url='https://global.example/simple'",
            "global.extra-index-url='https://a.example/s\\nhttps://b.example/s'",
            "install.index-url='https://install.example/simple'",
            ":env:.cert='/certs.pem'",
            "freeze.timeout='10'",
            "",
        ]
    )
    assert registry.parse_pip_settings(listing) == {
        "index-url": "https://install.example/simple",
        "extra-index-url": "https://a.example/s\nhttps://b.example/s",
        "cert": "/certs.pem",
    }
    environment = listing + "\n:env:.index-url='https://env.example/simple'"
    assert registry.parse_pip_settings(environment)["index-url"] == "https://env.example/simple"


def test_pips_file_and_variables_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pip.conf").write_text("[global]\ntimeout = 7\nindex-url = https://file.example/simple\n")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))
    monkeypatch.setenv("PIP_INDEX_URL", "https://variable.example/simple")
    found = registry.pip_settings()
    assert found["timeout"] == "7"
    assert found["index-url"] == "https://variable.example/simple"


def test_without_pip_its_variables_still_count(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", "https://variable.example/simple")
    monkeypatch.setattr(subprocess, "run", lambda argv, **_: subprocess.CompletedProcess(argv, 1, "", "No module named pip"))
    assert registry.pip_settings() == {"extra-index-url": "https://variable.example/simple"}


@pytest.mark.parametrize("setting", ["cert", "client-cert"])
def test_certificates_that_cannot_be_read_are_named(setting: str, tmp_path: Path) -> None:
    with (
        pytest.raises(ArtefactError, match=r"pip's settings cannot be read.*absent\.pem"),
        registry.client({setting: str(tmp_path / "absent.pem")}),
    ):
        pass


def test_without_index_and_links_nothing_is_asked() -> None:
    settings = {"no-index": "true"}
    with registry.client(settings) as session:
        assert registry.locate("made-up", "1.0", "made_up-1.0.tar.gz", settings, session) is None
