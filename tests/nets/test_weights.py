from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from app.core.config import Settings
from app.core.errors import ArtefactError
from app.infra import registry
from app.infra.artefacts import Member, Package
from tests.nets.torch_files import Tensor, legacy, ordered
from workers.nets import manifest, weights
from workers.nets.manifest import NETWORKS, Network
from workers.nets.torch_legacy import read_legacy

KERNEL = np.arange(2 * 3 * 2 * 4, dtype=np.float32).reshape(2, 3, 2, 4)
BIAS = np.array([0.5, -1.5], np.float32)
TENSORS = {"conv.kernel": ("1.weight", (2, 3, 2, 4)), "conv.bias": ("1.bias", (2,))}


def packed(files: Mapping[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for path, data in files.items():
            entry = tarfile.TarInfo(path)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return stream.getvalue()


def small_network(folder: Path, kernel: np.ndarray = KERNEL) -> Network:
    """Put a package with one small network into ``folder``, and describe it."""
    data = legacy(ordered(**{"1.weight": Tensor(kernel, "10"), "1.bias": Tensor(BIAS, "11")}))
    whole = packed({"small-1.0/net.pth": data})
    folder.mkdir(exist_ok=True)
    (folder / "small-1.0.tar.gz").write_bytes(whole)
    member = Member("small-1.0/net.pth", hashlib.sha256(data).hexdigest(), len(data))
    package = Package("small", "1.0", "small-1.0.tar.gz", hashlib.sha256(whole).hexdigest(), len(whole), {"small": member})
    return Network(package, read_legacy, TENSORS)


@pytest.fixture
def cached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings of a cache of its own, with one small network offered in a folder and no registry."""
    monkeypatch.setattr(registry, "pip_settings", lambda: {"no-index": "true"})
    monkeypatch.setattr(weights, "htmx_files", lambda settings, on_progress: {})
    network = small_network(tmp_path / "packages")
    for module in (weights, manifest):
        monkeypatch.setattr(module, "NETWORKS", {"small": network})
    return Settings(cache=tmp_path / "cache", artefacts=tmp_path / "packages")


def only_file(settings: Settings) -> Path:
    (path,) = settings.cache.rglob("*.safetensors")
    return path


def test_kernels_come_back_hwio_float32_and_contiguous(cached: Settings) -> None:
    weights.prepare(cached)
    arrays = weights.load("small", cached)
    assert {name: array.shape for name, array in arrays.items()} == {"conv.kernel": (2, 4, 3, 2), "conv.bias": (2,)}
    for out, into, row, column in np.ndindex(KERNEL.shape):
        assert arrays["conv.kernel"][row, column, into, out] == KERNEL[out, into, row, column]
    assert all(array.flags.c_contiguous and array.dtype == np.float32 for array in arrays.values())


def test_a_second_start_needs_no_packages(cached: Settings) -> None:
    weights.prepare(cached)
    before = only_file(cached).stat().st_mtime_ns
    offline = cached.model_copy(update={"artefacts": cached.cache / "nothing here"})
    weights.prepare(offline)
    assert only_file(cached).stat().st_mtime_ns == before
    assert weights.missing(offline) == []


def test_progress_ends_at_the_whole(cached: Settings) -> None:
    seen: list[tuple[str, int, int]] = []
    weights.prepare(cached, lambda *step: seen.append(step))
    size = weights.NETWORKS["small"].package.members["small"].size
    assert seen == [("converting small", 0, size), ("converting small", size, size)]


def test_the_package_in_the_users_folder_is_kept(cached: Settings) -> None:
    weights.prepare(cached)
    assert (cached.artefacts or Path()).joinpath("small-1.0.tar.gz").is_file()


def test_a_damaged_file_is_reported_and_then_rebuilt(cached: Settings) -> None:
    weights.prepare(cached)
    path = only_file(cached)
    whole = path.read_bytes()
    for damaged in (whole[:-4], whole[:-4] + b"\0\0\x80\x3f", b""):
        path.write_bytes(damaged)
        with pytest.raises(ArtefactError, match=r"is damaged. Run `pentimento fetch`"):
            weights.load("small", cached)
        assert weights.missing(cached) == ["small"]
        weights.prepare(cached)
        assert path.read_bytes() == whole


@pytest.mark.parametrize("damaged", [b"", b"{", b"[]", b'{"a": 1}', b'{"a": {"file": "x"}}'])
def test_a_damaged_record_is_as_good_as_none(damaged: bytes, cached: Settings) -> None:
    weights.prepare(cached)
    (record,) = cached.cache.rglob("manifest.json")
    record.write_bytes(damaged)
    assert weights.missing(cached) == ["small"]
    with pytest.raises(ArtefactError, match="not in"):
        weights.load("small", cached)
    weights.prepare(cached)
    assert weights.missing(cached) == []


def test_a_file_that_was_swapped_together_with_its_record_is_refused(cached: Settings) -> None:
    weights.prepare(cached)
    data = weights.to_safetensors({"conv.kernel": np.ones((2, 4, 3, 2), np.float32)})
    only_file(cached).write_bytes(data)
    (record,) = cached.cache.rglob("manifest.json")
    records = json.loads(record.read_bytes())
    for entry in records.values():
        entry["sha256"] = hashlib.sha256(data).hexdigest()
    record.write_text(json.dumps(records))
    with pytest.raises(ArtefactError, match=r"differ from the manifest at 'conv\.bias'"):
        weights.load("small", cached)


def test_checkouts_that_pin_different_files_share_the_cache(cached: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weights.prepare(cached)
    first = weights.load("small", cached)["conv.kernel"]
    older = weights.NETWORKS
    newer = {"small": small_network(tmp_path / "newer", KERNEL + 1)}
    for networks, expected in ((newer, first + 1), (older, first), (newer, first + 1)):
        for module in (weights, manifest):
            monkeypatch.setattr(module, "NETWORKS", networks)
        if weights.missing(cached):
            weights.prepare(cached.model_copy(update={"artefacts": tmp_path / "newer"}))
        np.testing.assert_array_equal(weights.load("small", cached)["conv.kernel"], expected)


def test_an_array_that_safetensors_would_change_is_noticed(cached: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manifest, "_hwio", lambda array: array.transpose(2, 3, 1, 0) if array.ndim == 4 else array)
    with pytest.raises(ArtefactError, match="Writing the weights of small changed them"):
        weights.prepare(cached)
    assert weights.missing(cached) == ["small"]


def test_without_weights_says_what_to_do(cached: Settings) -> None:
    with pytest.raises(ArtefactError, match="Run `pentimento fetch`"):
        weights.load("small", cached)
    with pytest.raises(ArtefactError, match="no network called 'large'"):
        weights.load("large", cached)
    assert weights.digests(cached) == {}


def test_digests_are_those_of_the_source(cached: Settings) -> None:
    weights.prepare(cached)
    assert weights.digests(cached) == {"small": weights.NETWORKS["small"].package.members["small"].sha256}


def test_the_real_networks_are_whole(weights_cache: Settings) -> None:
    sizes = {name: sum(array.size for array in weights.load(name, weights_cache).values()) for name in NETWORKS}
    # VGG19's sixteen convolutions are 20,024,384 numbers; the colour layer adds 12.
    assert sizes == {"vgg19": 20_024_396, "adain_decoder": 3_505_219, "inception_v3": 21_802_784}
    assert weights.digests(weights_cache).keys() == NETWORKS.keys()
