"""Broken key files and clock jumps under load."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from functools import partial
from pathlib import Path

from bgremove.keys import edit
from faults.clients import ask
from faults.finding import Finding
from faults.hung import DEADLINE_S, hang, short_timeouts
from faults.stand import SMALL, Ground, is_ready, stand, worker_of
from harness.gunicorn import Server
from harness.waiting import until

HOUR = 3600
WRONG = "bgr_" + "A" * 43
REFUSED = "401 UNAUTHORIZED"


def broken_key_file(ground: Ground) -> Iterator[Finding]:
    """Keep the last valid keys, report the fault on /readyz, and load the repaired file."""
    what = f"key file damaged or removed, then repaired with another key, {ground.times} times"
    found = Finding(what, "nothing of clients with a key; others get 401")
    path = ground.new("keys") / "keys.txt"
    key, _ = edit.add(path, "kept")
    settings = {"BGREMOVE_API_KEYS_FILE": str(path)}
    slowest_s = 0.0
    with stand(ground, 1, settings) as on:
        server, door = on.servers[0], on.edge.door
        with ground.load(door, [SMALL], 2, {"X-Api-Key": key}) as load:
            for turn in range(ground.times):
                good = path.read_bytes()
                path.unlink() if turn % 2 else path.write_text("nonsense\n")
                reported_s = until(lambda: state_of_keys(server).startswith("last good ones"))
                found.saw([ask(door, SMALL, {"X-Api-Key": WRONG})], expected={REFUSED})
                found.saw([ask(door, SMALL)], expected={REFUSED})
                new = path.with_name("new")
                new.write_bytes(good)
                made, _ = edit.add(new, f"new-{turn}")
                new.replace(path)
                taken_s = until(lambda: state_of_keys(server) == "in force")
                found.saw([ask(door, SMALL, {"X-Api-Key": made})])
                slowest_s = max(slowest_s, reported_s, taken_s)
    found.saw(load.seen)
    found.at_most_lost(0)
    found.note(f"reported on /readyz, and the repair in force, within {slowest_s:.1f} s each")
    yield found


def state_of_keys(server: Server) -> str:
    """Return the state of the keys on /readyz."""
    return str(server.door.send("GET", "/readyz").json()["keys"])


def moved_clock(ground: Ground) -> Iterator[Finding]:
    """Move the clock by an hour under load; deadlines and key reloads are unaffected."""
    what = f"the clock of gunicorn and its worker moved by ±1 h and back, {ground.times} times"
    found = Finding(what, "nothing")
    folder = ground.new("clock")
    clock, keys, fault = folder / "clock", folder / "keys.txt", folder / "how"
    _set(clock, 0)
    key, _ = edit.add(keys, "kept")
    deadline_s = DEADLINE_S * ground.patience
    settings = short_timeouts(ground) | {
        "FAULT_CLOCK": str(clock),
        "BGREMOVE_API_KEYS_FILE": str(keys),
        "FAULT_FILE": str(fault),
    }
    with stand(
        ground,
        1,
        settings,
        application="faults.hanging:app",
        config="faults/shifted_clock.py",
    ) as on:
        server = on.servers[0]
        worker = worker_of(server)
        with ground.load(on.edge.door, [SMALL], 1, {"X-Api-Key": key}) as load:
            for turn in range(ground.times):
                for seconds in (HOUR, -HOUR, 0):
                    _set(clock, seconds)
                    until(partial(_is_ahead, server, seconds))
                    time.sleep(0.3)
                made, _ = edit.add(keys, f"new-{turn}")
                until(partial(_is_let_in, server, made))
        for seconds in (HOUR, -HOUR):  # while a picture is processed
            mover = threading.Timer(1, _set, (clock, seconds))
            mover.start()
            one = hang(on, fault, "endless", {"X-Api-Key": key})
            mover.join()
            found.saw([one], expected={"502 UPSTREAM_ERROR"})
            bound_s = ground.seconds(deadline_s + 1)
            found.expect(deadline_s - 0.1 <= one.seconds <= bound_s, "the deadline moved with it")
            found.note(f"{deadline_s} s of deadline were {one.seconds:.2f} s ({seconds:+} s)")
            _set(clock, 0)
        found.expect(is_ready(server), "it is not ready")
        found.expect(worker_of(server) == worker, "the worker is another")
    found.saw(load.seen)
    found.at_most_lost(0)
    yield found


def _set(clock: Path, seconds: int) -> None:
    part = clock.with_suffix(".part")
    part.write_text(str(seconds), "ascii")
    part.replace(clock)


def _is_ahead(server: Server, seconds: int) -> bool:
    return abs(_ahead(server) - seconds) < 120


def _is_let_in(server: Server, key: str) -> bool:
    return ask(server.door, SMALL, {"X-Api-Key": key}).outcome == "200"


def _ahead(server: Server) -> float:
    """Return the difference of the server's clock to this process's, in seconds."""
    date = server.door.send("GET", "/livez").headers["date"]
    return parsedate_to_datetime(date).timestamp() - time.time()
