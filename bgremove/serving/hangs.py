"""Detect requests that hang past their deadline, answer them, and replace their worker.

Python cannot stop a node of a network, OpenCV or a compressor that never returns. Such a call holds
its place, its session's lock and a core. The other requests get some time to finish, then the
process ends and gunicorn starts another. A call that holds the interpreter's lock stops this
watchdog as well. In that case gunicorn's own timeout ends the process from outside, and `LastWords`
keeps its stacks.
"""

from __future__ import annotations

import faulthandler
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
from bgremove.memory import open_memory_file
from bgremove.serving.alarms import Alarms
from bgremove.serving.capacity import Bodies

if TYPE_CHECKING:
    from bgremove.errors import BgremoveError
    from bgremove.serving.request import RequestContext

LOAD_S = 120.0  # past the deadline, allowed while a model loads from a slow disk
PATIENCE_S = 5.0  # time for the next of the other requests to finish
LOOK_S = 0.1  # between two checks of them
MAX_STACKS, MAX_FRAMES = 20, 25
LAST_LINES, LAST_BYTES = 200, 1 << 16  # of the stacks that a worker leaves
PACKAGE = str(Path(bgremove.__file__).parent)
logger = logging.getLogger(__name__)


class Hangs:
    """Watchdog of requests. A request hangs if it passes its deadline by ``grace_s``.

    Args:
        alarms: The worker's alarms.
        bodies: The worker's count of requests with a body.
        grace_s: Seconds after the deadline until a request counts as hanging.
        is_loading: Returns whether a model is being loaded. A load may pass the deadline.
        error_message: Makes the whole HTTP answer from an error, a request id and milliseconds.
        on_hang: Called for each request that hangs.

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
        self.ends_process = False  # gunicorn's configuration sets it: the master starts another
        self.is_ending = False

    @contextmanager
    def watch(self, context: RequestContext) -> Iterator[None]:
        """Watch the request of this thread.

        Raises:
            DeadlineExceededError: The request finished after it was declared hanging.

        """
        hung = threading.Event()
        overrun = partial(self._overrun, context, threading.get_ident(), hung)
        try:
            with self._alarms.guard(context.deadline.at + self._grace_s, overrun):
                yield
        finally:
            self._hung.discard(hung)
        if hung.is_set():  # only slow, but its client already has an answer
            raise context.deadline.exceeded("a step that counted as hanging")

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
        """Stop accepting, wait while other requests still finish, then end the process."""
        os.kill(os.getpid(), signal.SIGTERM)  # gunicorn's worker stops accepting
        finished, until = self._bodies.finished, time.monotonic() + PATIENCE_S
        while self._others > 0 and time.monotonic() < until:
            time.sleep(LOOK_S)
            if self._bodies.finished != finished:
                finished, until = self._bodies.finished, time.monotonic() + PATIENCE_S
        logger.error("the worker ends for a request that hangs", extra={"lost": self._others})
        os._exit(os.EX_SOFTWARE)  # no clean-up, which would wait for the hanging thread

    @property
    def _others(self) -> int:
        return max(0, self._bodies.at_work - len(self._hung))


def stacks(thread: int) -> list[str]:
    """Return the stack of a thread, then those of other threads in bgremove's code.

    Frames are listed innermost first. The hanging call may be in another thread, since pictures are
    encoded in threads of their own.
    """
    frames = sys._current_frames()
    names = {each.ident: each.name for each in threading.enumerate()}
    found = [f"{names.get(thread)}: {_stack(frames.pop(thread, None))}"]
    frames.pop(threading.get_ident())
    found += [f"{names.get(other)}: {text}" for other, text in _ours(frames).items()]
    return found[:MAX_STACKS]


def _ours(frames: Mapping[int, FrameType]) -> dict[int, str]:
    texts = {thread: _stack(frame) for thread, frame in frames.items()}
    return {thread: text for thread, text in texts.items() if "bgremove/" in text}


def _stack(frame: FrameType | None) -> str:
    lines: list[str] = []
    while frame is not None and len(lines) < MAX_FRAMES:
        code = frame.f_code
        path = code.co_filename
        where = "bgremove" + path.removeprefix(PACKAGE) if path.startswith(PACKAGE) else path
        lines.append(f"{where}:{frame.f_lineno} {code.co_name}")
        frame = frame.f_back
    return " < ".join(lines) or "(ended)"


class LastWords:
    """The stacks of a worker that a signal ended: written by the worker, logged by the master.

    They are in a file in memory that both share. The master makes it before the fork.

    `faulthandler` writes the stacks of all threads inside the signal handler, without running
    Python code. This also works for a worker that crashed in native code, or that hung there with
    the interpreter's lock and received gunicorn's SIGABRT. The file is in no folder, because a full
    or missing folder would end the master.
    """

    def __init__(self) -> None:
        self._file = os.fdopen(open_memory_file("last-words"), "w+b")

    def listen(self) -> None:
        """Write the stacks to the file on a fatal signal; called in the worker."""
        faulthandler.enable(self._file, all_threads=True)

    def log(self, pid: int) -> None:
        """Log the stacks, if there are any; called in the master after the worker has ended."""
        with self._file as file:
            file.seek(0)
            text = file.read(LAST_BYTES).decode("utf-8", "replace")
        if text:
            extra = {"worker": pid, "stacks": text.splitlines()[:LAST_LINES]}
            logger.error("a worker was ended by a signal", extra=extra)
