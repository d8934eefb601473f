"""Keys on a real gunicorn: early answers arrive, a reload takes new keys, damage opens no door."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bgremove.keys import edit
from harness.early import TIMES
from harness.processes import children
from tests.support.http import FORM_TYPE, PATH, ROOT, Server, error_of, file, form, free_port, post
from tests.support.http import gunicorn as run_gunicorn
from tests.support.tiny import ball, encoded, tiny_weights

MB = 1_000_000
GOOD = form(file("image", encoded(ball())))
HEAD = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Type: {FORM_TYPE}\r\n".encode()
WRONG = "bgr_" + "A" * 43
SOON_S = 60.0  # bound of waiting for what takes two seconds


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_weights(tmp_path_factory.mktemp("weights"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys.txt"


@pytest.fixture(scope="module")
def shared(weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, str]]:
    """Return a server for the tests that change no key, and its key."""
    folder = tmp_path_factory.mktemp("gunicorn")
    key, _ = edit.add(folder / "keys.txt", "a")
    with run_gunicorn(folder, environment(weights, folder / "keys.txt")) as server:
        yield server, key


def environment(weights: Path, path: Path) -> dict[str, str]:
    return {"BGREMOVE_WEIGHTS_DIR": str(weights), "BGREMOVE_API_KEYS_FILE": str(path)}


def status(server: Server, key: str) -> int:
    return post(server.door, GOOD, X_Api_Key=key).status


def until(what: Callable[[], bool]) -> None:
    end = time.monotonic() + SOON_S
    while not what():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def workers(server: Server) -> set[int]:
    return set(children(server.process.pid))


def renewed(server: Server, renew: Callable[[int], None]) -> None:
    """Do what gives the server another worker, and wait until that one alone serves."""
    (old,) = workers(server)
    renew(old)
    until(lambda: len(now := workers(server)) == 1 and old not in now)
    until(lambda: server.door.send("GET", "/readyz").status == 200)


@pytest.mark.parametrize("framing", ["length", "chunked"])
@pytest.mark.parametrize("count", [12 * MB, 60 * MB])
@pytest.mark.parametrize("sent", ["", f"X-Api-Key: {WRONG}\r\n"], ids=["no key", "wrong key"])
def test_early_answers_arrive(
    shared: tuple[Server, str], sent: str, count: int, framing: str
) -> None:
    """A plain client sends its whole body before it reads: each gets the answer, not a reset."""
    head = HEAD + sent.encode() + b"Connection: close\r\n"
    if framing == "length":
        pieces = [head + f"Content-Length: {count}\r\n\r\n".encode(), bytes(count)]
    else:
        block = f"{MB:x}\r\n".encode() + bytes(MB) + b"\r\n"
        chunks = [*[block] * (count // MB), b"0\r\n\r\n"]
        pieces = [head + b"Transfer-Encoding: chunked\r\n\r\n", *chunks]
    for _ in range(TIMES):
        (answer,) = shared[0].door.exchange(*pieces)
        error_of(answer, 401, "UNAUTHORIZED")
        assert answer.headers["www-authenticate"].startswith('Bearer realm="bgremove"')


def test_the_card_of_the_product_works_with_a_key(shared: tuple[Server, str]) -> None:
    server, key = shared
    assert post(server.door, GOOD, X_RapidAPI_Key=key).status == 200
    assert post(server.door, GOOD, Authorization=f"Bearer {key}").status == 200


@pytest.mark.parametrize(
    "lines",
    [
        "X-Api-Key: {key}\r\nX-Api-Key: {key}\r\n",
        "X-Api-Key: {key}\r\nX-Api-Key: other\r\n",
        "X_Api_Key: {key}\r\n",
        "X-Api-Key: {key}\xff\r\n",
        "X-Api-Key: " + "a" * 8_000 + "\r\n",
    ],
    ids=["twice", "two", "underscores", "a byte more", "8,000 bytes"],
)
def test_headers_that_are_no_key(shared: tuple[Server, str], lines: str) -> None:
    server, key = shared
    head = HEAD + lines.format(key=key).encode("latin-1")
    (answer,) = server.door.exchange(head + b"Connection: close\r\nContent-Length: 0\r\n\r\n")
    error_of(answer, 401, "UNAUTHORIZED")


BLANKS = {
    "X-Api-Key: \t{key}\t ": 200,
    "Authorization: \tBearer \t {key}": 200,
    "X-RapidAPI-Key: \t\r\nX-Api-Key: {key}": 200,
    "X-Api-Key: \xa0{key}": 401,
    "X-Api-Key: {key}\x85": 401,
    "X-Api-Key: \x85\xa0{key}": 401,
    "Authorization: Bearer \xa0{key}": 401,
    "Authorization: \xa0Bearer {key}": 401,
}


@pytest.mark.parametrize("lines", BLANKS)
def test_spaces_and_tabs_are_no_part_of_a_key_and_all_else_is(
    shared: tuple[Server, str], lines: str
) -> None:
    """As deploy/nginx/limits.conf has it, else one key would have many limits there."""
    server, key = shared
    head = HEAD + lines.format(key=key).encode("latin-1")
    length = f"\r\nContent-Length: {len(GOOD)}\r\nConnection: close\r\n\r\n".encode()
    (answer,) = server.door.exchange(head + length + GOOD)
    assert answer.status == BLANKS[lines]


@pytest.mark.parametrize(
    "line",
    ["X-Api-Key {key}", "X-Api-Key : {key}", "X-Api-Key: {key}\x01", "{key}: x", " {key}", "{key}"],
)
def test_a_key_that_gunicorn_cannot_read_is_not_logged(
    shared: tuple[Server, str], line: str
) -> None:
    server, key = shared
    foreign = "0b6b2f2e-7d0e-11f0-8de9-0242ac120002"  # no key of ours, so none the log would know
    for secret in (key, foreign):
        (answer,) = server.door.exchange(HEAD + line.format(key=secret).encode() + b"\r\n\r\n")
        assert answer.status in {400, 401}
    server.door.send("GET", f"/{key}?key={key}", headers={"X-Request-Id": key, "X-Api-Key": key})
    log = server.log.read_text()
    assert key not in log
    assert foreign not in log
    assert "Invalid request from ip=127.0.0.1: " in log


def test_a_reload_takes_new_keys_and_forgets_the_revoked(weights: Path, path: Path) -> None:
    old, _ = edit.add(path, "old")
    with run_gunicorn(path.parent, environment(weights, path)) as server:
        assert status(server, old) == 200
        edit.revoke(path, "old")
        new, _ = edit.add(path, "new")
        renewed(server, lambda _: server.process.send_signal(signal.SIGHUP))
        assert status(server, old) == 401
        assert status(server, new) == 200


def test_a_change_is_taken_without_a_reload(weights: Path, path: Path) -> None:
    old, _ = edit.add(path, "old")
    with run_gunicorn(path.parent, environment(weights, path)) as server:
        edit.revoke(path, "old")
        until(lambda: status(server, old) == 401)
        new, _ = edit.add(path, "new")
        until(lambda: status(server, new) == 200)


def gone(path: Path) -> None:
    path.unlink()


def broken(path: Path) -> None:
    path.write_text("nonsense\n")


@pytest.mark.parametrize(("damage", "how"), [(gone, "SIGHUP"), (broken, "a worker that dies")])
def test_a_new_worker_on_a_damaged_file_goes_by_what_was_read_last(
    weights: Path, path: Path, damage: Callable[[Path], None], how: str
) -> None:
    """Not by what gunicorn read at its start: that has a key revoked since."""
    kept, _ = edit.add(path, "kept")
    revoked, _ = edit.add(path, "revoked")
    with run_gunicorn(path.parent, environment(weights, path)) as server:
        edit.revoke(path, "revoked")
        until(lambda: status(server, revoked) == 401)
        damage(path)
        if how == "SIGHUP":
            renewed(server, lambda _: server.process.send_signal(signal.SIGHUP))
        else:
            renewed(server, lambda worker: os.kill(worker, signal.SIGKILL))
        assert status(server, kept) == 200
        assert status(server, revoked) == 401
        assert status(server, WRONG) == 401
        said = server.door.send("GET", "/readyz").json()["keys"]
        assert said.startswith("last good ones in force: ")
        errors = [line["message"] for line in server.lines() if line["level"] == "ERROR"]
        assert any("the last good keys stay in force" in message for message in errors)
        made, _ = edit.add(path.with_name("new"), "made")
        os.replace(path.with_name("new"), path)
        until(lambda: status(server, made) == 200)
        assert server.door.send("GET", "/readyz").json()["keys"] == "in force"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "No such file or directory"),
        ("# a\nnonsense\n", "line 2: 1 parts, not 4: id, date, hash, label"),
    ],
)
def test_damage_at_the_start_stops_it_in_one_line(
    weights: Path, path: Path, content: str | None, said: str
) -> None:
    if content is not None:
        path.write_text(content)
    more = environment(weights, path) | {"HOST": "127.0.0.1", "PORT": str(free_port())}
    done = subprocess.run(
        [sys.executable, "-m", "gunicorn", "-c", "deploy/gunicorn.conf.py", "wsgi:app"],
        cwd=ROOT,
        env=os.environ | more,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert done.stderr == f"BGREMOVE_API_KEYS_FILE={path}: {said}\n"
