"""Requests that no deadline stops: noticed, answered, and their worker replaced.

A node of a network, OpenCV or a compressor that never returns cannot be stopped from Python; it
holds its place, its session's lock and a core. The other requests get a while to finish, then the
process ends and gunicorn starts another. One that holds the interpreter's lock stops this as well:
there gunicorn's own timeout, from outside the process, ends it.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import bgremove
from bgremove.serving.alarms import Alarms
from bgremove.serving.bodies import Bodies

if TYPE_CHECKING:
    from bgremove.errors import BgremoveError
    from bgremove.serving.context import RequestContext

LOAD_S = 120.0  # beyond its deadline, a request is let load a model: on the slowest of disks
PATIENCE_S = 5.0  # for the next of the other requests to finish
LOOK_S = 0.1  # between two looks at them
MAX_STACKS, MAX_FRAMES = 20, 25
PACKAGE = str(Path(bgremove.__file__).parent)
logger = logging.getLogger(__name__)


class Hangs:
    """Watchdog of requests: one that overruns its deadline by ``grace_s`` hangs.

    ``is_loading`` returns whether a model is being loaded; a load may pass the deadline.
    ``error_message`` makes the whole HTTP answer from an error, a request id and milliseconds.
    ``on_hang`` is called for each request that hangs.
    """

    def __init__(
        self,
        alarms: Alarms,
        bodies: Bodies,
        grace_s: float,
        *,
        is_loading: Callable[[], bool],
        error_message: Callable[[BgremoveError, str, int], bytes],
        on_hang: Callable[[], None] = lambda: None,
    ) -> None:
        self._alarms = alarms
        self._bodies = bodies
        self._grace_s = grace_s
        self._is_loading = is_loading
        self._error_message = error_message
        self._on_hang = on_hang
        self._hung: set[threading.Event] = set()
        self.ends_process = False  # where somebody starts another, gunicorn's configuration says so
        self.is_ending = False

    @contextmanager
    def watch(self, context: RequestContext) -> Iterator[None]:
        """Watch this thread's request; raises DeadlineExceededError if it was taken to hang."""
        hung = threading.Event()
        overrun = partial(self._overrun, context, threading.get_ident(), hung)
        try:
            with self._alarms.guard(context.deadline.at + self._grace_s, overrun):
                yield
        finally:
            self._hung.discard(hung)
        if hung.is_set():  # slow after all, but its client has its answer
            raise context.deadline.exceeded("a step that was taken to hang")

    def _overrun(self, context: RequestContext, thread: int, hung: threading.Event) -> float | None:
        now = time.monotonic()
        if self._is_loading() and now < context.deadline.at + LOAD_S:
            return now + min(1.0, self._grace_s)
        hung.set()
        self._hung.add(hung)
        error = context.deadline.exceeded("a native call")
        message = self._error_message(error, context.request_id, context.elapsed_ms)
        context.connection.answer(message)
        logger.error(
            "a request hangs",
            extra={
                "requestId": context.request_id,
                "status": error.code.status,
                "ms": context.elapsed_ms,
                "stacks": stacks(thread),
            },
        )
        self._on_hang()
        if self.ends_process and not self.is_ending:
            self.is_ending = True
            threading.Thread(target=self._end_process, name="ending", daemon=True).start()
        return None

    def _end_process(self) -> None:
        """Take no new requests, wait for the others while they get on, then end at once."""
        os.kill(os.getpid(), signal.SIGTERM)  # gunicorn's worker stops accepting
        finished, until = self._bodies.finished, time.monotonic() + PATIENCE_S
        while self._others > 0 and time.monotonic() < until:
            time.sleep(LOOK_S)
            if self._bodies.finished != finished:
                finished, until = self._bodies.finished, time.monotonic() + PATIENCE_S
        logger.error("the worker ends for a request that hangs", extra={"lost": self._others})
        os._exit(os.EX_SOFTWARE)  # no clean-up: that would wait for the thread that hangs

    @property
    def _others(self) -> int:
        return max(0, self._bodies.at_work - len(self._hung))


def stacks(thread: int) -> list[str]:
    """Return where a thread is, then where others are that run code of ours, innermost first.

    The call that hangs may be another thread's: pictures are encoded in threads of their own.
    """
    frames = sys._current_frames()
    names = {one.ident: one.name for one in threading.enumerate()}
    told = [f"{names.get(thread)}: {_stack(frames.pop(thread, None))}"]
    frames.pop(threading.get_ident())
    told += [f"{names.get(other)}: {text}" for other, text in _ours(frames).items()]
    return told[:MAX_STACKS]


def _ours(frames: Mapping[int, FrameType]) -> dict[int, str]:
    told = {thread: _stack(frame) for thread, frame in frames.items()}
    return {thread: text for thread, text in told.items() if "bgremove/" in text}


def _stack(frame: FrameType | None) -> str:
    lines: list[str] = []
    while frame is not None and len(lines) < MAX_FRAMES:
        code = frame.f_code
        path = code.co_filename
        where = "bgremove" + path.removeprefix(PACKAGE) if path.startswith(PACKAGE) else path
        lines.append(f"{where}:{frame.f_lineno} {code.co_name}")
        frame = frame.f_back
    return " < ".join(lines) or "(no longer there)"
