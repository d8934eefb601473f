"""Damage bytes at random, from seeds: pictures of every type, made here or read from a folder."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

from tests.support import pictures as made

MAX_SEED_BYTES = 200_000  # larger ones only make for fewer cases
INTERESTING = [0, 1, 2, 3, 4, 7, 8, 16, 32, 63, 64, 100, 127, 128, 200, 254, 255]
NUMBERS = [0, 1, 2, 255, 256, 4096, 16_383, 16_384, 32_767, 65_535, 2**24 - 1, 2**31 - 1, 2**32 - 1]


def own_seeds() -> Iterator[bytes]:
    """Make pictures of every type, with what may be in them."""
    image = Image.fromarray(made.scene(64, 48, 4))
    exif = Image.Exif()
    exif[0x0112] = 6
    profile = made.matrix_profile([[0.5, 0.2, 0], [0.3, 0.7, 0], [0.1, 0.1, 0.8]], 2.2)
    frames = [image.rotate(turn) for turn in (90, 180)]
    animated = {"save_all": True, "append_images": frames}
    rgb = image.convert("RGB")
    yield made.saved(rgb, "JPEG", exif=exif, icc_profile=profile)
    yield made.saved(rgb, "JPEG", progressive=True)
    yield made.saved(image.convert("CMYK"), "JPEG", icc_profile=made.cmyk_profile())
    yield made.saved(image.convert("L"), "JPEG", icc_profile=made.gray_profile(1.8))
    yield made.jpeg(64, 48, frame=0xC9)
    yield made.jpeg(64, 48, frame=0xCA, scans=3)
    for mode in ("1", "L", "LA", "P", "RGB", "RGBA"):
        yield made.saved(image.convert(mode), "PNG", icc_profile=profile)
    yield made.saved(image, "PNG", **animated)
    yield made.png(64, 48, 16, made.RGBA, before=made.chunk(b"zTXt", b"a\0\0" + made.zeros(9999)))
    yield made.png(64, 48, before=made.chunk(b"tRNS", b"\0\0") + made.chunk(b"eXIf", made.exif(5)))
    for mode in ("1", "L", "P", "RGB", "RGBA"):
        yield made.saved(image.convert(mode), "BMP")
    fields = struct.pack("<4I", 0xF00, 0xF0, 0xF, 0xF000)
    yield made.bmp(64, 48, 16, bytes(range(256)) * 24, compression=3, masks=fields, header_bytes=56)
    yield made.bmp(64, 48, 8, b"\x40\5\0\0" * 48, compression=1, palette=bytes(range(256)) * 4)
    yield made.bmp(64, 48, 4, b"\x40\x12\0\0" * 48, compression=2, palette=bytes(64))
    yield made.saved(rgb, "JPEG", restart_marker_rows=1)[:-2]
    yield made.saved(rgb, "JPEG", progressive=True)[:-2]
    yield made.saved(rgb, "WEBP", exif=exif, icc_profile=profile)
    yield made.saved(image, "WEBP", lossless=True)
    yield made.saved(image, "WEBP", **animated)
    yield made.saved(image, "GIF")
    yield made.saved(image, "GIF", **animated)
    yield made.gif((300, 300), (300, 300), made.lzw([4, 0, 1, 0] * 2, 3) * 20_000)


def corpus_seeds(corpus: Path) -> Iterator[bytes]:
    """Read the pictures of a folder, its folders included."""
    for path in sorted(path for path in corpus.rglob("*") if path.is_file()):
        if path.stat().st_size <= MAX_SEED_BYTES:
            yield path.read_bytes()


def mutated(seed: bytes, others: list[bytes], rng: random.Random) -> bytes:
    """Return a picture with a few faults, most of them near its start, where headers are."""
    data = bytearray(seed)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 8))):
        reach = min(len(data), rng.choice((64, 512, len(data) or 1))) or 1
        at = rng.randrange(reach)
        _FAULTS[rng.randrange(len(_FAULTS))](data, at, others, rng)
    return bytes(data)


def _flip(data: bytearray, at: int, _: list[bytes], rng: random.Random) -> None:
    data[at : at + 1] = bytes([(data[at] if at < len(data) else 0) ^ 1 << rng.randrange(8)])


def _set(data: bytearray, at: int, _: list[bytes], rng: random.Random) -> None:
    data[at : at + 1] = bytes([rng.choice(INTERESTING)])


def _number(data: bytearray, at: int, _: list[bytes], rng: random.Random) -> None:
    size = rng.choice((2, 3, 4))
    value = rng.choice(NUMBERS) % 256**size
    data[at : at + size] = value.to_bytes(size, rng.choice(("big", "little")))


def _cut(data: bytearray, at: int, _: list[bytes], rng: random.Random) -> None:
    del data[at : at + rng.choice((1, 2, 4, 100, len(data)))]


def _repeat(data: bytearray, at: int, _: list[bytes], rng: random.Random) -> None:
    piece = bytes(data[at : at + rng.choice((1, 2, 12, 60, 400))])
    data[at:at] = piece * rng.choice((1, 2, 50, 1000))


def _splice(data: bytearray, at: int, others: list[bytes], rng: random.Random) -> None:
    other = rng.choice(others)
    start = rng.randrange(len(other) or 1)
    data[at : at + rng.choice((0, 30, len(data)))] = other[
        start : start + rng.choice((20, 500, 9999))
    ]


_FAULTS = (_flip, _flip, _set, _number, _number, _cut, _repeat, _splice)
