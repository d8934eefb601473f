"""Stores of pictures and cut-outs, behind one interface: folders, pipes, web servers, fsspec.

A file is known by its name as written on a command line: a path, a URL, or ``-`` for a pipe.
"""

from __future__ import annotations

import glob
import sys
from abc import ABC, abstractmethod
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import unquote

from bgremove.batch.records import STANDARD
from bgremove.imaging.probe.limits import read_within, too_large

WEB = ("http", "https")
USER_AGENT = {"User-Agent": "bgremove"}  # some servers refuse that of Python


@dataclass(frozen=True, slots=True)
class File:
    """A file of a store.

    Attributes:
        name: Its name, as written on a command line.
        size: Its size in bytes.
        changed_ns: The time of its last change in nanoseconds since 1970; 0 if it is unknown.
        key: A value that is equal for two names of the same file.

    """

    name: str
    size: int
    changed_ns: int
    key: Hashable


@dataclass(frozen=True)
class Store(ABC):
    """Lists, reads and writes files; the defaults are those of a store that cannot be listed.

    Methods raise OSError with a message for people.
    """

    def is_folder(self, name: str) -> bool:
        """Return whether a name is that of a folder."""
        del name
        return False

    def files(self, folder: str, *, recursive: bool) -> list[File]:
        """Return the files below a folder, sorted by name, without hidden ones."""
        del recursive
        raise OSError(None, f"{folder} cannot be listed")

    def matching(self, pattern: str) -> list[File]:
        """Return the files that match a pattern with wildcards, sorted by name."""
        return self.files(pattern, recursive=False)

    def look_up(self, names: Sequence[str], folders: Sequence[str]) -> list[File]:
        """Return the existing ones of ``names``, which are in or below ``folders``."""
        del folders
        return [File(name, 0, 0, name) for name in names]

    def absolute(self, name: str) -> str:
        """Return a name that means the same file in every folder and process."""
        return name.rstrip("/")

    def resolved(self, name: str) -> str:
        """Return an absolute name without links."""
        return self.absolute(name)

    @abstractmethod
    def read(self, name: str, max_bytes: int) -> bytes:
        """Return the content of a file; raises ImageError above ``max_bytes``."""

    @abstractmethod
    def write(self, name: str, data: bytes) -> None:
        """Write a file and its folders; it appears under its name only when it is complete."""

    def check_writable(self, folder: str) -> None:
        """Raise OSError if it is known that files cannot be written into a folder."""
        del folder


class PipeStore(Store):
    """Standard input and output."""

    def read(self, name: str, max_bytes: int) -> bytes:
        """Return standard input; raises ImageError above ``max_bytes``."""
        del name
        return read_within(sys.stdin.buffer, max_bytes)

    def write(self, name: str, data: bytes) -> None:
        """Write to standard output."""
        del name
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()


class WebStore(Store):
    """Pictures on web servers, read only."""

    def read(self, name: str, max_bytes: int) -> bytes:
        """Return the body of a successful answer.

        Raises:
            ImageError: It has more than ``max_bytes``.
            OSError: There is no such answer, or it comes too slowly or not whole.

        """
        import urllib.request

        import urllib3

        from bgremove.download import NETWORK_ERRORS, Pace, open_paced, reason_of

        try:
            parts = urllib3.util.parse_url(name)  # quotes special characters
            address = parts._replace(auth=None).url
            request = urllib.request.Request(address, headers=USER_AGENT)  # noqa: S310 -- `is_web`
            if parts.auth:
                login = urllib3.util.make_headers(basic_auth=unquote(parts.auth))
                request.add_unredirected_header("Authorization", login["authorization"])
            with open_paced(request, Pace(max_bytes)) as answer:
                announced: int = getattr(answer, "length", None) or 0
                data = b"" if announced > max_bytes else answer.read(max_bytes + 1)
        except (*NETWORK_ERRORS, ValueError) as error:  # ValueError: not a URL
            raise OSError(None, reason_of(error)) from error
        if announced > max_bytes:
            raise too_large(f"{announced:,}", max_bytes)
        if len(data) > max_bytes:
            raise too_large(f"at least {len(data):,}", max_bytes)
        if len(data) < announced:
            raise OSError(None, f"the server sent {len(data):,} of {announced:,} bytes")
        return data

    def write(self, name: str, data: bytes) -> None:
        """Raise OSError."""
        del data
        raise OSError(None, f"a web server takes no cut-outs: {name}")


def store_of(name: str) -> Store:
    """Return the store of a name; raises PlanError for a store that is not installed."""
    from bgremove.batch.local_store import LocalStore

    if name == STANDARD:
        return PipeStore()
    if is_web(name):
        return WebStore()
    if "://" not in name:
        return LocalStore()
    from bgremove.batch.fsspec_store import open_store

    return open_store(name)


def is_web(name: str) -> bool:
    """Return whether a name is the http or https address of a picture."""
    return name.partition("://")[0] in WEB and "://" in name


def join(folder: str, path: PurePosixPath) -> str:
    """Return the name of the file at a path relative to a folder."""
    if "://" in folder:
        return f"{folder.rstrip('/')}/{path}"
    return str(PurePosixPath(folder, path))


def fixed_part(pattern: str) -> str:
    """Return the folder of a pattern before its first wildcard."""
    parts = pattern.split("/")
    wild = next(index for index, part in enumerate(parts) if glob.has_magic(part))
    return "/".join(parts[:wild]) or ("/" if pattern.startswith("/") else ".")


def folder_of(name: str) -> str:
    """Return the folder of a file."""
    if "://" in name:
        return name.rpartition("/")[0]
    return str(PurePosixPath(name).parent)
