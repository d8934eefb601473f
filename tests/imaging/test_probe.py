"""Reading what a picture declares, without decoding it."""

from __future__ import annotations

import io
import struct
import time
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps, PngImagePlugin

from bgremove.datatypes import ImageType
from bgremove.errors import ImageError
from bgremove.imaging.probe import probe
from bgremove.imaging.probe.metadata import orientation_of
from tests.support import pictures as made

LIMITS = made.limits()
KINDS = [kind.value for kind in ImageType]

VALID = {
    "jpeg": made.saved(Image.fromarray(made.scene(40, 30)), "JPEG"),
    "jpeg-progressive": made.saved(Image.fromarray(made.scene(40, 30)), "JPEG", progressive=True),
    "jpeg-profile": made.saved(
        Image.fromarray(made.scene(40, 30)), "JPEG", icc_profile=made.gray_profile(2.2)
    ),
    "png": made.saved(Image.fromarray(made.scene(40, 30)), "PNG"),
    "png-text": made.png(8, 8, before=made.chunk(b"zTXt", b"a\0\0" + zlib.compress(b"text"))),
    "bmp": made.saved(Image.fromarray(made.scene(40, 30)), "BMP"),
    "webp": made.saved(Image.fromarray(made.scene(40, 30)), "WEBP"),
    "webp-lossless": made.saved(Image.fromarray(made.scene(40, 30)), "WEBP", lossless=True),
    "webp-extended": made.saved(Image.fromarray(made.scene(40, 30, 4)), "WEBP", exif=made.exif(6)),
    "gif": made.saved(Image.fromarray(made.scene(40, 30)), "GIF"),
    "gif-clears": made.gif((300, 300), (300, 300), made.lzw([4, 0, 1, 0] * 2, 3) * 20_000),
}


@given(st.binary(max_size=300))
def test_no_bytes_raise_anything_but_image_error(data):
    _probe_or_refuse(data)


@given(st.sampled_from(list(VALID)), st.data())
@settings(max_examples=400, deadline=None)
def test_no_mutation_raises_anything_but_image_error(name, draw):
    picture = bytearray(VALID[name])
    for _ in range(draw.draw(st.integers(1, 4))):
        at = draw.draw(st.integers(0, min(len(picture) - 1, 200)))
        picture[at : at + draw.draw(st.integers(0, 2))] = draw.draw(st.binary(max_size=4))
    _probe_or_refuse(bytes(picture[: draw.draw(st.integers(0, len(picture)))]))


def _probe_or_refuse(data: bytes) -> None:
    try:
        header = probe(data, LIMITS)
    except ImageError:
        return
    assert 1 <= header.width <= LIMITS.max_side
    assert 1 <= header.height <= LIMITS.max_side
    assert 1 <= header.orientation <= 8
    assert 1 <= header.frames <= LIMITS.max_frames


@given(
    st.sampled_from(KINDS),
    st.sampled_from(["1", "L", "RGB", "RGBA", "P"]),
    st.integers(1, 300),
    st.integers(1, 300),
)
@settings(deadline=None)
def test_size_is_the_one_pillow_wrote(kind, mode, width, height):
    if kind == "JPEG" and mode in ("RGBA", "P"):
        mode = "RGB"
    header = probe(made.saved(Image.new(mode, (width, height)), kind), LIMITS)
    assert (header.type, header.width, header.height) == (kind, width, height)
    assert header.frames == 1


