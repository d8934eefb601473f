"""The Python API: `remove` for one picture, `Remover` for many."""

from __future__ import annotations

import asyncio
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from enum import StrEnum
from functools import cache, partial
from typing import Any, Self, TypedDict, Unpack

from bgremove.datatypes import Encoding, Options, OutputFormat, Subject
from bgremove.deadline import Deadline
from bgremove.engine import Engine
from bgremove.errors import BgremoveError, Detail, ValidationError
from bgremove.inputs import Picture, read_picture
from bgremove.machine import available_cpus
from bgremove.options import parse_background, parse_canvas, parse_margin
from bgremove.pipeline import cut_out
from bgremove.result import Result
from bgremove.settings import Settings
from bgremove.shared_engine import acquire, release
from bgremove.stages import Stages

# Two pictures at once use the time in which one is idle; more than eight only cost memory.
LEAST_JOBS, MOST_JOBS = 2, 8
AHEAD = 2  # results per job that `map` computes in advance


class Wanted(TypedDict, total=False):
    """The options of a removal, with the values of the HTTP interface.

    ``subject``: "universal", "human" or "product".
    ``format``: "transparent", "white_bg", "mask" or "crop".
    ``background``: the ground of "white_bg": "#rgb", "#rrggbb" or a CSS colour name.
    ``margin``: space around the subject, for "crop" and "white_bg": "8%" or "20px".
    ``canvas``: the size for "crop" and "white_bg": "2000x2000".
    ``encoding``: the file type: "png", "jpeg" or "webp".
    """

    subject: str
    format: str
    background: str
    margin: str
    canvas: str
    encoding: str


def remove(image: Picture, **options: Unpack[Wanted]) -> Result:
    """Cut the subject out of one picture.

    The first call loads the models and keeps them for later calls. The first call on a machine
    downloads them.

    Args:
        image: A path, the bytes of a file, a binary file, a PIL image, or an array: uint8 (H, W),
            (H, W, 3) RGB or (H, W, 4) RGBA with straight alpha.
        **options: As in `Remover`.

    Returns:
        The result: `Result.save`, `Result.image`, `Result.rgba`, `Result.data`.

    Raises:
        BgremoveError: The picture or an option is invalid (ValidationError), nothing stands out
            (NoSubjectError), the weights are missing (WeightsError), or processing failed.
        OSError: The file cannot be read.

    """
    return _kept().remove(image, **options)


