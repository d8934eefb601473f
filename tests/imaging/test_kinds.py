"""Files of another kind are named, so that a client knows what to send instead."""

from __future__ import annotations

import base64
import io
import struct
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from bgremove.errors import ImageError
from bgremove.imaging.probe import kind_of, kinds, probe
from tests.support import pictures as made

LIMITS = made.limits()
IMAGE = Image.fromarray(made.scene(20, 12))
FIVE = ("JPEG", "PNG", "BMP", "WEBP", "GIF")


def ftyp(major: bytes, *compatible: bytes) -> bytes:
    body = b"ftyp" + major + bytes(4) + b"".join(compatible)
    return struct.pack(">I", len(body) + 4) + body + bytes(200)


def directory(*entries: tuple[int, int, bytes], order: str = "<", magic: bytes = b"II*\0") -> bytes:
    """Return a TIFF structure; an entry is a tag, a type of one byte an item, and its value."""
    head = magic + struct.pack(order + "IH", 8, len(entries))
    at = 10 + 12 * len(entries) + 4
    rows, values = b"", b""
    for tag, kind, value in entries:
        inline = value.ljust(4, b"\0")
        if len(value) > 4:
            inline = struct.pack(order + "I", at + len(values))
            values += value
        rows += struct.pack(order + "HHI", tag, kind, len(value)) + inline
    return head + rows + bytes(4) + values + bytes(200)


def zipped() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("photo.jpg", made.saved(IMAGE, "JPEG"))
    return file.getvalue()


def text_of(kind: str) -> bytes:
    return base64.b64encode(made.saved(IMAGE, kind))


# Name of the case to (bytes, kind).
FOREIGN: dict[str, tuple[bytes, str]] = {
    "heic": (ftyp(b"heic", b"mif1", b"heic"), "HEIC"),
    "heic-of-any-codec": (ftyp(b"mif1", b"miaf"), "HEIC"),
    "heic-10-bit": (ftyp(b"heix", b"mif1"), "HEIC"),
    "heic-by-compatible-brand": (ftyp(b"mif1", b"miaf", b"heic"), "HEIC"),
    "heic-burst": (ftyp(b"hevc", b"msf1"), "HEIC"),
    "avif": (ftyp(b"avif", b"mif1", b"miaf"), "AVIF"),
    "avif-by-compatible-brand": (ftyp(b"mif1", b"avif", b"miaf"), "AVIF"),
    "avif-by-pillow": (made.saved(IMAGE, "AVIF"), "AVIF"),
    "canon-cr3": (ftyp(b"crx ", b"isom"), "RAW"),
    "canon-cr2": (b"II*\0\x10\0\0\0CR\2\0" + bytes(60), "RAW"),
    "nikon-nef": (
        directory((0x010F, 2, b"NIKON CORPORATION\0"), (0x014A, 4, b"\0\0\0\0")),
        "RAW",
    ),
    "sony-arw": (directory((0x010F, 2, b"SONY\0"), (0x014A, 4, b"\0\0\0\0")), "RAW"),
    "dng": (directory((0xC612, 1, b"\1\4\0\0")), "RAW"),
    "dng-big-endian": (directory((0xC612, 1, b"\1\4\0\0"), order=">", magic=b"MM\0*"), "RAW"),
    "tiff-ep": (directory((0x828E, 1, b"\0\1\1\2")), "RAW"),
    "fuji-raf": (b"FUJIFILMCCD-RAW 0201FF383501" + bytes(60), "RAW"),
    "olympus-orf": (b"IIRO\x08\0\0\0" + bytes(60), "RAW"),
    "panasonic-rw2": (b"IIU\0\x18\0\0\0" + bytes(60), "RAW"),
    "tiff": (made.saved(IMAGE, "TIFF"), "TIFF"),
    "tiff-of-a-scanner": (directory((0x010F, 2, b"NIKON SCANNER\0")), "TIFF"),
    "tiff-big-endian": (b"MM\0*" + bytes(100), "TIFF"),
    "bigtiff": (b"MM\0+" + bytes(100), "TIFF"),
    "tiff-directory-far-outside": (b"II*\0\xff\xff\xff\xff" + bytes(100), "TIFF"),
    "jpeg-xl": (b"\xff\x0a" + bytes(100), "JPEG XL"),
    "jpeg-xl-in-boxes": (b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(100), "JPEG XL"),
    "jpeg-2000": (made.saved(IMAGE, "JPEG2000"), "JPEG 2000"),
    "jpeg-2000-codestream": (b"\xff\x4f\xff\x51" + bytes(100), "JPEG 2000"),
    "svg": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
    "svg-after-prolog": (
        b"\xef\xbb\xbf<?xml version='1.0'?>\n<!-- a -->\n<!DOCTYPE svg><SVG/>",
        "SVG",
    ),
    "html": (b"\n<!DOCTYPE html><html><body>", "HTML"),
    "html-with-a-drawing-in-it": (b"<html><body><h1>x</h1>", "HTML"),
    "xml": (b"<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>", "XML"),
    "json": (b'{"error": "not found"}', "JSON"),
    "url": (b"https://example.com/photo.jpg", "URL"),
    "pdf": (made.saved(IMAGE, "PDF"), "PDF"),
    "pdf-behind-other-bytes": (b"\r\n junk %PDF-1.4" + bytes(50), "PDF"),
    "postscript": (b"%!PS-Adobe-3.0 EPSF-3.0\n", "PostScript"),
    "psd": (b"8BPS\0\1" + bytes(50), "PSD"),
    "zip": (zipped(), "ZIP"),
    "rar": (b"Rar!\x1a\7\0" + bytes(9), "archive"),
    "ico": (made.saved(IMAGE, "ICO"), "ICO"),
    "pnm": (made.saved(IMAGE, "PPM"), "PNM"),
    "dds": (b"DDS " + bytes(100), "DDS"),
    "qoi": (b"qoif" + bytes(20), "QOI"),
    "hdr": (b"#?RADIANCE\n", "Radiance HDR"),
    "exr": (b"\x76\x2f\x31\x01" + bytes(20), "OpenEXR"),
    "dicom": (bytes(128) + b"DICM" + bytes(9), "DICOM"),
    "mp4": (ftyp(b"isom", b"mp41"), "video"),
    "mov": (ftyp(b"qt  "), "video"),
    "mov-without-ftyp": (b"\0\0\0\x08wide\0\0\0\x08mdat" + bytes(20), "video"),
    "webm": (b"\x1a\x45\xdf\xa3" + bytes(40), "video"),
    "avi": (b"RIFF\x24\0\0\0AVI LIST", "video"),
    "wave": (b"RIFF\x24\0\0\0WAVEfmt ", "audio"),
    "base64-jpeg": (text_of("JPEG"), "base64 text"),
    "base64-png": (b"\n" + text_of("PNG"), "base64 text"),
    "base64-webp": (b'"' + text_of("WEBP") + b'"', "base64 text"),
    "data-url": (b"data:image/png;base64," + text_of("PNG"), "data URL"),
    "picture-read-as-text": (
        made.saved(IMAGE, "JPEG").decode("utf-8", "replace").encode(),
        "picture read as text",
    ),
    "png-read-as-text": (
        made.saved(IMAGE, "PNG").decode("utf-8", "replace").encode(),
        "picture read as text",
    ),
    "png-with-changed-line-ends": (
        made.saved(IMAGE, "PNG").replace(b"\r\n", b"\n"),
        "PNG with changed line ends",
    ),
    "zeros": (bytes(500), "zeros"),
    "apple-double": (b"\0\5\x16\7\0\2\0\0" + bytes(80), "AppleDouble"),
    "empty": (b"", "empty file"),
}
UNKNOWN = {
    "words": b"this is not a picture",
    "gif-of-no-version": b"GIF88a" + bytes(100),
    "base64-of-something-else": base64.b64encode(b"just some words, long enough"),
    "few-bytes": b"\xff\xd8",
    "riff-of-no-kind": b"RIFF\x24\0\0\0ABCD",
}


