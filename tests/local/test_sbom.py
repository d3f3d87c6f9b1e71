"""The bill of materials: everything that is locked or pinned is in it, with the same hashes, and nothing else."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from app.cli import app
from app.core.errors import InputError
from app.core.version import VERSION
from app.infra.artefacts import PACKAGES
from app.local.sbom import EXTRAS, Locked, bill, locked

LOCKS = Path(__file__).parents[2] / "requirements"
# The schema's kinds of component.
TYPES = {
    *("application", "framework", "library", "container", "platform", "operating-system", "device", "device-driver"),
    *("firmware", "file", "machine-learning-model", "data", "cryptographic-asset"),
}


def entries(extra: str) -> dict[tuple[str, str], set[str]]:
    """Return the hashes of each locked package, read word by word rather than by the pattern that is tested."""
    found: dict[tuple[str, str], set[str]] = {}
    for line in (LOCKS / f"{extra}.txt").read_text().splitlines():
        if not line.startswith(" "):
            name, _, version = line.split()[0].partition("==")
            hashes = found.setdefault((name, version), set())
        else:
            hashes.add(line.split(":")[1].split()[0])
    return found


def hashes_of(component: dict[str, Any]) -> set[str]:
    return {one["content"] for one in component["hashes"]}


@pytest.mark.parametrize("extra", EXTRAS)
def test_every_locked_package_is_in_it_with_its_hashes(extra: str) -> None:
    wanted = entries(extra)
    assert len(wanted) > 50
    libraries = [one for one in bill(extra)["components"] if one["type"] == "library"]
    assert {(one["name"], one["version"]): hashes_of(one) for one in libraries} == wanted
    assert len(libraries) == len(wanted)


def test_every_pinned_file_is_in_it_with_its_hash() -> None:
    carriers = {one["name"]: one for one in bill()["components"] if one["type"] == "file"}
    assert set(carriers) == {package.project for package in PACKAGES}
    for package in PACKAGES:
        carrier = carriers[package.project]
        assert (carrier["version"], hashes_of(carrier)) == (package.version, {package.sha256})
        inside = {one["name"]: hashes_of(one) for one in carrier["components"]}
        assert inside == {name: {member.sha256} for name, member in package.members.items()}


@pytest.mark.parametrize("extra", EXTRAS)
def test_it_has_what_the_format_demands(extra: str) -> None:
    document = bill(extra)
    assert (document["bomFormat"], document["specVersion"], document["version"]) == ("CycloneDX", "1.6", 1)
    assert re.fullmatch(r"urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", document["serialNumber"])
    program = document["metadata"]["component"]
    assert (program["type"], program["name"], program["version"]) == ("application", "pentimento", VERSION)
    parts = [program, *document["components"], *(inner for one in document["components"] for inner in one.get("components", []))]
    assert all(part["type"] in TYPES and part["name"] for part in parts)
    assert all(one["alg"] == "SHA-256" and re.fullmatch("[0-9a-f]{64}", one["content"]) for part in parts for one in part.get("hashes", []))
    assert all(part["hashes"] for part in parts[1:])
    references = [part["bom-ref"] for part in parts]
    assert len(references) == len(set(references))
    for dependency in document["dependencies"]:
        assert dependency["ref"] in references
        assert set(dependency["dependsOn"]) <= set(references)
    assert document == bill(extra), "the same program has the same document"
    assert "://" not in json.dumps({**document, "$schema": ""}), "no registry has an address in it"


def test_an_entry_has_version_marker_and_hashes() -> None:
    one, other = "1" * 64, "2" * 64
    text = f"a-b==1.0 ; python_version < '3.12' \\\n    --hash=sha256:{one} \\\n    --hash=sha256:{other}\nc==2.0rc1 \\\n    --hash=sha256:{other}\n"
    assert list(locked(text)) == [Locked("a-b", "1.0", "python_version < '3.12'", (one, other)), Locked("c", "2.0rc1", "", (other,))]


def test_the_command_prints_it() -> None:
    printed = CliRunner().invoke(app, ["sbom"])
    assert printed.exit_code == 0
    assert json.loads(printed.output) == bill()


def test_an_extra_that_is_none_is_refused() -> None:
    with pytest.raises(InputError, match=r"cpu and gpu\. Received: 'tpu'"):
        bill("tpu")
