"""Inference that does not end: it is cancelled if possible, otherwise its worker is killed."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from faults.clients import Seen, ask
from faults.finding import Finding
from faults.stand import SMALL, Ground, Stand, is_idle, replaced, stand, worker_of, workers
from harness.gunicorn import Server
from harness.waiting import until

DEADLINE_S = 5  # BGREMOVE_TIMEOUT_S, 20 as shipped; long enough for ordinary pictures
GRACE_S = 3  # BGREMOVE_GRACE_S, 10 as shipped
WORKER_S = 8  # gunicorn's timeout, 30 as shipped
KILL_WITHIN_S = 20  # after the request; nginx would wait 45
NATIVE = {
    "sleep": "a native call that hangs, other threads run on",
    "grip": "a native call that hangs and holds Python's lock",
}


def short_timeouts(ground: Ground) -> dict[str, str]:
    """Return settings with short timeouts, so that a hang is detected soon."""
    return {
        "BGREMOVE_TIMEOUT_S": str(DEADLINE_S * ground.patience),
        "BGREMOVE_GRACE_S": str(GRACE_S),
        "GUNICORN_CMD_ARGS": f"--timeout {WORKER_S * ground.patience}",
    }


@contextlib.contextmanager
def _hanging_stand(ground: Ground) -> Iterator[tuple[Stand, Path]]:
    path = ground.new("fault") / "how"
    settings = {**short_timeouts(ground), "FAULT_FILE": str(path)}
    with stand(ground, 1, settings, application="faults.hanging:app") as on:
        yield on, path


def hang(on: Stand, path: Path, how: str, headers: Mapping[str, str] | None = None) -> Seen:
    """Send a picture whose inference hangs."""
    part = path.with_suffix(".part")
    part.write_text(how, "ascii")
    part.rename(path)
    return ask(on.edge.door, SMALL, headers)


def _kill(server: Server) -> None:
    """Kill a server at once; a graceful stop would wait 30 s for the hanging worker."""
    for pid in (server.process.pid, *workers(server)):
        os.kill(pid, signal.SIGKILL)


def endless_inference(ground: Ground) -> Iterator[Finding]:
    """Hang a run that ONNX Runtime can cancel: 502 at the deadline, and its place is free again."""
    deadline_s = DEADLINE_S * ground.patience
    what = f"inference without an end, deadline {deadline_s} s in place of 20, {ground.times} times"
    found = Finding(what, "the picture itself: 502 at the deadline")
    slowest_s = free_s = 0.0
    with _hanging_stand(ground) as (on, file):
        worker = worker_of(on.servers[0])
        for _ in range(ground.times):
            one = hang(on, file, "endless")
            slowest_s = max(slowest_s, one.seconds)
            found.saw([one], expected={"502 UPSTREAM_ERROR"})
            free_s = max(free_s, until(lambda: is_idle(on.servers[0])))
            found.saw([ask(on.edge.door, SMALL)])
        found.expect(worker_of(on.servers[0]) == worker, "the worker is another")
    found.at_most_lost(0)
    bound_s = ground.seconds(deadline_s + 1)
    found.note(f"answered within {slowest_s:.2f} s, the place free {free_s:.2f} s later")
    found.expect(free_s <= ground.seconds(1), f"the place was held {free_s:.1f} s longer")
    found.expect(deadline_s - 0.1 <= slowest_s <= bound_s, f"answered after {slowest_s:.1f} s")
    yield found


def hung_native_call(ground: Ground) -> Iterator[Finding]:
    """Hang a call that cannot be cancelled: the client gets an answer, and a new worker starts."""
    with ThreadPoolExecutor(len(NATIVE)) as together:  # each waits for its deadlines
        yield from together.map(lambda how: _hung(ground, how), NATIVE)


def _hung(ground: Ground, how: str) -> Finding:
    what = f"{NATIVE[how]}, deadline {DEADLINE_S} s, gunicorn's timeout {WORKER_S} s"
    found = Finding(f"{what}, {ground.few} times", "the picture itself: 502 or 504")
    # 200 if nginx used a kept connection: it retries the request, and the next worker answers.
    expected = {"200", "502 UPSTREAM_ERROR", "504 UPSTREAM_ERROR"}
    slowest_s = ready_s = 0.0
    with _hanging_stand(ground) as (on, file):
        for _ in range(ground.few):
            worker = worker_of(on.servers[0])
            started = time.monotonic()
            one = hang(on, file, how)
            slowest_s = max(slowest_s, one.seconds)
            found.saw([one], expected=expected)
            try:
                replaced(on.servers[0], worker)
            except AssertionError:
                found.expect(False, "the hung worker was not replaced within a minute")
                break
            ready_s = max(ready_s, time.monotonic() - started)
            found.saw([ask(on.edge.door, SMALL)])
        _kill(on.servers[0])
    found.at_most_lost(0)
    found.note(f"answered within {slowest_s:.1f} s, the next worker ready at {ready_s:.1f} s")
    bound_s = ground.seconds(KILL_WITHIN_S)
    found.expect(slowest_s <= bound_s, f"answered after more than {bound_s:g} s")
    return found
