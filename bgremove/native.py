"""Conversion of failures in native code to the errors of a request."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import cv2

from bgremove.errors import UpstreamError

NO_THREAD = "can't start new thread"


@contextmanager
def native_errors() -> Iterator[None]:
    """Convert a lack of memory and OpenCV's own errors to UpstreamError.

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
