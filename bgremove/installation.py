"""The way this bgremove was installed, for fitting advice in messages."""

from __future__ import annotations

import sys

from bgremove.settings import CHECKOUT

UNSUPPORTED = "bgremove runs on Linux and macOS; on Windows, run it in WSL or in Docker"


def check_system() -> None:
    """Raise ImportError on Windows, which lacks system calls that bgremove needs."""
    if sys.platform == "win32":
        raise ImportError(UNSUPPORTED)


def is_checkout() -> bool:
    """Return whether the package runs from a checkout, not from an installed wheel."""
    return (CHECKOUT / "setup.cfg").is_file()


def pip_install(extra: str = "") -> str:
    """Return the command that installs the package here, with an optional extra."""
    what = f"'.[{extra}]'" if extra else "."
    if is_checkout():
        return f"pip install -e {what} in the checkout"
    return f"pip install {what.replace('.', 'bgremove', 1)}"
