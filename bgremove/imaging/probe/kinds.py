"""The kind of a file: one of the five picture types, or another that messages name.

The first bytes identify most kinds. A few kinds need up to `FIRST_BYTES` of the file.
"""

from __future__ import annotations

import base64
import binascii
import re

from bgremove.datatypes import ImageType
from bgremove.imaging.probe import tiff

FIRST_BYTES = 4096  # read by `kind_of`

ISO_BRANDS = {  # major or compatible brands of an ISO base media file
    "HEIC": (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"),
    "AVIF": (b"avif", b"avis"),
    "RAW": (b"crx ",),
    "JPEG 2000": (b"jp2 ", b"jpx ", b"jpm "),
    "JPEG XL": (b"jxl ",),
}
HEIF_BRANDS = (b"mif1", b"msf1", b"mif2", b"miaf")  # mark a picture without naming its codec
MOVIE_BOXES = frozenset({b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"})

MAGIC: dict[str, tuple[bytes, ...]] = {
    "JPEG XL": (b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n"),
    "JPEG 2000": (b"\0\0\0\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51"),
    "JPEG XR": (b"II\xbc\x01", b"II\xbc\x00"),
    "PSD": (b"8BPS",),
    "XCF": (b"gimp xcf",),
    "PDF": (b"%PDF-",),
    "PostScript": (b"%!PS", b"\xc5\xd0\xd3\xc6"),
    "OpenEXR": (b"\x76\x2f\x31\x01",),
    "Radiance HDR": (b"#?RADIANCE", b"#?RGBE"),
    "QOI": (b"qoif",),
    "DDS": (b"DDS ",),
    "ICNS": (b"icns",),
    "BPG": (b"BPG\xfb",),
    "FLIF": (b"FLIF",),
    "Sun raster": (b"\x59\xa6\x6a\x95",),
    "WMF": (b"\xd7\xcd\xc6\x9a",),
    "EMF": (b"\1\0\0\0\x6c\0\0\0", b"\1\0\0\0\x58\0\0\0"),
    "FITS": (b"SIMPLE  =",),
    "ZIP": (b"PK\3\4", b"PK\5\6"),
    "archive": (b"Rar!\x1a\7", b"7z\xbc\xaf\x27\x1c", b"\x1f\x8b\x08", b"BZh", b"\xfd7zXZ\0"),
    "video": (b"\x1a\x45\xdf\xa3", b"FLV\1", b"\0\0\1\xba", b"\0\0\1\xb3", b"OggS"),
    "audio": (b"ID3", b"fLaC", b"\xff\xfb\x90", b"\xff\xfb\x50"),
    "program": (b"MZ", b"\x7fELF", b"\xcf\xfa\xed\xfe"),
    "AppleDouble": (b"\0\5\x16\7",),
    # U+FFFD in UTF-8, the replacement for bytes that are not text.
    "picture read as text": (b"\xef\xbf\xbd\xef\xbf\xbd", b"\xef\xbf\xbdPNG"),
    "PNG with changed line ends": (b"\x89PNG\n\x1a\n", b"\x89PNG\r\r\n\x1a", b"\x89PNG\r\x1a\r"),
}
ICON = re.compile(rb"\0\0([\1\2])\0[\1-\xff]\0", re.DOTALL)  # reserved, type, number of pictures
PNM = re.compile(rb"P([1-7fF])[ \t\r\n]")
MARKUP = re.compile(rb"(?:\xef\xbb\xbf)?\s*<(?:[!?a-z])", re.IGNORECASE)
HTML = re.compile(rb"<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE)
DATA_URL = re.compile(rb"\s*[\"']?data:[a-z]+/[a-z0-9.+-]+[;,]", re.IGNORECASE)
ADDRESS = re.compile(rb"\s*[\"']?https?://", re.IGNORECASE)
JSON = re.compile(rb"\s*[\[{]\s*[\"\[{\]}]")
BASE64 = re.compile(rb"\s*[\"']?([A-Za-z0-9+/_-]{16,64})")


def type_of(data: bytes) -> ImageType | None:
    """Return the picture type of the first bytes; None if it is not one of the five."""
    if data.startswith(b"\xff\xd8\xff"):
        return ImageType.JPEG
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return ImageType.PNG
    if data.startswith((b"GIF87a", b"GIF89a")):
        return ImageType.GIF
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return ImageType.WEBP
    if data.startswith(b"BM"):
        return ImageType.BMP
    return None


def kind_of(first_bytes: bytes) -> str | None:
    """Name the kind of a file that is not one of the five picture types.

    Args:
        first_bytes: The start of the file, at least `FIRST_BYTES` of it or the whole file.

    Returns:
        A short name such as ``HEIC``, ``TIFF`` or ``video``; None for the five picture types and
        for unknown kinds.
    """
    start = first_bytes[:FIRST_BYTES]
    if type_of(start) is not None:
        return None
    if not start:
        return "empty file"
    for kind, beginnings in MAGIC.items():
        if start.startswith(beginnings):
            return kind
    return _container(start) or tiff.kind_of(start) or _old(start) or _text(start)


def _container(start: bytes) -> str | None:
    """Name an ISO base media or RIFF file by its declared content."""
    box = start[4:8]
    if box == b"ftyp":
        size = int.from_bytes(start[:4], "big")
        listed = start[8 : max(12, min(size, 512))]
        brands = [listed[at : at + 4] for at in (0, *range(8, len(listed), 4))]
        for kind, names in ISO_BRANDS.items():
            if any(brand in names for brand in brands):
                return kind
        return "HEIC" if brands[0] in HEIF_BRANDS else "video"
    if box in MOVIE_BOXES:
        return "video"
    if start.startswith(b"RIFF"):
        return {b"AVI ": "video", b"WAVE": "audio"}.get(start[8:12])
    return None


def _old(start: bytes) -> str | None:
    """Name an old format without a four-byte signature."""
    if icon := ICON.match(start):
        return "ICO" if icon[1] == b"\1" else "CUR"
    if PNM.match(start):
        return "PNM"
    if start[128:132] == b"DICM":
        return "DICOM"
    if not start.strip(b"\0"):
        return "zeros"
    return "PDF" if b"%PDF-" in start[:1024] else None


def _text(start: bytes) -> str | None:
    """Name markup, an address or a picture written as text."""
    if MARKUP.match(start):
        if b"<svg" in start.lower():
            return "SVG"
        return "HTML" if HTML.search(start) else "XML"
    for kind, pattern in (("data URL", DATA_URL), ("URL", ADDRESS), ("JSON", JSON)):
        if pattern.match(start):
            return kind
    if found := BASE64.match(start):
        text = found[1].translate(bytes.maketrans(b"-_", b"+/"))
        try:
            decoded = base64.b64decode(text[: len(text) // 4 * 4])
        except binascii.Error:
            return None
        if type_of(decoded) is not None and not decoded.startswith(b"BM"):
            return "base64 text"
    return None


_EXPORT = "export it as JPEG or PNG and send that"
_ADVICE = {  # kind to (its name in a sentence, the next step)
    "empty file": ("empty", "send the picture's bytes"),
    "HEIC": (
        "a HEIC picture, as iPhones take them",
        "send JPEG: share it from the phone as JPEG, or choose Settings > Camera > Formats > "
        "Most Compatible there",
    ),
    "AVIF": ("an AVIF picture", "save it as JPEG, PNG or WEBP and send that"),
    "RAW": ("a raw picture of a camera", _EXPORT),
    "TIFF": ("a TIFF picture", "save it as PNG or JPEG and send that"),
    "JPEG XL": ("a JPEG XL picture", "save it as JPEG or PNG and send that"),
    "JPEG 2000": ("a JPEG 2000 picture", "save it as JPEG or PNG and send that"),
    "ICO": ("an ICO icon", _EXPORT),
    "SVG": ("an SVG drawing", "export it as PNG and send that"),
    "PDF": ("a PDF document", "export its page as PNG or JPEG and send that"),
    "PSD": ("a PSD document of Photoshop", _EXPORT),
    "OpenEXR": ("an OpenEXR picture", _EXPORT),
    "ZIP": ("a ZIP archive", "unpack it and send one picture"),
    "archive": ("an archive", "unpack it and send one picture"),
    "video": ("a video", "send one picture of it, as JPEG or PNG"),
    "audio": ("an audio file", "send a picture"),
    "HTML": ("an HTML page, not a picture", "send the picture itself; a link may lead to a page"),
    "XML": ("an XML text, not a picture", "send the picture itself"),
    "JSON": ("a JSON text, not a picture", "send the picture's bytes as a file of the form"),
    "URL": ("an address, not a picture", "download it and send the picture itself"),
    "data URL": ("a data URL", "decode its base64 text and send the bytes"),
    "base64 text": ("a picture written as base64 text", "decode it and send the bytes"),
    "picture read as text": (
        "a picture that was read as text on its way, which destroys it",
        "read and send the file as bytes (binary mode)",
    ),
    "PNG with changed line ends": (
        "a PNG that was transferred as text, which changes its line ends",
        "transfer it in binary mode",
    ),
    "zeros": ("all zeros, as of a copy that was not finished", "copy or download it again"),
    "AppleDouble": ("a side file of macOS, not the picture", "send the file without `._`"),
    "program": ("a program, not a picture", "send a picture"),
}


def describe(data: bytes) -> str:
    """Return a sentence that names the kind of file and suggests an accepted format."""
    kind = kind_of(data)
    if kind is None:
        return "The file is not a JPEG, PNG, BMP, WEBP or GIF picture"
    article = "an" if kind in ("EMF", "ICNS", "XCF") else "a"
    named, step = _ADVICE.get(kind, (f"{article} {kind} picture", _EXPORT))
    return f"The file is {named}; {step}"
