"""Each finding on a machine that has the thing, and on one that lacks it."""

from __future__ import annotations

import json
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
import redis

from app.core.config import Settings
from app.infra import presence
from app.local import doctor


def settings(folder: Path, **changes: object) -> Settings:
    return Settings(data_dir=folder / "data", cache=folder / "cache", **changes)


@pytest.mark.parametrize(("version", "state"), [((3, 10, 9), "fail"), ((3, 11, 0), "ok"), ((3, 13, 5), "ok"), ((3, 14, 0), "fail")])
def test_python(version: tuple[int, int, int], state: str) -> None:
    assert doctor.python(version).state == state


def test_missing_weights_are_a_failure_that_says_what_to_run(tmp_path: Path) -> None:
    finding = doctor.weights(settings(tmp_path))
    assert (finding.state, finding.to_do) == ("fail", "Run `pentimento fetch`.")
    assert "vgg19" in finding.found


@pytest.mark.parametrize(("growth", "state"), [("true", "ok"), ("false", "warn")])
def test_gpus_are_named_with_who_has_which_and_how_memory_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, growth: str, state: str
) -> None:
    import tensorflow as tf

    there = [SimpleNamespace(name=f"/physical_device:GPU:{number}") for number in range(2)]
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: there if kind == "GPU" else [])
    details = {"device_name": "A GPU", "compute_capability": (8, 0)}
    monkeypatch.setattr(tf.config.experimental, "get_device_details", lambda _: details)
    monkeypatch.setenv("TF_FORCE_GPU_ALLOW_GROWTH", growth)
    found = {finding.name: finding for finding in doctor.devices(settings(tmp_path))}
    assert found["device"].found.endswith("with A GPU, A GPU")
    assert found["processes"].found == "one GPU each: worker 0, judge 0, lab 1"
    assert (found["GPU memory"].state, bool(found["GPU memory"].to_do)) == (state, growth == "false")
    assert found["precision"].found == "bfloat16 (PENTIMENTO_PRECISION=auto), GPU with bfloat16"
    assert found["XLA"].found == "on (PENTIMENTO_XLA=auto)"


def test_without_a_gpu_the_processor_is_named_and_xla_is_off(tmp_path: Path) -> None:
    found = {finding.name: finding.found for finding in doctor.devices(settings(tmp_path))}
    assert found["device"].endswith("on the CPU")
    assert found["XLA"] == "off (PENTIMENTO_XLA=auto)"
    assert "GPU memory" not in found


def test_instruction_sets_are_read_from_the_first_processor(tmp_path: Path) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text("processor\t: 0\nflags\t\t: fpu avx2 avx512f avx512_bf16 amx_bf16\n\nprocessor\t: 1\nflags\t\t: fpu\n")
    assert doctor.processor(doctor.cpu_flags(cpuinfo)).found == "AVX2, AVX512, AVX512-BF16, AMX"
    assert doctor.processor(doctor.cpu_flags(tmp_path / "none")).state == "warn"


def test_an_unreachable_broker_fails_and_the_embedded_one_needs_nothing(tmp_path: Path) -> None:
    assert doctor.broker(settings(tmp_path)).state == "ok"
    finding = doctor.broker(settings(tmp_path, redis_url="redis://127.0.0.1:1/0"))
    assert finding.state == "fail"
    assert "unset the variable" in finding.to_do


def test_looking_at_the_database_does_not_make_one(tmp_path: Path) -> None:
    assert doctor.database(settings(tmp_path)).state == "ok"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("postgresql://me:70007@127.0.0.1:1/none?connect_timeout=2", 'connection to server at "127.0.0.1", port 1 failed'),
        # The driver repeats the port, which happens to be the password.
        ("postgresql://me:70007@127.0.0.1:70007/none", 'invalid port number: "***"'),
        ("postgresql://127.0.0.1:70007/none?user=me&password=70007", 'invalid port number: "***"'),
        ("postgresql://me:70007@[::1/none", "no address of a database"),
        ("70007", "no address of a database"),
    ],
)
def test_a_database_that_does_not_answer_says_why_and_shows_no_password(tmp_path: Path, url: str, found: str) -> None:
    finding = doctor.database(settings(tmp_path, database_url=url))
    assert finding.state == "fail"
    assert found in finding.found and "\n" not in finding.found
    assert "70007" not in finding.found + finding.to_do


def test_disk_space_is_compared_with_what_is_needed(tmp_path: Path) -> None:
    assert doctor.disk("data folder", tmp_path / "not" / "yet", 0).state == "ok"
    finding = doctor.disk("data folder", tmp_path, 1e12)
    assert finding.state == "fail"
    assert "PENTIMENTO_DATA_DIR" in finding.to_do


def test_json_holds_every_finding(capsys: pytest.CaptureFixture[str]) -> None:
    doctor.show([doctor.Finding("disk", "warn", "little", "free some")], as_json=True)
    assert json.loads(capsys.readouterr().out) == [{"name": "disk", "state": "warn", "found": "little", "to_do": "free some"}]


def test_the_table_holds_every_finding(capsys: pytest.CaptureFixture[str]) -> None:
    doctor.show([doctor.Finding("disk", "warn", "little", "free some")], as_json=False)
    assert "warn disk little free some" in " ".join(capsys.readouterr().out.split())


def test_queues_without_a_worker_are_named_with_what_to_start(valkey_url: str, redis_client: redis.Redis, tmp_path: Path) -> None:
    assert doctor.workers(settings(tmp_path)).state == "ok", "nothing runs, nothing is missing"
    running = settings(tmp_path, redis_url=valkey_url)
    presence.announce(redis_client, presence.Worker(hostname="here", pid=1, queues=["stylize"], at=time.time()))
    lacking = doctor.workers(running)
    assert (lacking.state, lacking.found) == ("warn", "none for verdict, experiment")
    assert lacking.to_do == "Start one: pentimento worker --queues verdict,experiment"
    presence.announce(redis_client, presence.Worker(hostname="here", pid=2, queues=["verdict", "experiment"], at=time.time()))
    assert doctor.workers(running).state == "ok"