class Remover:
    """Cuts subjects out of pictures, with the models loaded once.

    Use it in a ``with`` block, or call `close`. It is safe to use from several threads. Create one
    in each process, after the fork.
    """

    def __init__(
        self,
        *,
        jobs: int | None = None,
        offline: bool = False,
        settings: Settings | None = None,
        **options: Unpack[Wanted],
    ) -> None:
        """Set the options; models are loaded with the first picture or ``with``.

        Args:
            jobs: Pictures processed at once, 1 to 64. None: one for each core, 2 to 8.
            offline: Never download weights.
            settings: Limits and folders; None reads the ``BGREMOVE_*`` environment.
            **options: See `Wanted`.

        Raises:
            ValidationError: An option is wrong; the details list each.
            SettingsError: The environment is wrong.

        """
        if jobs is not None and not 1 <= jobs <= 64:
            raise ValueError(f"jobs is {jobs}; it has to be from 1 to 64")
        self._options = options
        read_options(options)  # raises now if they are invalid
        self._jobs = jobs or min(max(LEAST_JOBS, available_cpus()), MOST_JOBS)
        self._settings = replace(settings or Settings.from_env(os.environ), places=self._jobs)
        self._offline = offline
        self._lock = threading.Lock()
        self._engine: Engine | None = None
        self._threads: ThreadPoolExecutor | None = None
        self._is_closed = False

    def remove(self, image: Picture, **options: Unpack[Wanted]) -> Result:
        """Cut the subject out of one picture, as `bgremove.remove` does.

        ``options`` override those of the remover for this picture.
        """
        wanted = read_options(self._options | options)
        engine = self._ready()
        picture = read_picture(image, engine.limits)
        # Running pictures share the cores: each has the time of a request for every slot.
        stages = Stages(Deadline.after(self._settings.timeout_s * self._jobs))
        return Result(cut_out(picture, wanted, engine, stages), wanted, source=image)

    async def aremove(self, image: Picture, **options: Unpack[Wanted]) -> Result:
        """Cut the subject out in a thread, for asyncio; calls beyond ``jobs`` wait their turn."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool(), partial(self.remove, image, **options))

    def map(self, images: Iterable[Picture], **options: Unpack[Wanted]) -> Iterator[Result]:
        """Cut the subjects out of many pictures, on all cores.

        A picture that fails gives a result with ``error`` set; the others continue. Results come in
        the order of the pictures. Memory is bounded: pictures are taken from ``images`` only a few
        ahead of the results.

        Args:
            images: Pictures as `remove` accepts them.
            **options: As in `remove`.

        Yields:
            A result for each picture.

        Raises:
            WeightsError: The weights are missing.
            TypeError: An item of ``images`` is not a picture.

        """
        self._ready()
        pool = self._pool()
        waiting: deque[Future[Result]] = deque()
        try:
            for image in images:
                waiting.append(pool.submit(self._result, image, options))
                if len(waiting) >= AHEAD * self._jobs:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()

    def close(self) -> None:
        """End the threads, and also the decoders and models if no other remover uses them."""
        with self._lock:
            self._is_closed = True
            engine, self._engine = self._engine, None
            threads, self._threads = self._threads, None
        if threads is not None:
            threads.shutdown(cancel_futures=True)
        if engine is not None:
            release(self._settings)

    def __enter__(self) -> Self:
        self._ready()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _result(self, image: Picture, options: Wanted) -> Result:
        try:
            return self.remove(image, **options)
        except (BgremoveError, OSError) as error:
            return Result(None, read_options(self._options | options), source=image, error=error)

    def _ready(self) -> Engine:
        with self._lock:
            if self._is_closed:
                raise RuntimeError("this remover is closed")
            if self._engine is None:
                self._engine = acquire(self._settings, offline=self._offline)
            return self._engine

    def _pool(self) -> ThreadPoolExecutor:
        with self._lock:
            if self._is_closed:
                raise RuntimeError("this remover is closed")
            if self._threads is None:
                self._threads = ThreadPoolExecutor(self._jobs, thread_name_prefix="remover")
            return self._threads


def read_options(words: Wanted) -> Options:
    """Parse the options in ``words``.

    Raises:
        ValidationError: A value is not one of its choices, or options cannot be combined.

    """
    values: dict[str, Any] = {}
    faults: list[Detail] = []
    for word, text in words.items():
        if word not in _READERS:
            faults.append(Detail(word, f"{word} is no option; there are {', '.join(_READERS)}"))
            continue
        field, read = _READERS[word]
        try:
            values[field] = read(str(text))
        except ValueError as error:
            faults.append(Detail(word, f"{word} is {text!r}: {error}"))
    if faults:
        raise ValidationError("; ".join(fault.issue for fault in faults), details=tuple(faults))
    return Options(**values)


def _choice(kind: type[StrEnum]) -> Callable[[str], StrEnum]:
    def read(word: str) -> StrEnum:
        if word not in list(kind):
            raise ValueError(f"Must be one of {', '.join(kind)}")
        return kind(word)

    return read


_READERS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "subject": ("subject", _choice(Subject)),
    "format": ("output_format", _choice(OutputFormat)),
    "background": ("background", parse_background),
    "margin": ("margin", parse_margin),
    "canvas": ("canvas", parse_canvas),
    "encoding": ("encoding", _choice(Encoding)),
}


@cache
def _kept() -> Remover:
    """Return the remover behind `remove`, which lives as long as the process."""
    return Remover()