@pytest.mark.parametrize("kind", ["PNG", "GIF", "WEBP"])
def test_frames_of_an_animation_are_counted(kind):
    frames = [Image.new("RGB", (9, 9), (60 * shade, 9, 9)) for shade in range(4)]
    options = {"save_all": True, "append_images": frames[1:], "duration": 50}
    assert probe(made.saved(frames[0], kind, **options), LIMITS).frames == 4


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_read(kind, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture = made.saved(Image.new("RGB", (3, 2)), kind, exif=exif)
    assert probe(picture, LIMITS).orientation == orientation


def test_orientation_in_text_of_imagemagick_is_read():
    digits = (b"Exif\0\0" + made.exif(6)).hex().encode()
    text = b"Raw profile type exif\0\0" + zlib.compress(b"\nexif\n      32\n" + digits + b"\n")
    assert probe(made.png(2, 2, before=made.chunk(b"zTXt", text)), LIMITS).orientation == 6


@pytest.mark.parametrize(
    "text",
    [
        made.chunk(b"zTXt", b"Raw profile type exif\0\0no zlib stream"),
        made.chunk(b"tEXt", b"Raw profile type exif\0\nexif\n 4\nno digits"),
        made.chunk(b"iTXt", b"a\0\1\0\0\0" + zlib.compress(b"words")),
        made.chunk(b"iTXt", b"a\0\0\0\0\0words"),
    ],
)
def test_text_that_is_damaged_or_says_nothing_changes_nothing(text):
    assert probe(made.png(2, 2, before=text), LIMITS).orientation == 1


@pytest.mark.parametrize(
    ("block", "orientation"),
    [
        (made.exif(6), 6),
        (b"Exif\0\0" + made.exif(8), 8),
        (b"II*\0\x08\0\0\0\1\0\x12\x01\3\0\1\0\0\0\5\0\0\0", 5),
        (b"MM\0*\0\0\0\x08\0\1\x01\x12\0\4\0\0\0\1\0\0\0\3", 3),  # a LONG
        (made.exif(0), 1),
        (made.exif(9), 1),
        (b"", 1),
        (b"MM\0*", 1),
        (b"XX\0*" + made.exif(6)[4:], 1),
        (made.exif(6)[:-6], 1),  # cut within the entry
        (b"MM\0*\xff\xff\xff\xff" + bytes(40), 1),  # a directory far outside
        (b"MM\0*\0\0\0\x08\xff\xff" + bytes(24), 1),  # more entries than there are bytes
    ],
)
def test_orientation_is_upright_where_exif_is_nonsense(block, orientation):
    assert orientation_of(block) == orientation


PROFILE = bytes(range(256)) * 40


@pytest.mark.parametrize("part", [100, 1_000, 20_000])
def test_profile_of_a_jpeg_is_joined_from_its_segments(part):
    picture = made.jpeg(8, 8, before=made.icc_segments(PROFILE, part))
    assert probe(picture, LIMITS).icc_profile == PROFILE


def test_segments_of_a_profile_may_come_in_any_order():
    first, second = (made.icc_segments(PROFILE, 6_000)[at : at + 6_018] for at in (0, 6_018))
    assert probe(made.jpeg(8, 8, before=second + first), LIMITS).icc_profile == PROFILE


@pytest.mark.parametrize(
    "segments",
    [
        made.icc_segments(PROFILE, 6_000)[:6_018],
        made.icc_segments(PROFILE) * 2,
        made.segment(0xE2, b"ICC_PROFILE\0\x02\x01abc"),
    ],
    ids=["one-missing", "one-twice", "number-beyond-count"],
)
def test_broken_rows_of_profile_segments_give_an_empty_profile(segments):
    assert probe(made.jpeg(8, 8, before=segments), LIMITS).icc_profile == b""


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_profile_of_png_and_webp_is_unpacked(kind):
    picture = made.saved(Image.new("RGB", (3, 2)), kind, icc_profile=PROFILE)
    assert probe(picture, LIMITS).icc_profile == PROFILE


def test_metadata_of_a_webp_counts_only_where_its_flags_announce_it():
    pieces = [(b"EXIF", made.exif(6)), (b"ICCP", PROFILE)]
    silent = probe(made.riff(made.vp8x(4, 4), *pieces), LIMITS)
    told = probe(made.riff(made.vp8x(4, 4, 0x28), *pieces), LIMITS)
    assert (silent.orientation, silent.icc_profile) == (1, None)
    assert (told.orientation, told.icc_profile) == (6, PROFILE)


@pytest.mark.parametrize(
    ("limit", "value", "picture", "sentence"),
    [
        (
            "max_upload_bytes",
            76,
            made.png(8, 8, packed=bytes(19)),
            "has 76 bytes, more than the limit of 75",
        ),
        ("max_pixels", 12, made.png(4, 3), "4 x 3 = 12 pixels, more than the limit of 11"),
        ("max_side", 4, made.png(4, 3), "4 x 3 pixels; the limit for a side is 3"),
        ("max_scans", 3, made.jpeg(8, 8, scans=3), "3 JPEG scans, more than the limit of 2"),
        ("max_text_chunks", 1, made.png(4, 4, before=made.chunk(b"tEXt", b"a\0b")), "of 0"),
        ("max_frames", 2, made.gif((1, 1), (1, 1), b"\x44\1", frames=2), "2 frames, more"),
    ],
)
def test_a_limit_is_let_in_and_one_more_refused_by_both_numbers(limit, value, picture, sentence):
    assert probe(picture, made.limits(**{limit: value})).width >= 1
    with pytest.raises(ImageError) as refusal:
        probe(picture, made.limits(**{limit: value - 1}))
    assert sentence in refusal.value.message
    assert refusal.value.details[0].field == "image"


@pytest.mark.parametrize(
    "picture",
    [
        b"\xff\xd8\xff",
        b"\xff\xd8\xff\xc0\0\x05ab",
        b"\xff\xd8" + made.segment(0xC0, b"\x08\0\1\0\1\3ab"),
        made.PNG_SIGNATURE,
        made.PNG_SIGNATURE + made.chunk(b"IDAT", bytes(30)),
        b"BM" + bytes(20),
        b"BM" + bytes(12) + struct.pack("<I", 40) + bytes(10),
        b"RIFF\0\0\0\0WEBPVP8X",
        b"RIFF\0\0\0\0WEBPALPH" + bytes(30),
        b"GIF89a\1\0",
        b"GIF89a\1\0\1\0\0\0\0\x3b",
        b"GIF89a\1\0\1\0\0\0\0\x99",
        b"GIF89a\1\0\1\0\0\0\0\x2c\0\0\0\0\1\0\1\0\0",
        made.png(0, 4),
        made.bmp(-4, 4, 24, b""),
    ],
)
def test_pictures_damaged_before_their_size_is_known_are_refused(picture):
    with pytest.raises(ImageError, match="damaged"):
        probe(picture, LIMITS)


def test_a_jpeg_s_walk_ends_at_bytes_without_markers_and_skips_a_second_start():
    assert probe(made.jpeg(8, 8)[:-2] + b"no marker", LIMITS).width == 8
    assert probe(made.jpeg(8, 8, before=b"\xff\xd8"), LIMITS).width == 8


@pytest.mark.parametrize(
    ("marker", "precision", "words"),
    [
        (0xC1, 12, "of 12 bits a sample"),
        (0xC2, 12, "of 12 bits a sample"),
        (0xC5, 8, "hierarchical"),
        (0xF7, 8, "JPEG-LS"),
    ],
)
def test_kinds_of_jpeg_that_no_decoder_here_reads_are_named(marker, precision, words):
    head = struct.pack(">BHHB", precision, 8, 8, 1) + b"\1\x11\0"
    with pytest.raises(ImageError, match=words):
        probe(b"\xff\xd8" + made.segment(marker, head), LIMITS)


def test_segments_of_length_zero_are_skipped_as_libjpeg_does():
    picture = made.jpeg(8, 8, before=b"\xff\xe0\0\0JF")
    assert probe(picture, LIMITS).width == 8


def test_scans_behind_the_end_of_the_image_do_not_count():
    thumbnails = made.jpeg(8, 8) * 150  # as cameras append previews
    assert probe(made.jpeg(8, 8) + thumbnails, LIMITS).width == 8


def test_a_bitmap_is_read_the_same_whichever_way_its_rows_run():
    down, up = (probe(made.bmp(4, rows, 24, bytes(48)), LIMITS) for rows in (-4, 4))
    assert down == up


def test_a_still_png_needs_no_more_than_its_animation_and_vice_versa():
    """The bound on memory lets in what 8 bits need at the limit of pixels."""
    side = 7071
    assert probe(made.png(side, side, 8, made.RGBA, packed=b""), LIMITS).width == side
    animated = made.chunk(b"acTL", struct.pack(">II", 2, 0))
    assert probe(made.png(side, side, 8, made.RGB, packed=b"", before=animated), LIMITS).frames == 2


def test_probing_takes_milliseconds():
    noise = np.random.default_rng(1).integers(0, 256, (600, 800, 3), np.uint8)
    picture = made.saved(Image.fromarray(noise), "JPEG", quality=95)
    start = time.process_time()
    for _ in range(20):
        probe(picture, LIMITS)
    assert time.process_time() - start < 1  # 20 took 6 ms


XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description %s/></x:xmpmeta>'


@pytest.mark.parametrize("written", [b'tiff:Orientation="6"', b"><tiff:Orientation>6</tiff"])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_an_orientation_that_only_xmp_names_counts_as_in_pillow(kind, written):
    image = Image.fromarray(made.scene(40, 30))
    packet = XMP % written
    if kind == "PNG":
        info = PngImagePlugin.PngInfo()
        info.add_itxt("XML:com.adobe.xmp", packet.decode())
        data = made.saved(image, kind, pnginfo=info)
    else:
        data = made.saved(image, kind, xmp=packet)
    assert probe(data, LIMITS).orientation == 6
    with Image.open(io.BytesIO(data)) as opened:
        assert ImageOps.exif_transpose(opened).size == (30, 40)


def test_exif_goes_before_xmp():
    exif = Image.Exif()
    exif[0x0112] = 3
    image = Image.fromarray(made.scene(40, 30))
    data = made.saved(image, "JPEG", exif=exif, xmp=XMP % b'tiff:Orientation="6"')
    assert probe(data, LIMITS).orientation == 3
