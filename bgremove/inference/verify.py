"""Whether a file is the one that the manifest means: its size and its SHA-256."""

from __future__ import annotations

import hashlib
from pathlib import Path

from bgremove.inference.manifest import Model


def fault_of(model: Model, path: Path) -> str | None:
    """Say what is wrong with the file at ``path``; None when it is the manifest's own."""
    try:
        size = path.stat().st_size
        if size != model.bytes:
            return f"{path.name} has {size} bytes, not the {model.bytes} of the manifest"
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        return f"{path.name} cannot be read: {error.strerror}"
    if digest != model.sha256:
        return f"{path.name} has SHA-256 {digest}, not the {model.sha256} of the manifest"
    return None
