"""The stages of a removal: their times, their native errors, and the deadline after each."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import cv2

from bgremove.deadline import Deadline
from bgremove.errors import UpstreamError

NO_THREAD = "can't start new thread"


class Stages:
    """Times stages by name, adds up repeated ones, and checks the deadline after each."""

    def __init__(self, deadline: Deadline) -> None:
        self.deadline = deadline
        self.ms: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str, *, is_last: bool = False) -> Iterator[None]:
        """Time a stage and convert its native errors.

        The time of a stage within it counts for that stage alone.

        The last stage may pass the deadline: the result is ready, and the client waits for it.

        Raises:
            UpstreamError: Native code failed, see `native_errors`.
            DeadlineExceededError: The deadline passed.
            ClientGoneError: The client has disconnected.

        """
        started, others_ms = time.perf_counter(), sum(self.ms.values())
        with native_errors():
            yield
        elapsed_ms = (time.perf_counter() - started) * 1000
        elapsed_ms -= sum(self.ms.values()) - others_ms
        self.ms[name] = round(self.ms.get(name, 0.0) + max(0.0, elapsed_ms), 2)
        if not is_last:
            self.deadline.check(name)


@contextmanager
def native_errors() -> Iterator[None]:
    """Convert a lack of memory or threads, and OpenCV's own errors, to UpstreamError.

    Mapping memory raises OSError for a lack of memory or of descriptors. Python raises RuntimeError
    when it cannot start a thread.
    """
    try:
        yield
    except (MemoryError, OSError) as error:
        raise UpstreamError("The server is out of memory", private=repr(error)) from error
    except SystemError as error:  # from OpenCV, when NumPy had no memory for its result
        if not isinstance(error.__cause__, MemoryError):
            raise
        raise UpstreamError("The server is out of memory", private=repr(error)) from error
    except RuntimeError as error:
        if NO_THREAD not in str(error):
            raise
        raise UpstreamError("The server is out of threads", private=repr(error)) from error
    except cv2.error as error:
        raise UpstreamError("The picture could not be processed", private=str(error)) from error
