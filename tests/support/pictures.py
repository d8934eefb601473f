"""Picture files built byte by byte, for variants that no encoder writes."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

from bgremove.imaging.probe import Limits
from bgremove.settings import Settings

SHARED = Path(__file__).resolve().parents[3] / "shared"
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
GRAY, RGB, PALETTE, GRAY_ALPHA, RGBA = 0, 2, 3, 4, 6


def limits(**changed: Any) -> Limits:
    """Return the limits of the default settings, with changes."""
    settings = Settings(**changed)
    return Limits(**{row.name: getattr(settings, row.name) for row in fields(Limits)})


def scene(width: int, height: int, channels: int = 3, depth: type = np.uint8) -> np.ndarray:
    """Return an asymmetric picture without noise, (H, W) or (H, W, channels), over all values."""
    top = np.iinfo(depth).max
    across = np.linspace(0, 1, width)[None, :, None]
    down = np.linspace(0, 1, height)[:, None, None]
    phase = np.arange(channels)[None, None, :]
    values = (0.6 * across + 0.4 * down * (1 + phase) / channels) % 1
    pixels: np.ndarray = np.rint(values * top).astype(depth)
    return pixels[:, :, 0] if channels == 1 else pixels


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    """Return a picture as Pillow encodes it."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def exif(orientation: int) -> bytes:
    """Return an EXIF block, without ``Exif`` in front, with an orientation."""
    return b"MM\0*\0\0\0\x08\0\1\x01\x12\0\3\0\0\0\1" + struct.pack(">HHI", orientation, 0, 0)


# PNG


def chunk(name: bytes, body: bytes = b"") -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def ihdr(width: int, height: int, depth: int = 8, kind: int = GRAY, interlace: int = 0) -> bytes:
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, interlace))


def png(
    width: int,
    height: int,
    depth: int = 8,
    kind: int = GRAY,
    *,
    rows: bytes | None = None,
    before: bytes = b"",
    packed: bytes | None = None,
) -> bytes:
    """Return a PNG of ``rows`` (filter bytes included), else black."""
    samples = {GRAY: 1, RGB: 3, PALETTE: 1, GRAY_ALPHA: 2, RGBA: 4}[kind]
    if packed is None:
        size = height * (1 + (width * samples * depth + 7) // 8)
        packed = zeros(size) if rows is None else zlib.compress(rows)
    body = ihdr(width, height, depth, kind) + before + chunk(b"IDAT", packed) + chunk(b"IEND")
    return PNG_SIGNATURE + body


def zeros(count: int) -> bytes:
    """Return ``count`` zero bytes deflated, without allocating them."""
    packer = zlib.compressobj(9)
    block = bytes(1 << 20)
    parts = [
        packer.compress(block[: min(len(block), count - at)]) for at in range(0, count, 1 << 20)
    ]
    return b"".join([*parts, packer.flush()])


def fctl(number: int, width: int, height: int) -> bytes:
    return chunk(b"fcTL", struct.pack(">IIIIIHHBB", number, width, height, 0, 0, 1, 10, 0, 0))


# JPEG


def segment(marker: int, body: bytes = b"") -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body


def jpeg(
    width: int,
    height: int,
    *,
    frame: int = 0xC0,
    sampling: Iterable[int] = (0x11, 0x11, 0x11),
    scans: int = 1,
    scan: bytes | None = None,
    before: bytes = b"",
) -> bytes:
    """Return a JPEG whose scans are empty; ``sampling`` is a byte for each component."""
    sampling = list(sampling)
    names = range(1, len(sampling) + 1)
    head = struct.pack(">BHHB", 8, height, width, len(sampling))
    parts = b"".join(bytes([name, size, 0]) for name, size in zip(names, sampling, strict=True))
    if scan is None:
        scan = (
            bytes([len(sampling)]) + b"".join(bytes([name, 0]) for name in names) + bytes([0, 0, 0])
        )
    tables = segment(0xDB, b"\0" + bytes([16] * 64))
    tables += segment(0xC4, b"\x00\1" + bytes(15) + b"\0") + segment(
        0xC4, b"\x10\1" + bytes(15) + b"\0"
    )
    return (
        b"\xff\xd8"
        + before
        + tables
        + segment(frame, head + parts)
        + segment(0xDA, scan) * scans
        + b"\xff\xd9"
    )


def icc_segments(profile: bytes, part: int = 60_000) -> bytes:
    """Return a profile in as many APP2 segments as it needs."""
    parts = [profile[at : at + part] for at in range(0, len(profile), part)]
    return b"".join(
        segment(0xE2, b"ICC_PROFILE\0" + bytes([number, len(parts)]) + body)
        for number, body in enumerate(parts, 1)
    )


# GIF


def gif(
    canvas: tuple[int, int],
    frame: tuple[int, int],
    codes: bytes,
    *,
    min_bits: int = 2,
    frames: int = 1,
    colours: bytes = b"\0\0\0\xff\xff\xff",
) -> bytes:
    """Return a GIF whose frames contain ``codes``, LZW data, in data blocks of 255 bytes."""
    blocks = b"".join(
        bytes([len(codes[at : at + 255])]) + codes[at : at + 255]
        for at in range(0, len(codes), 255)
    )
    one = b"\x2c" + struct.pack("<HHHHB", 0, 0, *frame, 0) + bytes([min_bits]) + blocks + b"\0"
    return b"GIF89a" + struct.pack("<HHBBB", *canvas, 0x80, 0, 0) + colours + one * frames + b"\x3b"


def lzw(codes: Iterable[int], bits: int) -> bytes:
    """Pack codes of one length, lowest bit first."""
    flat = np.array([(code >> bit) & 1 for code in codes for bit in range(bits)], np.uint8)
    return np.packbits(flat, bitorder="little").tobytes()


# WEBP


def riff(*chunks: tuple[bytes, bytes]) -> bytes:
    body = b"WEBP" + b"".join(
        name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) & 1)
        for name, data in chunks
    )
    return b"RIFF" + struct.pack("<I", len(body)) + body


