"""Choice of ONNX Runtime's execution provider: made once, reported, and never changed."""

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
    """Return a provider's own options; OpenVINO ignores the session's options."""
    if provider == "openvino":
        return {"device_type": "CPU", "num_of_threads": str(threads)}
    return {}


def choose_provider(wanted: str) -> Provider:
    """Return the wanted provider, or for ``auto`` the best one in the installed build.

    Raises SettingsError if the installed onnxruntime lacks the wanted provider.
    """
    available = [key for key in get_args(Provider) if NAMES[key] in ort.get_available_providers()]
    if wanted == "auto":
        return cast("Provider", available[0])
    if wanted not in available:
        has = ", ".join(available)
        fault = f"BGREMOVE_PROVIDER={wanted!r}: the installed onnxruntime has only {has}"
        raise SettingsError((fault,))
    return cast("Provider", wanted)
