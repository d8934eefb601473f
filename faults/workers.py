"""Workers that are killed, stopped, frozen, reloaded and recycled under load."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from functools import partial

from faults.clients import Load
from faults.finding import Finding
from faults.stand import SMALL, Ground, replaced, stand, usual, worker_of, workers
from harness.forms import file, form
from harness.gunicorn import Server
from harness.processes import frozen
from harness.waiting import until

RUN_UP_S = 0.5  # of load, before each action
NOTICED_S = 2.0  # until nginx retries a failed server, see deploy/nginx/upstream.conf
FAULTY = form(file("image", b"no picture"))  # its answer is a 400 and cheap to compute
FROZEN_MOST_S = 35  # below the timeout of nginx
NEW_WORKER_S = 30  # the limit until a new worker is ready; a second or two on an idle machine
PATIENCE_S = 8  # nginx's timeout, shortened so that a test can wait for it often


def kill_one_of_two(ground: Ground) -> Iterator[Finding]:
    """Kill a busy worker with SIGKILL, with a second gunicorn running."""
    found = Finding(f"kill −9 of a busy worker of two gunicorns, {ground.times} times", "nothing")
    slowest_s = 0.0
    with usual(ground, 2) as on, ground.load(on.edge.door) as load:
        for turn in range(ground.times):
            server = on.servers[turn % 2]
            worker = worker_of(server)
            time.sleep(NOTICED_S)
            load.until_answered()  # so that no request meets two kills
            os.kill(worker, signal.SIGKILL)
            slowest_s = max(slowest_s, replaced(server, worker))
    found.saw(load.seen)
    found.at_most_lost(0)
    _new_worker(ground, found, slowest_s)
    yield found


def kill_the_only_one(ground: Ground) -> Iterator[Finding]:
    """Kill the only worker with SIGKILL: its request is lost, the next worker serves the queue."""
    what = f"kill −9 of the only busy worker, {ground.times} times, {ground.clients} clients"
    found = Finding(what, f"the requests that it was processing: {ground.clients} a kill")
    slowest_s = 0.0
    with usual(ground, 1) as on, ground.load(on.edge.door) as load:
        for _ in range(ground.times):
            worker = worker_of(on.servers[0])
            time.sleep(RUN_UP_S)
            os.kill(worker, signal.SIGKILL)
            slowest_s = max(slowest_s, replaced(on.servers[0], worker))
    found.saw(load.seen)
    found.at_most_lost(ground.clients * ground.times)
    allowed = {"200", "502 UPSTREAM_ERROR"}
    found.expect(set(found.answers) <= allowed, "a lost request is not a 502 with the envelope")
    _new_worker(ground, found, slowest_s)
    yield found


def stop_in_turn(ground: Ground) -> Iterator[Finding]:
    """Send SIGTERM to each of two gunicorns in turn, as in a rolling restart."""
    found = Finding(f"SIGTERM to one of two gunicorns under load, {ground.times} times", "nothing")
    slowest_s = 0.0
    with usual(ground, 2) as on, ground.load(on.edge.door) as load:
        for turn in range(ground.times):
            time.sleep(NOTICED_S)
            started = time.monotonic()
            found.expect(on.servers[turn % 2].stop() == 0, "gunicorn did not exit with 0")
            slowest_s = max(slowest_s, time.monotonic() - started)
            on.start_again(turn % 2)
    found.saw(load.seen)
    found.at_most_lost(0)
    # The current requests, then one more on each kept connection, which gunicorn answers with
    # "Connection: close".
    bound_s = ground.seconds(2 * load.longest_s + 1)
    found.note(f"exit within {slowest_s:.2f} s, longest request {load.longest_s:.2f} s")
    found.expect(slowest_s <= bound_s, f"exit took more than {bound_s:.1f} s")
    yield found


def reload(ground: Ground) -> Iterator[Finding]:
    """Reload with SIGHUP, with one gunicorn and with two."""
    for count in (1, 2):
        name = "the only gunicorn" if count == 1 else "one of two gunicorns"
        found = Finding(f"SIGHUP to {name} under load, {ground.times} times", "nothing")
        slowest_s = 0.0
        with usual(ground, count) as on, ground.load(on.edge.door) as load:
            for turn in range(ground.times):
                server = on.servers[turn % count]
                worker = worker_of(server)
                time.sleep(RUN_UP_S)
                server.process.send_signal(signal.SIGHUP)
                slowest_s = max(slowest_s, replaced(server, worker))
        found.saw(load.seen)
        found.at_most_lost(0)
        _new_worker(ground, found, slowest_s)
        yield found


def recycle(ground: Ground) -> Iterator[Finding]:
    """Recycle workers by max_requests with jitter, with one gunicorn and with two."""
    requests = 80 if ground.strict else 12
    options = f"--max-requests {requests} --max-requests-jitter {requests // 2}"
    for count in (1, 2):
        name = "the only gunicorn" if count == 1 else "two gunicorns"
        what = f"{name} with {options}, {ground.times} new workers and more"
        found = Finding(what, "nothing")
        settings = {"GUNICORN_CMD_ARGS": options}
        bodies = [SMALL, *[FAULTY] * 19]
        # Requests for /readyz count as well: only the log says at no cost that a worker is ready.
        with stand(ground, count, settings, wait_for="/livez") as on:
            until(partial(_are_ready, on.servers))
            first = _booted(on.servers)
            with ground.load(on.edge.door, bodies) as load:
                until(partial(_have_booted, on.servers, first + ground.times), 300)
            booted = _booted(on.servers) - first
        found.saw(load.seen, expected={"200", "400 VALIDATION_ERROR"})
        found.at_most_lost(0)
        found.note(f"{booted} workers replaced, longest request {load.longest_s:.2f} s")
        yield found


def freeze_for_a_moment(ground: Ground) -> Iterator[Finding]:
    """Freeze one of two gunicorns with SIGSTOP, and continue it before nginx's timeout."""
    what = f"SIGSTOP to one of two gunicorns (master and worker) for 2 s, {ground.times} times"
    found = Finding(what, "nothing")
    served = 0
    with usual(ground, 2) as on, ground.load(on.edge.door) as load:
        for turn in range(ground.times):
            time.sleep(NOTICED_S)
            with _frozen(on.servers[turn % 2]):
                stopped = time.monotonic()
                time.sleep(2)
                if not ground.strict:  # a busy machine may need longer for a picture
                    until(partial(_has_answers, load, stopped), FROZEN_MOST_S)
                served += len(load.since(stopped))
    found.saw(load.seen)
    found.at_most_lost(0)
    found.expect(served > 0, "no client was served meanwhile")
    found.note(f"{served} answers meanwhile; the held requests waited {load.longest_s:.1f} s")
    yield found


