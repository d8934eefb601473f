"""The parts of a worker that views use, created once by `create_app`, and their callbacks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import Flask, current_app

from bgremove.engine import Engine
from bgremove.inference.readiness import Readiness, WarmUp
from bgremove.keys.admission import Admission
from bgremove.serving.alarms import Alarms
from bgremove.serving.capacity import Bodies
from bgremove.serving.hangs import Hangs
from bgremove.serving.places import Places

if TYPE_CHECKING:
    from bgremove.api.openapi import Description

NAME = "bgremove"


@dataclass(frozen=True, slots=True)
class Services:
    """The parts of a worker, one of each per process."""

    engine: Engine
    admission: Admission
    places: Places
    warm_up: WarmUp
    alarms: Alarms
    bodies: Bodies
    hangs: Hangs
    description: Description


def services() -> Services:
    """Return the parts of the application that answers the current request."""
    return services_of(current_app)


def services_of(app: Flask) -> Services:
    """Return the parts of an application."""
    found: Services = app.extensions[NAME]
    return found


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
