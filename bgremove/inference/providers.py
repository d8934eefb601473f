"""Which execution provider of ONNX Runtime computes: chosen once, said aloud, never changed."""

from __future__ import annotations

from typing import Literal, cast, get_args

import onnxruntime as ort

from bgremove.errors import SettingsError

Provider = Literal["cuda", "openvino", "cpu"]  # best first
NAMES: dict[Provider, str] = {
    "cuda": "CUDAExecutionProvider",
    "openvino": "OpenVINOExecutionProvider",
    "cpu": "CPUExecutionProvider",
}


def provider_options(provider: Provider, threads: int) -> dict[str, str]:
    """Return what a provider is told beside the session's own options, which OpenVINO ignores."""
    if provider == "openvino":
        return {"device_type": "CPU", "num_of_threads": str(threads)}
    return {}


def choose_provider(wanted: str) -> Provider:
    """Return the provider to compute with: the one wanted, or for ``auto`` the best of this build.

    Raises SettingsError where the installed onnxruntime does not have what is wanted.
    """
    available = [key for key in get_args(Provider) if NAMES[key] in ort.get_available_providers()]
    if wanted == "auto":
        return cast("Provider", available[0])
    if wanted not in available:
        has = ", ".join(available)
        fault = f"BGREMOVE_PROVIDER={wanted!r}: the installed onnxruntime has only {has}"
        raise SettingsError((fault,))
    return cast("Provider", wanted)
