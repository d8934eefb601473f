"""`bgremove serve` as a process of its own: it is the server of the deployment."""

from __future__ import annotations

import http.client
import os
import pty
import re
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.http import WireDoor, file, form, free_port, post
from tests.support.tiny import ball, encoded, tiny_weights

START_S = 60.0


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_weights(tmp_path_factory.mktemp("weights"))


@contextmanager
def running(
    tiny: Path, output: int, *options: str, env: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    environment = os.environ | {"BGREMOVE_WEIGHTS_DIR": str(tiny)} | dict(env or {})
    command = [sys.executable, "-m", "bgremove", "serve", "--offline", *options]
    process = subprocess.Popen(command, cwd=tiny, env=environment, stdout=output, stderr=output)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(START_S) == 0


def read_until(terminal: int, words: str) -> list[str]:
    """Return the lines that come up to one that has ``words``, which must come."""
    text = ""
    while words not in text or not text.endswith("\n"):
        assert select.select([terminal], [], [], START_S)[0], text
        text += os.read(terminal, 4096).decode()
    return text.splitlines()


def wait_until_ready(port: int) -> None:
    end = time.monotonic() + START_S
    while time.monotonic() < end:
        try:
            if WireDoor(port).send("GET", "/readyz").status == 200:
                return
        except OSError:
            pass
        time.sleep(0.05)
    raise AssertionError("not ready")


def test_it_serves_with_the_deployments_worker_and_logs_json(tiny: Path, tmp_path: Path) -> None:
    port, log = free_port(), tmp_path / "log"
    with (
        log.open("wb") as output,
        running(tiny, output.fileno(), "--port", str(port), "--workers", "2"),
    ):
        wait_until_ready(port)
        door = WireDoor(port)
        assert post(door, form(file("image", encoded(ball())))).status == 200
        assert door.send("GET", "/metrics").status == 200
    text = log.read_text("utf-8")
    assert "Using worker: bgremove.serving.worker.Worker" in text
    assert text.count('"message": "Booting worker') == 2
    assert all(line.startswith("{") for line in text.splitlines())


def test_a_terminal_gets_one_plain_line_with_the_address(tiny: Path) -> None:
    port = free_port()
    ours, theirs = pty.openpty()
    try:
        with running(tiny, theirs, "--port", str(port)):
            lines = read_until(ours, "stops it.")
            post(WireDoor(port), form(file("image", encoded(ball()))))
            lines += read_until(ours, "tiny")
    finally:
        os.close(ours)
        os.close(theirs)
    models = "universal tiny, human tiny (model-fallback), product tiny-product"
    assert lines[0] == f"bgremove serves at http://127.0.0.1:{port} ({models}). Ctrl-C stops it."
    assert re.fullmatch(
        r"\d\d:\d\d:\d\d  POST /v1/remove-bg/universal 200  \d+ ms, tiny(\+\S+)?", lines[1]
    )
    assert len(lines) == 2


def has_ipv6() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


@pytest.mark.skipif(not has_ipv6(), reason="no IPv6 here")
def test_it_serves_on_ipv6(tiny: Path) -> None:
    port = free_port()
    ours, theirs = pty.openpty()
    try:
        with running(tiny, theirs, "--port", str(port), env={"HOST": "::1"}):
            lines = read_until(ours, "stops it.")
            connection = http.client.HTTPConnection("::1", port, timeout=START_S)
            connection.request("GET", "/livez")
            assert connection.getresponse().status == 200
            connection.close()
    finally:
        os.close(ours)
        os.close(theirs)
    assert lines[0].startswith(f"bgremove serves at http://[::1]:{port} (")


@pytest.mark.parametrize(
    ("options", "env", "said"),
    [
        (("--port", "abc"), {}, "'abc' is not a valid integer range"),
        ((), {"PORT": "abc"}, "(env var: 'PORT'): 'abc' is not a valid integer range"),
        ((), {"WEB_CONCURRENCY": "0"}, "0 is not in the range 1<=x<=256"),
        ((), {"BGREMOVE_PLACES": "0"}, "BGREMOVE_PLACES='0': not from 1 to 64"),
        (("--host", "no.such.host.invalid"), {}, "nothing can listen on no.such.host.invalid:"),
        ((), {"HOST": "[::1]"}, "such as 127.0.0.1 or ::1"),
    ],
)
def test_what_is_wrong_is_said_in_words(
    tiny: Path, options: tuple[str, ...], env: Mapping[str, str], said: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bgremove", "serve", *options],
        env=os.environ | {"BGREMOVE_WEIGHTS_DIR": str(tiny)} | dict(env),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_port_that_is_taken_is_said_at_once(tiny: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = subprocess.run(
            [sys.executable, "-m", "bgremove", "serve", "--port", str(port)],
            env=os.environ | {"BGREMOVE_WEIGHTS_DIR": str(tiny)},
            capture_output=True,
            text=True,
            check=False,
        )
    assert f"nothing can listen on 127.0.0.1:{port} (Address already in use)" in done.stderr


@pytest.mark.parametrize(
    ("env", "said"),
    [
        ({"PORT": "abc"}, "PORT='abc': not a whole number"),
        ({"HOST": ""}, "HOST is empty"),  # gunicorn would listen on every interface
        ({"HOST": "[]"}, "HOST is empty"),
    ],
)
def test_gunicorn_says_which_of_its_own_values_is_wrong(env: Mapping[str, str], said: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "gunicorn", "-c", "deploy/gunicorn.conf.py", "wsgi:app"],
        env=os.environ | {"PORT": str(free_port())} | dict(env),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr
