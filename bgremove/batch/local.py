"""Cutting out in this process, or in one that a remover was sent to."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from bgremove.batch.records import Record, Result, failure
from bgremove.datatypes import Options
from bgremove.deadline import Deadline
from bgremove.engine import Engine
from bgremove.errors import BgremoveError
from bgremove.pipeline import remove_background
from bgremove.settings import Settings
from bgremove.shared_engine import acquire, release

_engines: dict[Settings, Engine] = {}  # one a process: copies of a remover share it
_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class LocalRemover:
    """Cuts subjects out with the server's own pipeline.

    It pickles as its settings: sent to other processes, it loads the models once in each.
    """

    settings: Settings
    options: Options

    @property
    def max_bytes(self) -> int:
        """The largest picture that is read."""
        return self.settings.max_upload_bytes

    def __call__(self, image: bytes) -> Result:
        """Cut the subject out of a picture; what is wrong with it is told in the record.

        A picture has the time of a request for each place: those at work share the cores, and
        nobody waits at the other end.
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

        Raises WeightsError that says what is missing, and SettingsError.
        """
        with _lock:
            if self.settings not in _engines:
                _engines[self.settings] = acquire(self.settings, offline=True)
            return _engines[self.settings]

    def close(self) -> None:
        """End the decoders and threads of this process's engine."""
        with _lock:
            engine = _engines.pop(self.settings, None)
        if engine is not None:
            release(self.settings)
