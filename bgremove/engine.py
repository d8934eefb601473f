"""Put the parts of the pipeline together, from the settings."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import cast

import cv2

from bgremove.imaging.decoder_pool import DecoderPool
from bgremove.imaging.probe import Limits
from bgremove.inference.manifest import load_manifest
from bgremove.inference.precision import Precision
from bgremove.inference.providers import choose_provider
from bgremove.inference.sessions import Sessions
from bgremove.machine import available_cpus
from bgremove.pipeline import Engine
from bgremove.settings import Settings


def build_engine(settings: Settings) -> Engine:
    """Return an engine; nothing is loaded or started before the first request needs it.

    Raises SettingsError where this machine does not have what is set, and WeightsError where the
    manifest cannot be read.
    """
    cpus = settings.threads or available_cpus()
    cv2.setNumThreads(cpus)  # OpenCV's own, and those that matting works its tiles with
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
        precision=cast("Precision", settings.precision),
        provider=choose_provider(settings.provider),
    )
    executor = ThreadPoolExecutor(cpus, thread_name_prefix="encode")
    return Engine(limits, DecoderPool(limits, size=settings.places), sessions, executor)
