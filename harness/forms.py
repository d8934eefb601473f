"""Multipart forms, built byte by byte, so that a test can send forms that no library builds."""

from __future__ import annotations

BOUNDARY = "XyZ"
FORM_TYPE = f"multipart/form-data; boundary={BOUNDARY}"


def part(headers: bytes, content: bytes = b"", *, boundary: str = BOUNDARY) -> bytes:
    """Return one part with the given headers."""
    return b"--" + boundary.encode() + b"\r\n" + headers + b"\r\n\r\n" + content + b"\r\n"


def text(name: str, value: bytes | str, more: str = "") -> bytes:
    """Return a text field; ``more`` is appended to its headers."""
    content = value.encode() if isinstance(value, str) else value
    return part(f'Content-Disposition: form-data; name="{name}"{more}'.encode(), content)


def file(name: str, content: bytes, more: str = "", *, filename: str = 'filename="a.png"') -> bytes:
    """Return a file field; ``more`` is appended to its headers."""
    head = f'Content-Disposition: form-data; name="{name}"; {filename}{more}'
    return part(head.encode(), content)


def form(*parts: bytes, boundary: str = BOUNDARY) -> bytes:
    """Join parts and close the form."""
    return b"".join(parts) + b"--" + boundary.encode() + b"--\r\n"
