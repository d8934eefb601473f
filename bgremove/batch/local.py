"""Remove backgrounds in this process, with the server's own pipeline."""

from __future__ import annotations

from bgremove.batch.records import Record, Result, failure
from bgremove.deadline import Deadline
from bgremove.errors import BgremoveError
from bgremove.options import Options
from bgremove.pipeline import remove_background
from bgremove.remover.engines import acquire, release
from bgremove.settings import Settings


class LocalRemover:
    """Remove backgrounds with an engine of this process. Safe to use from several threads."""

    def __init__(self, settings: Settings, options: Options) -> None:
        """Verify the weights and load the default model; `close` releases them.

        Raises:
            WeightsError: The weights are missing or damaged; the message names them.
            SettingsError: This machine cannot satisfy the settings.

        """
        self.max_bytes = settings.max_upload_bytes
        self._settings, self._options = settings, options
        self._engine = acquire(settings, offline=True)

    def __call__(self, image: bytes) -> Result:
        """Remove the background of a picture; the record describes a failure.

        The deadline is the request timeout times the number of places: concurrent pictures share
        the cores, and no client is waiting.
        """
        deadline = Deadline.after(self._settings.timeout_s * self._settings.places)
        try:
            removal = remove_background(image, self._options, self._engine, deadline)
        except BgremoveError as error:
            return Result(b"", failure(error))
        record = Record(
            model=removal.model,
            confidence=round(removal.confidence, 3),
            box=removal.box,
            warnings=removal.warnings,
        )
        return Result(removal.image.data, record)

    def close(self) -> None:
        """Release the engine: its decoders and threads end with its last user."""
        release(self._settings)
