"""Forms, key files and manifests against their parsers.

Each is read, or refused with the error of its parser, whose message quotes no secret.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import marshmallow
from flask import Request
from werkzeug.test import EnvironBuilder

from bgremove.api.form import RemovalFormSchema
from bgremove.api.multipart import MAX_FORM_PARTS, read_parts
from bgremove.deadline import Deadline
from bgremove.errors import ValidationError, WeightsError
from bgremove.inference.manifest import SHIPPED, load_manifest
from bgremove.inference.models import Manifest
from bgremove.keys.ring import (
    END,
    PREFIX,
    FileFaultError,
    KeyLine,
    digest_of,
    read_lines,
    ring_of_keys,
    ring_of_secrets,
)
from tests.support import graphs
from tests.support.http import FORM_TYPE, file, form, text

MAX_S = 5.0  # of a processor, for a parser on a small input: milliseconds are usual
MAX_FORM_BYTES = 11 * 1024 * 1024


def form_seeds() -> list[bytes]:
    """Return a Content-Type and a form each, separated by a line end."""
    head = FORM_TYPE.encode() + b"\n"
    picture = bytes(range(256)) * 4
    parts = [file("image", picture), text("subject", "human"), text("output_format", "crop")]
    more = [text("margin", "8%"), text("canvas", "200x200"), text("background", "#fff")]
    return [head + form(*parts), head + form(*parts, *more), head + form(*more * 40), head]


def try_form(data: bytes) -> str:
    """Read a form and its fields."""
    kind, _, body = data.partition(b"\n")
    builder = EnvironBuilder(method="POST", input_stream=io.BytesIO(body))
    environ = builder.get_environ()
    environ["CONTENT_TYPE"] = kind.decode("latin-1")
    environ["CONTENT_LENGTH"] = str(len(body))
    request = Request(environ)
    request.max_content_length = MAX_FORM_BYTES
    started = time.process_time()
    try:
        parts = read_parts(request, Deadline.after(60))
    except ValidationError as error:
        assert error.message.isprintable()
        return "form refused"
    assert time.process_time() - started < MAX_S, "slow"
    values = [part.content for found in parts.values() for part in found]
    assert len(values) <= MAX_FORM_PARTS
    assert sum(map(len, values)) <= len(body)
    try:
        RemovalFormSchema(max_upload_bytes=MAX_FORM_BYTES).load(parts)
    except marshmallow.ValidationError:
        return "fields refused"
    return "form read"


def key_seeds() -> list[bytes]:
    """Return key files and files of secrets."""
    day = date(2026, 1, 2)
    lines = [str(KeyLine(f"{n:08x}", day, digest_of(bytes([n])), f"label {n}")) for n in range(9)]
    files = ["\n".join([*lines, END, ""]), f"# ours\r\n{lines[0]}\n{PREFIX}{'s' * 43}\n"]
    files += ["s" * 40 + "\n", "\ufeff# a\n"]
    return [text.encode() for text in files]


def try_keys(data: bytes) -> str:
    """Read a file as keys and as secrets."""
    for parse in (ring_of_keys, ring_of_secrets):
        started = time.process_time()
        try:
            parse(data)
        except FileFaultError as fault:
            assert PREFIX not in str(fault)
            assert "sss" not in str(fault)
        assert time.process_time() - started < MAX_S, "slow"
    try:
        lines = read_lines(data)
    except FileFaultError:
        return "keys refused"
    again = read_lines("".join(f"{line}\n" for line in lines).encode() or b"#")
    assert [str(line) for line in again] == [str(line) for line in lines]
    return "keys read"


def manifest_seeds() -> list[bytes]:
    """Return the shipped manifest and a small one."""
    with TemporaryDirectory() as folder:
        model = graphs.model_of(b"weights")
        graphs.write_manifest(Path(folder), Manifest((model,), "tiny", graphs.priors(b"prior")))
        small = Path(folder, "manifest.toml").read_bytes()
    return [SHIPPED.read_bytes(), small, small, small]


@contextmanager
def manifests() -> Iterator[Callable[[bytes], str]]:
    """Yield the function that tries a manifest."""
    with TemporaryDirectory() as name:
        folder = Path(name)

        def tried(data: bytes) -> str:
            (folder / "manifest.toml").write_bytes(data)
            started = time.process_time()
            try:
                manifest = load_manifest(folder)
            except WeightsError:
                return "manifest refused"
            finally:
                assert time.process_time() - started < MAX_S, "slow"
            assert manifest.model(manifest.fallback).bytes > 0
            for weights in manifest.files:
                assert Path(weights.file).name == weights.file
            return "manifest read"

        yield tried
