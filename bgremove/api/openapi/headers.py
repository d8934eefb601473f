"""Every header of an answer, with its schema; an operation refers to them by name."""

from __future__ import annotations

from typing import Any

from bgremove.api.openapi.warnings import WARNINGS
from bgremove.serving.context import REQUEST_ID_PATTERN

WORD = "|".join(WARNINGS)
MEANINGS = "; ".join(f"{word}: {meaning}" for word, meaning in WARNINGS.items())
# Every other header is there on every answer that names it.
OPTIONAL = {"X-Warnings", "Content-Encoding"}


def _header(description: str, **schema: Any) -> dict[str, Any]:
    return {"description": description, "schema": schema}


def _count(description: str, least: int = 0) -> dict[str, Any]:
    return _header(description, type="integer", minimum=least)


HEADERS: dict[str, dict[str, Any]] = {
    "X-Request-Id": _header(
        "The X-Request-Id of the request, where well formed, else a new UUID; also in the log.",
        type="string",
        pattern=f"^{REQUEST_ID_PATTERN.pattern}$",
    ),
    "Cache-Control": _header("Nothing is to be kept.", type="string", const="no-store"),
    "X-Content-Type-Options": _header(
        "The Content-Type is to be believed.", type="string", const="nosniff"
    ),
    "Vary": _header("The answer depends on this header.", type="string", const="Accept"),
    "X-Processing-Ms": _count("Milliseconds from the request to the answer."),
    "Server-Timing": _header(
        "Milliseconds of every stage.",
        type="string",
        pattern=r"^[a-z]+;dur=[0-9.]+(, [a-z]+;dur=[0-9.]+)*$",
    ),
    "X-Model": _header(
        "The weights that ran, joined by + where a second network was asked.",
        type="string",
        minLength=1,
    ),
    "X-Confidence": _header(
        "The share of mask and true subject that is expected to be common to both (IoU).",
        type="number",
        minimum=0,
        maximum=1,
    ),
    "X-Width": _count("Width of the answer in pixels.", 1),
    "X-Height": _count("Height of the answer in pixels.", 1),
    "X-Foreground-Top": _count("Pixels above the subject's box, in the picture sent."),
    "X-Foreground-Left": _count("Pixels to the left of the subject's box."),
    "X-Foreground-Width": _count("Width of the subject's box in pixels.", 1),
    "X-Foreground-Height": _count("Height of the subject's box in pixels.", 1),
    "X-Warnings": _header(
        f"Only where something was bent. {MEANINGS}.",
        type="string",
        pattern=f"^({WORD})(, ({WORD}))*$",
    ),
    "Retry-After": _count("Seconds after which to try again."),
    "Allow": _header("The methods the path takes.", type="string", minLength=1),
    "WWW-Authenticate": _header("How to send a key.", type="string", minLength=1),
    "Content-Security-Policy": _header(
        "What the page may load: nothing from elsewhere.", type="string", minLength=1
    ),
    "ETag": _header("What the file is now, for If-None-Match.", type="string", minLength=1),
    "Content-Encoding": _header("Only of files that are packed.", type="string", const="gzip"),
    "Referrer-Policy": _header(
        "Links do not say where they were followed.", type="string", const="no-referrer"
    ),
}


def components() -> dict[str, dict[str, Any]]:
    """Return the headers as components, each with whether it is always there."""
    return {name: header | {"required": name not in OPTIONAL} for name, header in HEADERS.items()}