def vp8x(width: int, height: int, flags: int = 0) -> tuple[bytes, bytes]:
    size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return b"VP8X", bytes([flags, 0, 0, 0]) + size


def anmf(width: int, height: int, body: bytes = b"") -> tuple[bytes, bytes]:
    size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return b"ANMF", bytes(6) + size + bytes(4) + (body or vp8l_head(width, height))


def vp8l_head(width: int, height: int) -> bytes:
    """Return a lossless chunk that declares its size and contains no pixels."""
    head = b"\x2f" + ((width - 1) | (height - 1) << 14).to_bytes(4, "little")
    return b"VP8L" + struct.pack("<I", len(head)) + head + b"\0"


# BMP


def bmp(
    width: int,
    height: int,
    bits: int,
    pixels: bytes,
    *,
    compression: int = 0,
    palette: bytes = b"",
    masks: bytes = b"",
    header_bytes: int = 40,
) -> bytes:
    """Return a BMP; ``masks`` follow a header of 40 bytes and are part of a longer one."""
    fields_ = struct.pack("<iiHHIIiiII", width, height, 1, bits, compression, 0, 0, 0, 0, 0)
    header = (struct.pack("<I", header_bytes) + fields_ + masks).ljust(header_bytes + 4 * 0, b"\0")
    at = 14 + len(header) + len(palette)
    return b"BM" + struct.pack("<IHHI", at + len(pixels), 0, 0, at) + header + palette + pixels


# ICC profiles


