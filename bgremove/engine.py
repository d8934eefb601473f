"""The parts of a removal that outlive a request, built once per process from the settings."""

from __future__ import annotations

import mmap
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass

import cv2

from bgremove import cost
from bgremove.datatypes import Effort, ImageHeader, ImageType
from bgremove.deadline import Deadline
from bgremove.errors import UpstreamError
from bgremove.imaging.decoder.pool import DecoderPool
from bgremove.imaging.probe import Limits
from bgremove.inference.manifest import load_manifest
from bgremove.inference.runtime import choose_provider
from bgremove.inference.sessions import Sessions
from bgremove.machine import available_cpus
from bgremove.options import Options
from bgremove.room import Room
from bgremove.settings import Settings

# Every server should have the memory for it: 12 megapixels.
PHONE = ImageHeader(ImageType.JPEG, 4000, 3000)


@dataclass(frozen=True, slots=True)
class Engine:
    """The limits, decoders, networks, threads and room for pictures of a process."""

    limits: Limits
    decoders: DecoderPool
    sessions: Sessions
    executor: Executor
    room: Room

    def check(self, deadline: Deadline) -> None:
        """Check that a photograph of a phone can be decoded and held in memory.

        Raises:
            UpstreamError: No decoder works, or the memory is limited too far.

        """
        self.decoders.check(deadline)
        size = cost.peak_bytes(PHONE, Options())
        try:
            mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE).close()
        except OSError as error:
            raise UpstreamError(
                f"There are no {size:,} bytes of memory for a picture of {PHONE.pixels:,} pixels;"
                " raise the limit of the address space (ulimit -v)",
                private=repr(error),
            ) from error

    def close(self) -> None:
        """End the decoders and threads. Tests and commands call it; a worker just exits."""
        self.decoders.close()
        self.executor.shutdown()


def build_engine(
    settings: Settings,
    *,
    on_decoder_end: Callable[[str], None] = lambda _: None,
    on_models_loaded: Callable[[tuple[str, ...]], None] = lambda _: None,
) -> Engine:
    """Build the engine; parts are loaded and started when the first request needs them.

    Args:
        settings: the settings of the process.
        on_decoder_end: called with the reason when a decoder ends unexpectedly.
        on_models_loaded: called with the names of the loaded models when they change.

    Raises:
        SettingsError: this machine cannot satisfy the settings.
        WeightsError: the manifest cannot be read.
    """
    cpus = settings.threads or available_cpus()
    cv2.setNumThreads(cpus)  # OpenCV's own threads, and those of `matting.tiles`
    limits = Limits(
        max_upload_bytes=settings.max_upload_bytes,
        max_pixels=settings.max_pixels,
        max_side=settings.max_side,
        max_frames=settings.max_frames,
        max_scans=settings.max_scans,
        max_text_chunks=settings.max_text_chunks,
    )
    sessions = Sessions(
        load_manifest(settings.weights_dir),
        settings.weights_dir,
        max_sessions=settings.max_sessions,
        threads=cpus,
        strict=settings.strict_models,
        effort=Effort(settings.effort),
        precision=settings.precision,
        provider=choose_provider(settings.provider),
        on_change=on_models_loaded,
    )
    decoders = DecoderPool(limits, size=settings.places, on_end=on_decoder_end)
    executor = ThreadPoolExecutor(cpus, thread_name_prefix="encode")
    return Engine(limits, decoders, sessions, executor, Room(cost.room_bytes(limits.max_pixels)))
