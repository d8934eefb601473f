"""Remove backgrounds in this process, or in a worker process that receives a pickled remover."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from bgremove.batch.records import Record, Result, failure
from bgremove.deadline import Deadline
from bgremove.engine import Engine
from bgremove.errors import BgremoveError
from bgremove.options import Options
from bgremove.pipeline import remove_background
from bgremove.remover.engines import acquire, release
from bgremove.settings import Settings

_engines: dict[Settings, Engine] = {}  # one per process, shared by the copies of a remover
_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class LocalRemover:
    """Remove backgrounds with the server's own pipeline.

    A pickled remover holds only its settings and options; each process it is sent to loads the
    models once.
    """

    settings: Settings
    options: Options

    @property
    def max_bytes(self) -> int:
        """The size limit of a picture, in bytes."""
        return self.settings.max_upload_bytes

    def __call__(self, image: bytes) -> Result:
        """Remove the background of a picture; the record describes a failure.

        The deadline is the request timeout times the number of places: concurrent pictures share
        the cores, and no client is waiting.
        """
        try:
            engine = self.engine()
            deadline = Deadline.after(self.settings.timeout_s * self.settings.places)
            removal = remove_background(image, self.options, engine, deadline)
        except BgremoveError as error:
            return Result(b"", failure(error))
        record = Record(
            model=removal.model,
            confidence=round(removal.confidence, 3),
            box=removal.box,
            warnings=removal.warnings,
        )
        return Result(removal.image.data, record)

    def engine(self) -> Engine:
        """Return this process's engine, its weights verified and its default model warm.

        Raises WeightsError naming the missing weights, and SettingsError.
        """
        with _lock:
            if self.settings not in _engines:
                _engines[self.settings] = acquire(self.settings, offline=True)
            return _engines[self.settings]

    def close(self) -> None:
        """Stop the decoders and threads of this process's engine."""
        with _lock:
            engine = _engines.pop(self.settings, None)
        if engine is not None:
            release(self.settings)