def matrix_profile(primaries: list[list[float]], gamma: float) -> bytes:
    """Return an RGB profile (ICC version 2): columns XYZ, relative to D50, and one gamma."""

    def fixed(value: float) -> bytes:
        return struct.pack(">i", round(value * 65536))

    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + b"\0\0"
    tags = {b"desc": b"desc\0\0\0\0" + struct.pack(">I", 5) + b"test\0" + bytes(78)}
    tags[b"cprt"] = b"text\0\0\0\0none\0"
    tags[b"wtpt"] = b"XYZ \0\0\0\0" + fixed(0.9642) + fixed(1.0) + fixed(0.8249)
    for name, column in zip((b"rXYZ", b"gXYZ", b"bXYZ"), primaries, strict=True):
        tags[name] = b"XYZ \0\0\0\0" + b"".join(map(fixed, column))
    for name in (b"rTRC", b"gTRC", b"bTRC"):
        tags[name] = curve
    return _profile(b"RGB ", tags)


def gray_profile(gamma: float) -> bytes:
    """Return a gray profile (ICC version 2)."""
    white = b"XYZ \0\0\0\0" + struct.pack(">iii", 63190, 65536, 54061)
    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + b"\0\0"
    desc = b"desc\0\0\0\0" + struct.pack(">I", 5) + b"test\0" + bytes(78)
    return _profile(
        b"GRAY", {b"desc": desc, b"cprt": b"text\0\0\0\0none\0", b"wtpt": white, b"kTRC": curve}
    )


def cmyk_profile() -> bytes:
    """Return a CMYK profile (ICC version 2) whose table has two points per axis."""
    grid = np.stack(np.meshgrid(*[[0.0, 1.0]] * 4, indexing="ij"), -1).reshape(-1, 4)
    light = 100 * (1 - grid[:, 3]) * (1 - grid[:, :3] @ [0.3, 0.55, 0.12])
    a = 60 * (grid[:, 1] - grid[:, 0]) * (1 - grid[:, 3])
    b = 60 * (grid[:, 2] - grid[:, 1]) * (1 - grid[:, 3])
    lab = np.stack([light * 655.35 * 0.996, (a + 128) * 256, (b + 128) * 256], -1)
    table = (
        b"mft2\0\0\0\0"
        + bytes([4, 3, 2, 0])
        + struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 65536)
    )
    table += struct.pack(">HH", 2, 2) + struct.pack(">HH", 0, 65535) * 4
    table += lab.round().clip(0, 65535).astype(">u2").tobytes() + struct.pack(">HH", 0, 65535) * 3
    desc = b"desc\0\0\0\0" + struct.pack(">I", 5) + b"test\0" + bytes(78)
    white = b"XYZ \0\0\0\0" + struct.pack(">iii", 63190, 65536, 54061)
    tags = {b"desc": desc, b"cprt": b"text\0\0\0\0none\0", b"wtpt": white, b"A2B0": table}
    return _profile(b"CMYK", tags, kind=b"prtr", connection=b"Lab ")


def _profile(
    space: bytes, tags: dict[bytes, bytes], kind: bytes = b"mntr", connection: bytes = b"XYZ "
) -> bytes:
    at = 128 + 4 + 12 * len(tags)
    directory, bodies = struct.pack(">I", len(tags)), b""
    for name, body in tags.items():
        body += b"\0" * (-len(body) % 4)
        directory += name + struct.pack(">II", at + len(bodies), len(body))
        bodies += body
    size = 128 + len(directory) + len(bodies)
    head = struct.pack(">I4sI", size, b"none", 0x02400000) + kind + space + connection
    head += bytes(12) + b"acsp" + bytes(28) + struct.pack(">iii", 63190, 65536, 54061)
    return head.ljust(128, b"\0") + directory + bodies


def assert_same_picture(one: bytes, other: bytes) -> None:
    """Check that two files of the same type have equal pixels.

    Bytes are not compared: between two processes, a PNG of equal pixels was seen to differ by two
    bytes in about one of a hundred runs on a busy machine, and the cause is not known.
    """
    first, second = (
        np.asarray(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED), int)
        for data in (one, other)
    )
    assert one[:4] == other[:4]
    assert first.shape == second.shape
    difference = np.abs(first - second)
    assert not difference.any(), (
        f"{np.count_nonzero(difference)} samples differ, by up to {difference.max()}"
    )
