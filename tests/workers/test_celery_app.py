"""The worker's parent stays light; a child that cannot load its networks ends the worker."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import redis

from app.core.config import Settings
from app.infra.database import Database


def _environment(settings: Settings, **more: str) -> dict[str, str]:
    return os.environ | {"PENTIMENTO_DATA_DIR": str(settings.data), "PENTIMENTO_REDIS_URL": settings.redis_url or ""} | more


def test_the_parent_loads_no_tensorflow_and_opens_no_connection(settings: Settings) -> None:
    script = (
        "import sys, workers.celery_app as worker\n"
        "assert 'tensorflow' not in sys.modules, 'TensorFlow in the parent'\n"
        "assert worker._child is None\n"
        "assert {'pentimento.stylize', 'pentimento.verdict'} <= set(worker.app.tasks)\n"
    )
    subprocess.run([sys.executable, "-c", script], env=_environment(settings), check=True, timeout=60)


def test_a_worker_without_weights_ends_and_says_why(settings: Settings, tmp_path: Path) -> None:
    answer = subprocess.run(
        [sys.executable, "-m", "celery", "-A", "workers.celery_app:app", "worker", "--queues", "stylize"],
        env=_environment(settings, PENTIMENTO_CACHE=str(tmp_path / "empty cache")),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert "this worker cannot start" in answer.stderr + answer.stdout
    assert "pentimento fetch" in answer.stderr + answer.stdout


def test_an_experiment_s_worker_loads_no_network_before_its_first_task(
    settings: Settings, database: Database, redis_client: redis.Redis
) -> None:
    script = (
        "import sys\n"
        "from app.core.config import Settings\n"
        "from workers.child import Child\n"
        "child = Child.start(Settings(), ['experiment'], lambda: False)\n"
        "assert 'tensorflow' not in sys.modules, 'TensorFlow before there is anything to do'\n"
        "import time; time.sleep(1)\n"
        "import redis; from app.infra import presence\n"
        "(worker,) = presence.present(redis.Redis.from_url(Settings().redis_url))\n"
        "assert (worker.queues, worker.device) == (['experiment'], ''), worker\n"
        "child.close()\n"
        "assert not presence.present(redis.Redis.from_url(Settings().redis_url))\n"
    )
    subprocess.run([sys.executable, "-c", script], env=_environment(settings), check=True, timeout=60)


def test_a_worker_takes_the_queues_that_it_was_started_for(settings: Settings) -> None:
    """As the child reads them: from the application, after Celery has read its command line."""
    script = (
        "from workers.celery_app import app, queues_taken\n"
        "app.amqp.queues.select(['verdict', 'experiment'])\n"
        "assert queues_taken() == ['verdict', 'experiment'], queues_taken()\n"
    )
    subprocess.run([sys.executable, "-c", script], env=_environment(settings), check=True, timeout=60)


def test_a_worker_s_children_take_gpus_from_the_one_it_is_told_to_begin_with(settings: Settings) -> None:
    script = (
        "import os, billiard, workers.celery_app as worker\n"
        "billiard.current_process().index = 1\n"
        "worker.Child.start = lambda *_: None\n"
        "worker._start_child()\n"
        "assert os.environ['CUDA_VISIBLE_DEVICES'] == 'GPU-d', os.environ['CUDA_VISIBLE_DEVICES']\n"
    )
    environment = _environment(settings, PENTIMENTO_FIRST_GPU="2", CUDA_VISIBLE_DEVICES="GPU-a,GPU-b,GPU-c,GPU-d")
    subprocess.run([sys.executable, "-c", script], env=environment, check=True, timeout=60)


def test_a_child_that_still_loads_leaves_when_its_worker_shuts_down(settings: Settings) -> None:
    script = (
        "import threading, workers.celery_app as worker\n"
        "worker._tell_children()\n"
        "worker._leave_if_told(threading.Event())\n"
        "print('still here')\n"
    )
    left = subprocess.run(
        [sys.executable, "-c", script], env=_environment(settings), capture_output=True, text=True, timeout=60, check=True
    )
    assert left.stdout == ""
