"""bgremove: cut the subject out of a photograph.

`remove` and `Remover` are the Python API; `create_app` makes the WSGI application of the service.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bgremove.app import create_app
    from bgremove.errors import (
        BgremoveError,
        ImageError,
        NoSubjectError,
        SettingsError,
        ValidationError,
        WeightsError,
    )
    from bgremove.remover.parsing import RemovalOptions
    from bgremove.remover.remover import Remover, remove
    from bgremove.remover.result import Result
    from bgremove.settings import Settings

__version__ = "0.1.0"
__all__ = [
    "BgremoveError",
    "ImageError",
    "NoSubjectError",
    "RemovalOptions",
    "Remover",
    "Result",
    "Settings",
    "SettingsError",
    "ValidationError",
    "WeightsError",
    "create_app",
    "remove",
]
# Imported on first use: a decoder child needs none of it, and a server not the Python API.
_HOMES = {
    "create_app": "app",
    "remove": "remover.remover",
    "Remover": "remover.remover",
    "RemovalOptions": "remover.parsing",
    "Result": "remover.result",
    "Settings": "settings",
} | dict.fromkeys([name for name in __all__ if name.endswith("Error")], "errors")


def __getattr__(name: str) -> Any:
    """Import a public name from its module."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import_module("bgremove.installation").check_system()
    return getattr(import_module(f"bgremove.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    """List the public names."""
    return [*__all__, "__version__"]
