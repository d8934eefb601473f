"""The Python API in processes forked from one that has used it already."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from harness.pictures import ball, encoded
from tests.support.tiny import tiny_weights

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")

# Pictures of six sizes: the result of another picture has another size and another alpha.
PRELUDE = """
import hashlib, multiprocessing, os, sys
from bgremove import NoSubjectError, Remover, remove

def seen(name):
    result = remove(name)
    return result.size, hashlib.sha256(result.alpha.tobytes()).hexdigest()

names = [f"{index}.png" for index in range(6)]
"""
POOL = """
wanted = [seen(name) for name in names]
with multiprocessing.get_context("fork").Pool(2) as pool:
    assert pool.map(seen, names * 5, chunksize=1) == wanted * 5
assert [seen(name) for name in names] == wanted  # the parent's decoders live on
"""
NO_SUBJECT = """
with multiprocessing.get_context("fork").Pool(1) as pool:
    try:
        pool.map(seen, ["black.png"])
    except NoSubjectError as error:
        assert error.model == "tiny"
    else:
        raise AssertionError("a black picture has a subject")
"""
INHERITED = """
remover = Remover()
half = remover.map(names)
first = next(half)
child = os.fork()
if not child:
    assert remover.remove(names[0]).size == first.size
    assert [result.size for result in remover.map(names)][0] == first.size
    try:
        list(half)
    except RuntimeError as error:
        assert "fork" in str(error)
    else:
        raise AssertionError("the parent's threads answer in the child")
    remover.close()
    sys.exit(0)  # an end with destructors, unlike that of a child of multiprocessing
assert os.waitpid(child, 0)[1] == 0
assert len([first, *half]) == len(names)
remover.close()
"""
DECODERS = """
import psutil
remove(names[0])
(decoder,) = psutil.Process().children()
child = os.fork()
if not child:
    os.read(0, 1)  # until the test closes the pipe
    os._exit(0)
print(decoder.pid, flush=True)
os._exit(0)
"""


def started(script: str, tmp_path: Path) -> subprocess.Popen[str]:
    """Start a script on six pictures in ``tmp_path``, with tiny weights."""
    (tmp_path / "weights").mkdir()
    weights = tiny_weights(tmp_path / "weights")
    for index in range(6):
        (tmp_path / f"{index}.png").write_bytes(encoded(ball(60 + 8 * index, 64)))
    (tmp_path / "black.png").write_bytes(encoded(0 * ball()))
    return subprocess.Popen(
        [sys.executable, "-c", PRELUDE + script],
        cwd=tmp_path,
        env=os.environ | {"BGREMOVE_WEIGHTS_DIR": str(weights), "PYTHONPATH": os.getcwd()},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize(
    "script", [POOL, NO_SUBJECT, INHERITED], ids=["pool", "no subject", "inherited"]
)
def test_forked_processes_give_the_results_of_their_parent(script: str, tmp_path: Path) -> None:
    with started(script, tmp_path) as process:
        try:
            _, said = process.communicate(timeout=120)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        assert process.returncode == 0, said


def test_a_child_does_not_keep_the_decoder_of_a_parent_that_has_ended(tmp_path: Path) -> None:
    with started(DECODERS, tmp_path) as process:
        assert process.stdout is not None
        decoder = int(process.stdout.readline())
        until = time.monotonic() + 60
        while is_running(decoder) and time.monotonic() < until:
            time.sleep(0.05)
        assert not is_running(decoder)


def is_running(pid: int) -> bool:
    """Return whether a process runs; one that has ended may wait for init to collect it."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
