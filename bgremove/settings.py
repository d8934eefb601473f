"""The settings for operators, a row each, read once from ``BGREMOVE_*`` at start-up.

The table in docs/settings.md is generated from these rows (`make settings`); a test compares them.
"""

from __future__ import annotations

import difflib
import math
import os.path
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints
from urllib.parse import urlsplit

from bgremove.errors import SettingsError

PREFIX = "BGREMOVE_"
CHECKOUT = Path(__file__).resolve().parent.parent
MIB = 1024 * 1024
MOST_UPLOAD_BYTES = 64 * MIB  # to which max_upload_bytes can be raised
# Names with the same prefix that are not settings: the key that a command sends to a service.
OTHER_NAMES = frozenset({"BGREMOVE_API_KEY"})


def _weights_dir() -> Path:
    """Return the default folder of weights: in a checkout, otherwise among the user's data.

    ``~`` stays in the path where the user has no home; BGREMOVE_WEIGHTS_DIR must be set then.
    """
    if (CHECKOUT / "weights" / "manifest.toml").is_file():
        return CHECKOUT / "weights"
    return Path(os.path.expanduser("~/.local/share/bgremove/weights"))


def listed(text: str) -> list[str]:
    """Split a comma-separated setting into its items."""
    return [item.strip() for item in text.split(",") if item.strip()]


def _check_origins(text: str) -> None:
    for origin in listed(text):
        parts = urlsplit(origin)
        if origin != "*" and (not parts.hostname or origin != f"{parts.scheme}://{parts.netloc}"):
            raise ValueError(f"{origin} is not an origin such as https://shop.example")


