"""The parts of a worker that views use, created once by `create_app`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import Flask, current_app

from bgremove.engine import Engine
from bgremove.inference.readiness import WarmUp
from bgremove.keys.admission import Admission
from bgremove.serving.alarms import Alarms
from bgremove.serving.capacity import Bodies
from bgremove.serving.hangs import Hangs
from bgremove.serving.places import Places

if TYPE_CHECKING:
    from bgremove.api.description import Description

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
