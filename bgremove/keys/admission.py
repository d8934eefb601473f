"""Admission of requests by the settings: all requests, API keys, or a gateway's secret."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from bgremove.errors import SettingsError
from bgremove.keys.ring import (
    FileFaultError,
    KeyRing,
    ring_of_keys,
    ring_of_secret,
    ring_of_secrets,
)
from bgremove.keys.watched import WatchedFile
from bgremove.settings import PREFIX, Settings

KEYS_FILE = PREFIX + "API_KEYS_FILE"
SECRET = PREFIX + "RAPIDAPI_PROXY_SECRET"
SECRET_FILE = SECRET + "_FILE"


class Source(Protocol):
    """A source of keys."""

    @property
    def ring(self) -> KeyRing:
        """The keys in force now."""

    @property
    def fault(self) -> str | None:
        """The reason that the keys may be outdated, else None."""


@dataclass(frozen=True, slots=True)
class Fixed:
    """Keys that never change."""

    ring: KeyRing
    fault: str | None = None


@dataclass(frozen=True, slots=True)
class Admission:
    """The ``keys`` of clients and the ``gateway``'s secret. Without both, all are admitted."""

    keys: Source | None
    gateway: Source | None

    @property
    def is_open(self) -> bool:
        """True if requests need neither a key nor a secret."""
        return self.keys is None and self.gateway is None

    def __str__(self) -> str:
        if self.is_open:
            return "no API keys are configured: everybody is served"
        sources = {"API keys": self.keys, "secrets of the gateway": self.gateway}
        counts = [f"{len(source.ring)} {name}" for name, source in sources.items() if source]
        return "in force: " + ", ".join(counts)

    @property
    def state(self) -> dict[str, str]:
        """The state of each configured source, for `/readyz`."""
        sources = {"keys": self.keys, "gateway": self.gateway}
        return {
            name: f"last good ones in force: {source.fault}" if source.fault else "in force"
            for name, source in sources.items()
            if source is not None
        }


def admission_of(settings: Settings) -> Admission:
    """Read the configured keys and secrets.

    Raises:
        SettingsError: A file is missing or faulty, or the settings contradict each other.

    """
    keys = gateway = None
    if settings.api_keys_file:
        keys = WatchedFile(Path(settings.api_keys_file), ring_of_keys, KEYS_FILE)
    if settings.rapidapi_proxy_secret and settings.rapidapi_proxy_secret_file:
        raise SettingsError((f"{SECRET} and {SECRET_FILE} are both set; leave one out",))
    if settings.rapidapi_proxy_secret_file:
        path = Path(settings.rapidapi_proxy_secret_file)
        gateway = WatchedFile(path, ring_of_secrets, SECRET_FILE)
    elif settings.rapidapi_proxy_secret:
        try:
            return Admission(keys, Fixed(ring_of_secret(settings.rapidapi_proxy_secret)))
        except FileFaultError as fault:
            raise SettingsError((f"{SECRET}: {fault}",)) from None
    return Admission(keys, gateway)
