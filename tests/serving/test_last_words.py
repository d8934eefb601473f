"""A real process that is ended by a signal, and what the one that started it can tell of it."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from bgremove.serving.last_words import LastWords

CHILD = """
import ctypes, os, sys
from bgremove.serving.last_words import LastWords
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
