"""A worker that can start no thread and get no memory: errors in the envelope, and it lives."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from harness.processes import children
from tests.support.http import Server, error_of, file, form, gunicorn, post
from tests.support.tiny import ball, encoded, tiny_weights

GOOD = form(file("image", encoded(ball(1500, 1000), ".jpg")))
MIB = 1024 * 1024


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    weights = tmp_path / "weights"
    weights.mkdir()
    with gunicorn(tmp_path, {"BGREMOVE_WEIGHTS_DIR": str(tiny_weights(weights))}) as server:
        yield server


@pytest.mark.parametrize("warm", [False, True], ids=["cold", "warm"])
def test_without_memory_or_threads_a_worker_lives_and_says_so(server: Server, warm: bool) -> None:
    if warm:
        assert post(server.door, GOOD).status == 200
    (worker,) = children(server.process.pid)
    unlimited = resource.prlimit(worker, resource.RLIMIT_AS)
    size = psutil.Process(worker).memory_info().vms
    resource.prlimit(worker, resource.RLIMIT_AS, (size + MIB, unlimited[1]))
    try:
        for _ in range(5):
            answer = post(server.door, GOOD)
            if answer.status != 200:  # there may just be enough
                error_of(answer, 502, "UPSTREAM_ERROR")
            assert server.door.send("GET", "/livez").status == 200
    finally:
        resource.prlimit(worker, resource.RLIMIT_AS, unlimited)
    for _ in range(3):
        answer = post(server.door, GOOD)
    assert answer.status == 200
    assert children(server.process.pid) == [worker]