def freeze_for_good(ground: Ground) -> Iterator[Finding]:
    """Freeze one of two gunicorns until nginx's timeout."""
    patience_s = PATIENCE_S * ground.patience
    what = f"SIGSTOP to one of two gunicorns, nginx's patience {patience_s} s in place of 45"
    changes = {"nginx/proxy.conf": {"proxy_read_timeout 45s": f"proxy_read_timeout {patience_s}s"}}
    found = Finding(f"{what}, {ground.few} times", "nothing: the other one is asked again")
    with (
        stand(ground, 2, changes=changes) as on,
        ground.load(on.edge.door) as load,
    ):
        for turn in range(ground.few):
            time.sleep(NOTICED_S)
            load.until_answered()  # so that no request is held twice
            with _frozen(on.servers[turn % 2]):
                time.sleep(patience_s + 2)
    found.saw(load.seen)
    found.at_most_lost(0)
    found.note(
        f"longest request {load.longest_s:.1f} s; "
        f"{ground.clients // 2} of {ground.clients} clients were held"
    )
    yield found


def freeze_longer_than_anybody_waits(ground: Ground) -> Iterator[Finding]:
    """Freeze one of two gunicorns past the shipped timeout of 45 s; nginx does not retry then."""
    # nginx counts an answer as under way for a moment after its client has it, so that of two
    # clients that ask at that moment, one more may be sent to the frozen gunicorn.
    most = ground.clients // 2 + 1
    found = Finding("the same at the shipped 45 s, once", f"what it held: at most {most}")
    if not ground.strict:
        found.skipped = "takes a minute; `make fault-test` has it"
        yield found
        return
    with usual(ground, 2) as on, ground.load(on.edge.door) as load:
        time.sleep(RUN_UP_S)
        with _frozen(on.servers[0]):
            time.sleep(47)
    found.saw(load.seen)
    found.at_most_lost(most)
    allowed = {"200", "504 UPSTREAM_ERROR"}
    found.expect(set(found.answers) <= allowed, "a lost request is not a 504 with the envelope")
    found.note(f"longest request {load.longest_s:.1f} s")
    yield found


def _frozen(server: Server) -> AbstractContextManager[None]:
    """Freeze the master and the worker of a gunicorn."""
    return frozen([server.process.pid, *workers(server)])


def _are_ready(servers: list[Server]) -> bool:
    return all('"message": "ready"' in server.log.read_text("utf-8") for server in servers)


def _booted(servers: list[Server]) -> int:
    logs = [server.log.read_text("utf-8") for server in servers]
    return sum(log.count("Booting worker with pid") for log in logs)


def _has_answers(load: Load, since: float) -> bool:
    return bool(load.since(since))


def _have_booted(servers: list[Server], count: int) -> bool:
    return _booted(servers) >= count


def _new_worker(ground: Ground, found: Finding, slowest_s: float) -> None:
    found.note(f"a new worker was ready within {slowest_s:.1f} s")
    bound_s = ground.seconds(NEW_WORKER_S)
    found.expect(slowest_s <= bound_s, f"no new worker was ready within {bound_s:g} s")
