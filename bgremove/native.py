"""Failures of native code during a removal, as the errors of a request."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import cv2

from bgremove.errors import UpstreamError


@contextmanager
def native_errors() -> Iterator[None]:
    """Turn a lack of memory and OpenCV's own errors into UpstreamError.

    OSError stands for a lack of memory or of descriptors: it is what mapping memory raises.
    """
    try:
        yield
    except (MemoryError, OSError) as error:
        raise UpstreamError("The server is out of memory", private=repr(error)) from error
    except cv2.error as error:
        raise UpstreamError("The picture could not be processed", private=str(error)) from error
