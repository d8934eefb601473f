"""How this bgremove was installed, for advice that fits."""

from __future__ import annotations

import sys

from bgremove.settings import CHECKOUT

UNSUPPORTED = (
    "bgremove runs on Linux and macOS. On Windows, run it in WSL (https://learn.microsoft.com/windows/wsl)"
    " or in Docker: docker run -p 8000:8000 bgremove"
)


def check_system() -> None:
    """Exit with one sentence on Windows, which has none of the calls that bgremove needs."""
    if sys.platform == "win32":
        sys.exit(UNSUPPORTED)


def is_checkout() -> bool:
    """Tell whether the package runs from a checkout, not from an installed wheel."""
    return (CHECKOUT / "setup.cfg").is_file()


def pip_install(extra: str) -> str:
    """Return the command that installs an extra here."""
    what = f"-e '.[{extra}]'" if is_checkout() else f"'bgremove[{extra}]'"
    return f"{sys.executable} -m pip install {what}"
