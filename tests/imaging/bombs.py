"""Small files that cost much, one for each way in, and what refusing them costs.

Run as a program, in a process that has loaded no decoder, it prints that as JSON: name to seconds
of processor time, KiB of memory beyond what there was before, and the sentence, which is empty for
a picture that is let in.
"""

from __future__ import annotations

import json
import struct
import time
import zlib
from collections.abc import Callable
from pathlib import Path

from bgremove.errors import ImageError
from bgremove.imaging.probe import probe
from tests.support import pictures as made

MB = 1_000_000
TEN_MB = 10 * 1024 * 1024

# Name to (the picture, a word of the sentence that refuses it).
BOMBS: dict[str, tuple[Callable[[], bytes], str]] = {
    "jpeg-declared-size": (lambda: made.jpeg(65_000, 65_000), "65,000"),
    "jpeg-101-scans": (lambda: made.jpeg(8, 8, frame=0xC2, scans=101), "101 JPEG scans"),
    "jpeg-100-scans-of-50-megapixels": (
        lambda: made.jpeg(7071, 7071, frame=0xC2, scans=100),
        "blocks to decode",
    ),
    "jpeg-arithmetic-scans": (
        lambda: made.jpeg(7071, 7071, frame=0xCA, scans=4),
        "blocks to decode",
    ),
    "jpeg-10-mb-of-scans": (
        lambda: made.jpeg(8, 8, scan=b"", scans=TEN_MB // 4 - 100),
        "JPEG scans",
    ),
    "jpeg-10-mb-of-segments": (
        lambda: made.jpeg(8, 8, before=made.segment(0xFE) * (TEN_MB // 4 - 100)),
        "segments",
    ),
    "jpeg-profile-of-many-segments": (
        lambda: made.jpeg(8, 8, before=made.icc_segments(bytes(9 * MB))),
        "bytes of colour profile",
    ),
    "png-declared-size": (lambda: made.png(30_000, 30_000, packed=b""), "30,000"),
    "png-deep": (lambda: made.png(7071, 7071, 16, made.RGBA, packed=b""), "bytes to decode"),
    "png-frames": (
        lambda: made.png(8, 8, before=made.chunk(b"acTL", struct.pack(">II", 2**31 - 1, 0))),
        "2,147,483,647 frames",
    ),
    "png-101-texts": (
        lambda: made.png(8, 8, before=made.chunk(b"tEXt", b"a\0b") * 101),
        "101 PNG text chunks",
    ),
    "png-texts-behind-the-pixels": (
        lambda: made.png(8, 8)[:-12] + made.chunk(b"tEXt", b"a\0b") * 101 + made.chunk(b"IEND"),
        "101 PNG text chunks",
    ),
    "png-ztxt": (lambda: made.png(8, 8, before=_packed_text(b"zTXt", b"a\0\0") * 50), "text"),
    "png-itxt": (lambda: made.png(8, 8, before=_packed_text(b"iTXt", b"a\0\1\0\0\0") * 50), "text"),
    "png-ztxt-of-200-mb": (
        lambda: made.png(8, 8, before=made.chunk(b"zTXt", b"a\0\0" + made.zeros(200 * MB))),
        "text",
    ),
    "png-iccp-of-200-mb": (
        lambda: made.png(8, 8, before=made.chunk(b"iCCP", b"a\0\0" + made.zeros(200 * MB))),
        "bytes of colour profile",
    ),
    "png-huge-exif": (
        lambda: made.png(8, 8, before=made.chunk(b"eXIf", made.exif(1) + bytes(9 * MB))),
        "bytes of EXIF",
    ),
    "png-10-mb-of-chunks": (
        lambda: made.png(8, 8, before=made.chunk(b"abCd") * (TEN_MB // 12 - 100)),
        "chunks",
    ),
    "png-10-mb-of-nothing-packed": (
        lambda: made.png(8, 8, packed=b"\x78\1" + b"\0\0\0\xff\xff" * (2 * MB)),
        "bytes of packed pixels",
    ),
    "png-iccp-of-empty-blocks": (
        lambda: made.png(8, 8, before=made.chunk(b"iCCP", b"a\0\0" + _empty_blocks())),
        "packed text or colour profile",
    ),
    "png-ztxt-of-empty-blocks": (
        lambda: made.png(8, 8, before=made.chunk(b"zTXt", b"a\0\0" + _empty_blocks())),
        "packed text or colour profile",
    ),
    "png-itxt-of-empty-blocks": (
        lambda: made.png(8, 8, before=made.chunk(b"iTXt", b"a\0\1\0\0\0" + _empty_blocks())),
        "packed text or colour profile",
    ),
    "png-itxt-of-10-mb": (
        lambda: made.png(8, 8, before=made.chunk(b"iTXt", b"a\0" + bytes(10 * MB))),
        "text",
    ),
    "gif-declared-size-35-bytes": (
        lambda: made.gif((30_000, 30_000), (1, 1), b"\x44\1")[:35],
        "30,000",
    ),
    "gif-canvas-against-frame": (lambda: made.gif((7071, 7071), (1, 1), b"\x44\1"), "canvas"),
    "gif-frames": (lambda: made.gif((1, 1), (1, 1), b"\x44\1", frames=1001), "1,001 frames"),
    "gif-frame-beyond-its-canvas": (
        lambda: made.gif((10, 10), (65_000, 65_000), b"\x44\1"),
        "65,000",
    ),
    "gif-10-mb-of-empty-extensions": (
        lambda: b"GIF89a\1\0\1\0\0\0\0" + b"\x21\x01\0" * (TEN_MB // 3 - 100),
        "data blocks",
    ),
    "gif-10-mb-of-small-blocks": (
        lambda: made.gif((1, 1), (1, 1), b"\x44\1")[:-1] + b"\x21\xfe" + b"\1a" * (5 * MB) + b"\0;",
        "data blocks",
    ),
    "webp-declared-size": (lambda: made.riff(made.vp8x(16_384, 16_384)), "16,384"),
    "webp-canvas-against-frame": (
        lambda: made.riff(made.vp8x(7071, 7071, 2), made.anmf(1, 1)),
        "canvas",
    ),
    "webp-frames": (
        lambda: made.riff(made.vp8x(8, 8, 2), *[made.anmf(8, 8)] * 1001),
        "1,001 frames",
    ),
    "webp-10-mb-of-chunks": (
        lambda: made.riff(made.vp8x(8, 8), *[(b"abcd", b"")] * (TEN_MB // 8 - 100)),
        "chunks",
    ),
    "webp-huge-exif": (
        lambda: made.riff(made.vp8x(8, 8, 8), (b"EXIF", made.exif(1) + bytes(9 * MB))),
        "bytes of EXIF",
    ),
    "webp-huge-profile": (
        lambda: made.riff(made.vp8x(8, 8, 0x20), (b"ICCP", bytes(9 * MB))),
        "bytes of colour profile",
    ),
    "bmp-declared-size": (lambda: made.bmp(60_000, -60_000, 24, b""), "60,000"),
    "bmp-run-lengths": (lambda: made.bmp(16_000, 16_000, 8, b"", compression=1), "256,000,000"),
    "one-byte-too-long": (lambda: b"BM" + bytes(TEN_MB - 1), "10,485,761"),
}

RAW_EXIF = b"Raw profile type exif\0"
EIGHT_MB = 8 * 1024 * 1024 - 64  # of unpacked text, just within the limit
DIRECTORY = b"II*\0\x08\0\0\0\xff\xff"  # of 65,535 entries, none of them the orientation

# Let in, since nothing in them is over a limit: name to the picture.
ADMITTED: dict[str, Callable[[], bytes]] = {
    "png-exif-of-4-million-words": lambda: _png_with_text(b"a " * (EIGHT_MB // 2)),
    "png-exif-of-digits": lambda: _png_with_text(b"\nexif\n 9\n" + b"00" * (EIGHT_MB // 2 - 8)),
    "png-exif-of-spaced-digits": lambda: _png_with_text(b"a 1 " + b"0 " * (EIGHT_MB // 2 - 8)),
    "png-exif-of-blanks": lambda: _png_with_text(b" " * EIGHT_MB),
    "png-100-texts-of-words": lambda: made.png(
        8, 8, before=made.chunk(b"tEXt", RAW_EXIF + b"a " * 40_000) * 100
    ),
    "png-xmp-of-prefixes": lambda: made.png(
        8, 8, before=made.chunk(b"iTXt", b"XML:com.adobe.xmp\0" + b"tiff:Orientation=" * 490_000)
    ),
    "png-exif-of-65-535-entries": lambda: made.png(
        8, 8, before=made.chunk(b"eXIf", DIRECTORY + bytes(4_000_000))
    ),
    "webp-exif-of-65-535-entries": lambda: made.riff(
        made.vp8x(8, 8, 8), (b"EXIF", DIRECTORY + bytes(4_000_000))
    ),
    "png-itxt-of-8-mb-stored": lambda: made.png(
        8, 8, before=made.chunk(b"iTXt", b"a\0\1\0\0\0" + zlib.compress(bytes(EIGHT_MB), 0))
    ),
    "gif-frame-of-small-blocks": lambda: (
        made.gif((1, 1), (1, 1), b"\x44\1")[:-2] + b"\1a" * 390_000 + b"\0;"
    ),
    "jpeg-10-mb-of-fill": lambda: made.jpeg(8, 8, before=b"\xff" * (TEN_MB - 4000)),
    "jpeg-10-mb-of-xmp": lambda: made.jpeg(
        8,
        8,
        before=made.segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + b"tiff:Orientation=" * 3700)
        * 160,
    ),
}


def _png_with_text(text: bytes) -> bytes:
    return made.png(64, 64, before=made.chunk(b"zTXt", RAW_EXIF + b"\0" + zlib.compress(text, 9)))


def _packed_text(name: bytes, head: bytes) -> bytes:
    return made.chunk(name, head + zlib.compress(bytes(7_900_000), 9))


def _empty_blocks() -> bytes:
    """Return 10 MB of packed data that has no content."""
    return b"\x78\1" + b"\0\0\0\xff\xff" * ((TEN_MB - 1000) // 5)


def _peak_kib() -> int:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("VmHWM:")[1].split()[0])


def main() -> None:
    limits = made.limits()
    results = {}
    pictures = {name: build for name, (build, _) in BOMBS.items()} | ADMITTED
    for name, build in pictures.items():
        data = build()
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak starts anew
        before = _peak_kib()
        start = time.process_time()
        try:
            probe(data, limits)
            message = ""
        except ImageError as error:
            message = error.message
        results[name] = (time.process_time() - start, _peak_kib() - before, message)
    print(json.dumps(results))


if __name__ == "__main__":
    main()