@pytest.mark.parametrize("name", FOREIGN)
def test_a_file_of_another_kind_is_named_with_the_next_step(name):
    data, kind = FOREIGN[name]
    assert kind_of(data) == kind
    with pytest.raises(ImageError, match=r"^The file is .+; .+") as refusal:
        probe(data, LIMITS)
    assert kind.split()[0].lower() in refusal.value.message.lower() or kind in (
        "URL",
        "AppleDouble",
    )


@pytest.mark.parametrize("name", UNKNOWN)
def test_a_file_of_an_unknown_kind_is_none_of_the_five(name):
    assert kind_of(UNKNOWN[name]) is None
    with pytest.raises(ImageError, match="is not a JPEG, PNG, BMP, WEBP or GIF picture"):
        probe(UNKNOWN[name], LIMITS)


@pytest.mark.parametrize("kind", sorted({kind for _, kind in FOREIGN.values()} | set(kinds.MAGIC)))
def test_each_kind_is_in_the_documentation(kind):
    page = (Path(__file__).parents[2] / "docs" / "formats.md").read_text(encoding="utf-8")
    assert kind in page.replace("\n", " ")


@pytest.mark.parametrize("kind", FIVE)
def test_a_picture_of_the_five_types_is_of_no_other_kind(kind):
    assert kind_of(made.saved(IMAGE, kind)) is None


def test_a_heic_is_named_whatever_its_name_says_and_told_how_to_get_a_jpeg():
    with pytest.raises(ImageError) as refusal:
        probe(FOREIGN["heic"][0], LIMITS)
    assert refusal.value.message.startswith("The file is a HEIC picture, as iPhones take them; ")
    assert "JPEG" in refusal.value.message
