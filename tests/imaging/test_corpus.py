"""Every file of the shared corpus gets the answer, and the pixels, that it must."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image, ImageOps, UnidentifiedImageError

from bgremove.datatypes import DecodedImage
from bgremove.deadline import Deadline
from bgremove.errors import ImageError
from bgremove.imaging.decoder.pool import DecoderPool
from bgremove.imaging.probe import probe
from tests.support import corpus
from tests.support import pictures as made

pytestmark = pytest.mark.skipif(not corpus.ROWS, reason="no ../shared/corpus here")

LIMITS = made.limits()

# End of path to the reason why Pillow's pixels are not the right ones.
PILLOW_DIFFERS = {
    "002150__src__002147__op__flip1__pos__260.bmp": "uses a colour that its palette lacks",
}
PILLOW_DIFFERS |= dict.fromkeys(
    (
        "000726__src__000291__op__arith8__pos__22__val__-29.bmp",
        "002151__src__002149__op__havoc__rep__4.bmp",
        "002155__src__002154__op__havoc__rep__8.bmp",
    ),
    "Pillow draws pixels that go past the end of their row into the next",
)
AROUND_THE_FRAME = "browsers show nothing around the frame of a GIF, Pillow its colour 0"
PILLOW_DIFFERS |= dict.fromkeys(
    (
        "001807__src__001003__001801__op__splice__rep__8.gif",
        "000336__src__000111__op__flip1__pos__8.gif",
        "000664__src__000372__000641__op__splice__rep__1.gif",
        "000669__src__000127__op__arith8__pos__40__val__-30.gif",
        "000700__src__000136__op__flip2__pos__40.gif",
        "001525__src__000134__001494__op__splice__rep__16.gif",
        "001767__src__000180__001636__op__splice__rep__2.gif",
        "artificial-gif__background-color.gif",
        "artificial-gif__metadata-empty.gif",
        "artificial-gif__small-frame-interlaced.gif",
    ),
    AROUND_THE_FRAME,
)
PILLOW_DIFFERS["001143__src__000682__op__arith8__pos__38__val__-3.gif"] = (
    "Pillow widens the canvas for a frame that reaches beyond it"
)


@pytest.fixture(scope="module")
def pool() -> Iterator[DecoderPool]:
    with DecoderPool(LIMITS, size=1) as pool:
        yield pool


def read(row: dict[str, str], pool: DecoderPool) -> DecodedImage:
    data = (corpus.CORPUS / row["path"]).read_bytes()
    return pool.decode(data, probe(data, LIMITS), Deadline.after(20))


@pytest.mark.parametrize("row", corpus.ROWS, ids=lambda row: row["path"][-60:])
def test_status_and_pixels(row, pool):
    if corpus.expected_status(row) == 400:
        with pytest.raises(ImageError):
            read(row, pool)
        return
    image = read(row, pool)
    reference = by_pillow(row["path"])
    if reference is None or corpus.matches(row["path"], PILLOW_DIFFERS):
        return
    alpha = np.full(image.bgr.shape[:2], 255) if image.alpha is None else image.alpha * 255
    assert image.bgr.shape[:2] == reference.shape[:2]
    assert np.abs(alpha - reference[:, :, 3]).max() <= 2
    seen = reference[:, :, 3] > 0
    assert np.abs(image.bgr[:, :, ::-1] - reference[:, :, :3])[seen].max(initial=0) <= 8


def by_pillow(path: str) -> np.ndarray | None:
    """Return what Pillow makes of the first frame, None where it cannot read the file."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with Image.open(corpus.CORPUS / path) as image:
                return np.asarray(ImageOps.exif_transpose(image).convert("RGBA")).astype(int)
        except (UnidentifiedImageError, OSError):
            return None


def test_pillow_can_check_nearly_all():
    """The comparison above is no empty one: 11 files are beyond Pillow."""
    good = [row for row in corpus.ROWS if corpus.expected_status(row) == 200]
    unread = [row["path"] for row in good if by_pillow(row["path"]) is None]
    assert len(unread) <= len(good) // 10


def test_every_exception_is_of_a_file_that_is_there():
    for name in corpus.OVER_LIMITS | corpus.READABLE | PILLOW_DIFFERS:
        assert any(row["path"].endswith(name) for row in corpus.ROWS), name
