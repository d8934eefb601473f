"""The Python API: `remove` for one picture, `Remover` for many."""

from __future__ import annotations

import asyncio
import os
import threading
import weakref
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from functools import cache, partial
from typing import Self, Unpack

from PIL import Image

from bgremove.datatypes import Cut
from bgremove.deadline import Deadline
from bgremove.engine import Engine
from bgremove.errors import BgremoveError, Detail, ImageError, ValidationError
from bgremove.machine import default_jobs
from bgremove.options import Options
from bgremove.pipeline import cut_out
from bgremove.remover.engines import acquire, release
from bgremove.remover.inputs import PictureT, read_picture
from bgremove.remover.parsing import RemovalOptions, parse_options
from bgremove.remover.result import Result
from bgremove.settings import Settings, highest
from bgremove.stages import Stages

AHEAD = 2  # results per job that `map` computes in advance


def remove(image: PictureT, **options: Unpack[RemovalOptions]) -> Result[PictureT]:
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
    return _default_remover().remove(image, **options)


class Remover:
    """Cuts subjects out of pictures, with the models loaded once.

    Use it in a ``with`` block, or call `close`. It is safe to use from several threads. In a forked
    process it loads its models anew.
    """

    def __init__(
        self,
        *,
        jobs: int | None = None,
        offline: bool = False,
        settings: Settings | None = None,
        **options: Unpack[RemovalOptions],
    ) -> None:
        """Set the options; models are loaded with the first picture or ``with``.

        Args:
            jobs: Pictures processed at once, 1 to 64. None: one for each core, 2 to 8.
            offline: Never download weights.
            settings: Limits and folders; None reads the ``BGREMOVE_*`` environment.
            **options: See `RemovalOptions`.

        Raises:
            ValidationError: An option is wrong; the details list each.
            SettingsError: A setting in the environment is wrong.

        """
        if jobs is not None and not 1 <= jobs <= 64:
            issue = f"jobs is {jobs}; it has to be from 1 to 64"
            raise ValidationError(issue, details=(Detail("jobs", issue),))
        self._options = options
        parse_options(options)  # raises now if they are invalid
        self._jobs = jobs or default_jobs()
        self._settings = replace(settings or Settings.from_env(os.environ), places=self._jobs)
        self._offline = offline
        self._is_closed = False
        self._begin()
        _removers.add(self)

    def _begin(self) -> None:
        """Start without an engine and threads, as a new remover or one in a forked process."""
        self._lock = threading.Lock()
        self._engine: Engine | None = None
        self._threads: ThreadPoolExecutor | None = None

    def remove(self, image: PictureT, **options: Unpack[RemovalOptions]) -> Result[PictureT]:
        """Cut the subject out of one picture, as `bgremove.remove` does.

        ``options`` override those of the remover for this picture.
        """
        chosen = parse_options(self._options | options)
        try:
            return Result(self._cut(image, chosen), chosen, source=image)
        except ImageError as error:
            if not error.setting:
                raise
            advice = f"raise it with Settings({error.setting}=...)"
            most = f"{highest(error.setting):,.0f}"
            raise ImageError(f"{error.message}; {advice}, up to {most}") from error

    def _cut(self, image: PictureT, options: Options) -> Cut:
        engine = self._ready()
        picture = read_picture(image, engine.limits)
        # Running pictures share the cores: each has the time of a request for every slot.
        stages = Stages(Deadline.after(self._settings.timeout_s * self._jobs))
        with engine.room.claim() as claim:
            return cut_out(picture, options, engine, stages, claim)

    async def aremove(self, image: PictureT, **options: Unpack[RemovalOptions]) -> Result[PictureT]:
        """Cut the subject out in a thread, for asyncio; calls beyond ``jobs`` wait their turn."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool(), partial(self.remove, image, **options))

    def map(
        self, images: Iterable[PictureT], **options: Unpack[RemovalOptions]
    ) -> Iterator[Result[PictureT]]:
        """Cut the subjects out of many pictures, on all cores.

        A picture that fails gives a result with ``error`` set; the others continue. Results come in
        the order of the pictures. Memory is bounded: pictures are taken from ``images`` only a few
        ahead of the results.

        Args:
            images: Pictures as `remove` accepts them.
            **options: As in `remove`.

        Returns:
            An iterator with a result for each picture.

        Raises:
            WeightsError: The weights are missing.
            TypeError: ``images`` is a single picture, or an item of it is not a picture.
            RuntimeError: The remover was closed, or the process was forked, before the end.

        """
        if isinstance(images, str | bytes | os.PathLike | Image.Image) or hasattr(images, "read"):
            raise TypeError(
                f"map takes many pictures, not one {type(images).__name__}: give a list, or the"
                " files of a folder, as Path('photos').iterdir()"
            )
        return self._map(images, options)

    def _map(
        self, images: Iterable[PictureT], options: RemovalOptions
    ) -> Iterator[Result[PictureT]]:
        self._ready()
        pool = self._pool()
        waiting: deque[Future[Result[PictureT]]] = deque()

        def next_result() -> Result[PictureT]:
            if self._threads is not pool:  # nobody works on the rest
                raise RuntimeError("this map has lost its threads by a close or a fork; start anew")
            return waiting.popleft().result()

        try:
            for image in images:
                waiting.append(pool.submit(self._result, image, options))
                if len(waiting) >= AHEAD * self._jobs:
                    yield next_result()
            while waiting:
                yield next_result()
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

    def _result(self, image: PictureT, options: RemovalOptions) -> Result[PictureT]:
        try:
            return self.remove(image, **options)
        except (BgremoveError, OSError) as error:
            return Result(None, parse_options(self._options | options), source=image, error=error)

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


_removers: weakref.WeakSet[Remover] = weakref.WeakSet()


def _begin_all() -> None:
    for remover in list(_removers):
        remover._begin()


os.register_at_fork(after_in_child=_begin_all)


@cache
def _default_remover() -> Remover:
    """Return the remover behind `remove`, which lives as long as the process."""
    return Remover()
