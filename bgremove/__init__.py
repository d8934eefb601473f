"""bgremove: give back the subject of a photograph, without its background."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bgremove.app import create_app
    from bgremove.pipeline import remove_background

__version__ = "0.1.0"
__all__ = ["create_app", "remove_background"]


def __getattr__(name: str) -> Any:
    """Import the public names when they are asked for: a decoder child needs neither."""
    if name == "create_app":
        from bgremove.app import create_app

        return create_app
    if name == "remove_background":
        from bgremove.pipeline import remove_background

        return remove_background
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
