"""Callbacks that report the state of a worker's parts to the metrics."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bgremove.inference.readiness import Readiness


def _ignore(*_: Any) -> None:
    """Do nothing."""


@dataclass(frozen=True, slots=True)
class Hooks:
    """Callbacks of the worker's parts. The default of each does nothing.

    Attributes:
        on_decoder_end: how a decoder ended unexpectedly.
        on_models_loaded: the names of the loaded models, when they change.
        on_places: the numbers of requests worked on and waiting, when either changes.
        on_readiness: the result of each warm-up.
        on_hang: called for each request that hangs.

    """

    on_decoder_end: Callable[[str], None] = _ignore
    on_models_loaded: Callable[[tuple[str, ...]], None] = _ignore
    on_places: Callable[[int, int], None] = _ignore
    on_readiness: Callable[[Readiness], None] = _ignore
    on_hang: Callable[[], None] = _ignore
