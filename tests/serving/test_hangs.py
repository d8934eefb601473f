"""Requests that count as hanging, and their reports; tests/deploy has real workers that end."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable

import pytest

from bgremove.api.answers import error_message
from bgremove.deadline import Deadline
from bgremove.errors import DeadlineExceededError
from bgremove.serving.alarms import Alarms
from bgremove.serving.capacity import Bodies
from bgremove.serving.hangs import Hangs, LastWords, stacks
from bgremove.serving.request import Connection, RequestContext
from tests.api.conftest import captured_log

GRACE_S = 0.2
LONG_S = 60.0  # bound of waiting for what is due after GRACE_S


def hangs(
    is_loading: Callable[[], bool] = lambda: False, grace_s: float = GRACE_S
) -> tuple[Hangs, threading.Event]:
    told = threading.Event()
    made = Hangs(
        Alarms(),
        Bodies(8),
        grace_s,
        is_loading=is_loading,
        error_message=error_message,
        on_hang=told.set,
    )
    return made, told


def context(sock: socket.socket | None = None, timeout_s: float = 0.0) -> RequestContext:
    deadline = Deadline.after(timeout_s)
    connection = Connection({"gunicorn.socket": sock})
    return RequestContext("the-id", time.monotonic(), deadline, deadline, connection)


def test_who_is_late_within_the_grace_does_not_hang() -> None:
    watching, told = hangs(grace_s=1.0)
    with watching.watch(context()):
        time.sleep(0.05)
    assert not told.wait(1.2)


def test_who_hangs_is_answered_logged_and_told_of(request: pytest.FixtureRequest) -> None:
    watching, told = hangs()
    ours, theirs = socket.socketpair()
    exceeded = pytest.raises(DeadlineExceededError)
    with ours, theirs, captured_log() as lines:
        with exceeded, watching.watch(context(ours)):
            assert told.wait(LONG_S)
        with theirs.makefile("rb") as reader:
            head, body = reader.read().split(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 502 Bad Gateway\r\n")
    envelope = json.loads(body)
    assert envelope["meta"]["requestId"] == "the-id"
    assert envelope["error"]["code"] == "UPSTREAM_ERROR"
    (line,) = [line for line in lines() if line["message"] == "a request hangs"]
    assert line["requestId"] == "the-id"
    assert line["level"] == "ERROR"
    assert request.node.name in line["stacks"][0]
    assert not watching.is_ending  # nobody starts another process here


def test_a_failure_after_that_is_no_other_error() -> None:
    watching, told = hangs()
    failing = pytest.raises(ValueError, match="own")
    with failing, watching.watch(context()):
        assert told.wait(LONG_S)
        raise ValueError("own")


def test_while_a_model_is_loaded_nobody_hangs() -> None:
    loading = threading.Event()
    loading.set()
    watching, told = hangs(loading.is_set)
    exceeded = pytest.raises(DeadlineExceededError)
    with exceeded, watching.watch(context()):
        assert not told.wait(4 * GRACE_S)
        loading.clear()
        assert told.wait(LONG_S)


def test_a_load_may_hang_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bgremove.serving.hangs.LOAD_S", GRACE_S / 2)
    watching, told = hangs(lambda: True)
    with pytest.raises(DeadlineExceededError), watching.watch(context()):
        assert told.wait(LONG_S)


def test_a_stack_that_is_gone_is_no_fault() -> None:
    thread = threading.Thread(target=lambda: None)
    thread.start()
    thread.join()
    assert thread.ident is not None
    assert stacks(thread.ident)[0] == "None: (ended)"


CHILD = """
import ctypes, os, sys
from bgremove.serving.hangs import LastWords
words = LastWords.__new__(LastWords)
words._file = os.fdopen(int(sys.argv[1]), "wb")
words.listen()
def crash():
    os.kill(os.getpid(), int(sys.argv[2]))
crash()
"""


def end_by(number: int, words: LastWords) -> int:
    shared = words._file.fileno()
    command = [sys.executable, "-c", CHILD, str(shared), str(number)]
    return subprocess.run(command, pass_fds=[shared], check=False).returncode


@pytest.mark.parametrize("number", [signal.SIGABRT, signal.SIGSEGV])
def test_a_crash_is_logged_with_its_stack(caplog: pytest.LogCaptureFixture, number: int) -> None:
    words = LastWords()
    assert end_by(number, words) == -number
    words.log(4711)
    (record,) = caplog.records
    assert vars(record)["worker"] == 4711
    assert any("in crash" in line for line in vars(record)["stacks"])


def test_who_ended_in_peace_is_not_spoken_of(caplog: pytest.LogCaptureFixture) -> None:
    words = LastWords()
    assert end_by(0, words) == 0
    words.log(4711)
    assert caplog.records == []
