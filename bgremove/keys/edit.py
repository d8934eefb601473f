"""Changes of a key file: atomic, one at a time, and keeping the comments in the file."""

from __future__ import annotations

import contextlib
import fcntl
import os
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from bgremove.keys.ring import (
    END,
    MAX_FILE_BYTES,
    FileFaultError,
    KeyLine,
    label_fault,
    new_key,
    read_lines,
)

HEADER = """\
# Keys of bgremove: ID DATE sha256:HEX LABEL. `bgremove keys add`, `list` and `revoke` write it.
# Of a key only its hash is here; the key itself was shown once and is kept nowhere.
# The last line shows that the file is whole: keep it there.
"""
FRESH_MODE = 0o600


def add(path: Path, label: str) -> tuple[str, KeyLine]:
    """Make a key for a label and write its line.

    The file is unchanged if an error is raised.

    Returns:
        The key and its line.

    Raises:
        FileFaultError: The label is invalid or taken, or the file is faulty.
        OSError: The file cannot be written.

    """
    if fault := label_fault(label):
        raise FileFaultError(fault)
    with _locked(path):
        text = path.read_text("utf-8") if path.exists() else HEADER
        lines = read_lines(text.encode())
        if taken := [line.id for line in lines if line.label == label]:
            raise FileFaultError(f"the label is taken, by {taken[0]}; labels tell keys apart")
        ids = frozenset(line.id for line in lines)
        key, line = new_key(label, datetime.now(UTC).date(), ids)
        _write(path, text.removesuffix("\n") + f"\n{line}\n")
    return key, line


def revoke(path: Path, name: str) -> KeyLine:
    """Remove the line with this label or id and return it.

    Raises:
        FileFaultError: No key or more than one has the name, or the file is faulty.
        OSError: The file cannot be written.

    """
    with _locked(path):
        text = path.read_text("utf-8")
        found = [line for line in read_lines(text.encode()) if name in (line.id, line.label)]
        if not found:
            raise FileFaultError("no key has this label or id; `bgremove keys list` names them")
        if len(found) > 1:
            ids = ", ".join(line.id for line in found)
            raise FileFaultError(f"more than one key has it: {ids}; revoke them by their ids")
        kept = text.split("\n")
        del kept[found[0].number - 1]
        _write(path, "\n".join(kept))
    return found[0]


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Lock the folder of the file, because each change replaces the file itself."""
    folder = os.open(path.resolve().parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)  # and so unlock it


def _write(path: Path, text: str) -> None:
    """Replace the file and keep its owner and mode. A symbolic link stays a link."""
    lines = [line for line in text.removesuffix("\n").split("\n") if line.strip() != END]
    content = "\n".join([*lines, END, ""]).encode()
    if len(content) > MAX_FILE_BYTES:
        raise FileFaultError(f"the file would pass the limit of {MAX_FILE_BYTES:,} bytes")
    target = path.resolve()
    descriptor, temporary = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with open(descriptor, "wb") as file:
            file.write(content)
            if target.exists():
                old = target.stat()
                os.fchown(descriptor, old.st_uid, old.st_gid)
                os.fchmod(descriptor, old.st_mode & 0o777)
            else:
                os.fchmod(descriptor, FRESH_MODE)
            file.flush()
            os.fsync(descriptor)
        os.rename(temporary, target)
    except BaseException:
        os.unlink(temporary)
        raise
    folder = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)  # a revoked key stays revoked after a power failure
    finally:
        os.close(folder)