def _row(
    default: Any,
    unit: str,
    text: str,
    *,
    low: float = -math.inf,
    high: float = math.inf,
    blank: bool = True,
    secret: bool = False,
    check: Callable[[str], None] | None = None,
) -> Any:
    """Declare a setting: its default, unit, help and accepted values.

    Without ``blank`` an empty value is an error. A ``secret`` is never shown. ``check`` raises
    ValueError for an invalid text.
    """
    metadata = {"unit": unit, "help": text, "low": low, "high": high}
    metadata |= {"blank": blank, "secret": secret, "check": check}
    return field(default=default, metadata=metadata, repr=not secret)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings; the defaults are those of the contract.

    Raises:
        SettingsError: values have the wrong type, are outside their bounds or not one of their
            choices; the error lists all of them.
    """

    max_upload_bytes: int = _row(
        10 * MIB, "bytes", "Size limit of an uploaded picture.", low=1, high=MOST_UPLOAD_BYTES
    )
    max_pixels: int = _row(
        52_000_000, "pixels", "Limit of width times height.", low=1, high=250_000_000
    )
    max_side: int = _row(
        16_383, "pixels", "Limit of the longer side of a picture.", low=1, high=65_500
    )
    max_frames: int = _row(1_000, "frames", "Limit of frames of an animation.", low=1, high=100_000)
    max_scans: int = _row(100, "scans", "Limit of scans of a JPEG.", low=1, high=1_000)
    max_text_chunks: int = _row(100, "chunks", "Limit of text chunks of a PNG.", low=0, high=10_000)
    timeout_s: float = _row(
        20.0, "seconds", "Time limit of a request after its body has arrived.", low=0.05, high=600
    )
    read_timeout_s: float = _row(
        60.0, "seconds", "Time limit for the body of a request to arrive.", low=0.05, high=600
    )
    grace_s: float = _row(
        10.0,
        "seconds",
        "Time after the deadline when a request counts as hung; its worker is then replaced.",
        low=0.05,
        high=600,
    )
    weights_dir: Path = _row(
        _weights_dir(),
        "folder",
        "Folder of the models, and of an optional manifest.toml; "
        "outside a checkout `~/.local/share/bgremove/weights`.",
    )
    weights_mirror: str = _row(
        "", "folder or URL", "Source of models that is tried before those in the manifest."
    )
    places: int = _row(2, "requests", "Pictures that a worker processes at once.", low=1, high=64)
    queue: int = _row(16, "requests", "Pictures that can wait for a place.", low=0, high=200)
    strict_models: bool = _row(
        False,
        "0 or 1",
        "Answer 502 if the model of a subject is missing, instead of using another one.",
    )
    max_sessions: int = _row(3, "sessions", "Models that a worker keeps in memory.", low=1, high=16)
    threads: int = _row(
        0,
        "threads",
        "Threads of one inference; 0 uses all available cores.",
        high=256,
        low=0,
    )
    effort: Literal["fast", "balanced", "best"] = _row(
        "balanced",
        "effort",
        "Networks that examine a picture; fast: one, balanced: a second if the first is unsure, "
        "best: all at every size.",
    )
    precision: Literal["auto", "int8", "float32"] = _row(
        "auto",
        "precision",
        "Number format of the models; auto: int8 if it is faster on this machine.",
    )
    provider: Literal["auto", "cpu", "cuda", "openvino"] = _row(
        "auto",
        "provider",
        "Hardware that runs the models; auto: the best that the installed onnxruntime supports.",
    )
    api_keys_file: str = _row(
        "", "file", "File of API key hashes; none: no key is required. See Keys.", blank=False
    )
    rapidapi_proxy_secret: str = _row(
        "",
        "secret",
        "Secret that RapidAPI's gateway sends; a file is safer.",
        blank=False,
        secret=True,
    )
    rapidapi_proxy_secret_file: str = _row(
        "",
        "file",
        "File of these secrets, one on each line; read again when it changes.",
        blank=False,
    )
    cors_origins: str = _row(
        "",
        "origins",
        "Origins whose pages may use the API, separated by commas, such as https://shop.example; "
        "* for all; none: only the service's own page.",
        check=_check_origins,
    )
    metrics: bool = _row(True, "0 or 1", "Serve metrics for Prometheus at /metrics.")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = _row(
        "INFO",
        "level",
        "Lowest level that is logged.",
    )
    log_format: Literal["auto", "json", "text"] = _row(
        "auto",
        "format",
        "Format of log lines; auto: text on a terminal, else json.",
    )
    pages: bool = _row(True, "0 or 1", "Serve the page at / and the documentation at /docs.")

    def __post_init__(self) -> None:
        """Check every value that is not a default."""
        faults: list[str] = []
        for row in fields(self):
            value = getattr(self, row.name)
            if value == row.default:
                continue
            try:
                _check_type(type(row.default), value)
                _checked(value, row.metadata, CHOICES.get(row.name, ()))
            except ValueError as fault:
                shown = row.name if row.metadata["secret"] else f"{row.name}={value!r}"
                faults.append(f"{shown}: {fault}")
        if faults:
            raise SettingsError(tuple(faults))

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Settings:
        """Read every ``BGREMOVE_*`` value.

        Unknown names are ignored here; `unknown_names` reports them.

        Raises:
            SettingsError: values have the wrong type, are outside their bounds or not one of their
                choices; the error lists all of them.
        """
        rows = {PREFIX + row.name.upper(): row for row in fields(cls)}
        values: dict[str, Any] = {}
        faults: list[str] = []
        for name, text in sorted(environ.items()):
            if name not in rows:
                continue
            row = rows[name]
            try:
                value = _parsed(type(row.default), text.strip())
                values[row.name] = _checked(value, row.metadata, CHOICES.get(row.name, ()))
            except ValueError as fault:
                shown = name if row.metadata["secret"] else f"{name}={text!r}"
                faults.append(f"{shown}: {fault}")
        if faults:
            raise SettingsError(tuple(faults))
        return cls(**values)


# The words of each setting that takes one of a few.
CHOICES: dict[str, tuple[str, ...]] = {
    name: get_args(kind)
    for name, kind in get_type_hints(Settings).items()
    if get_origin(kind) is Literal
}


def whole_number(
    environ: Mapping[str, str], name: str, default: int, *, low: int, high: int
) -> int:
    """Return a number that the environment may set under a name without the prefix.

    Raises:
        SettingsError: the value is not a whole number, or outside its bounds.
    """
    text = environ.get(name, str(default))
    rules = {"low": low, "high": high, "blank": True, "check": None}
    try:
        return int(_checked(_parsed(int, text.strip()), rules))
    except ValueError as fault:
        raise SettingsError((f"{name}={text!r}: {fault}",)) from None


def highest(name: str) -> float:
    """Return the highest value that a setting accepts."""
    (high,) = (row.metadata["high"] for row in fields(Settings) if row.name == name)
    return float(high)


def unknown_names(environ: Mapping[str, str]) -> list[str]:
    """Return a sentence for each ``BGREMOVE_*`` name that is not a setting.

    They are logged and not errors: Kubernetes sets names such as BGREMOVE_SERVICE_HOST for a
    service of this name.
    """
    known = [PREFIX + row.name.upper() for row in fields(Settings)]
    sentences = []
    for name in sorted(environ):
        if name.startswith(PREFIX) and name not in known and name not in OTHER_NAMES:
            close = difflib.get_close_matches(name, known, n=1, cutoff=0.8)
            hint = f"; did you mean {close[0]}?" if close else ""
            sentences.append(f"{name}: no such setting{hint}")
    return sentences


def _parsed(kind: type[Any], text: str) -> Any:
    if kind is bool:
        words = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
        if text.lower() not in words:
            raise ValueError("not 0 or 1")
        return words[text.lower()]
    if issubclass(kind, Path):
        if not text:
            raise ValueError("empty")
        return Path(text)
    try:
        return kind(text.replace("_", "")) if kind is int else kind(text)
    except ValueError:
        raise ValueError("not a whole number" if kind is int else "not a number") from None


def _check_type(kind: type[Any], value: object) -> None:
    wanted = Path if issubclass(kind, Path) else kind
    accepted = (int, float) if kind is float else (wanted,)
    if not isinstance(value, accepted) or (isinstance(value, bool) and kind is not bool):
        raise ValueError(f"{type(value).__name__}, not {wanted.__name__}")


def _checked(value: Any, rules: Mapping[str, Any], choices: tuple[str, ...] = ()) -> Any:
    if value == "" and not rules["blank"]:
        raise ValueError("empty; leave it out instead")
    if choices and value not in choices:
        raise ValueError(f"not one of {', '.join(choices)}")
    if rules["check"] is not None:
        rules["check"](value)
    if isinstance(value, int | float) and not rules["low"] <= value <= rules["high"]:
        raise ValueError(f"not from {rules['low']} to {rules['high']}")
    return value
