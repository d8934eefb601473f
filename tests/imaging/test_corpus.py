"""Every file of the shared corpus gets the answer, and the pixels, that it must."""

from __future__ import annotations

import csv
import warnings
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image, ImageOps, UnidentifiedImageError

from bgremove.datatypes import DecodedImage
from bgremove.deadline import Deadline
from bgremove.errors import ImageError
from bgremove.imaging.decoder_pool import DecoderPool
from bgremove.imaging.probe import probe
from tests.support import pictures as made

CORPUS = made.SHARED / "corpus"
pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason="no ../shared/corpus here")

LIMITS = made.limits()
ROWS: list[dict[str, str]] = []
if CORPUS.is_dir():
    with (CORPUS / "manifest.tsv").open(encoding="utf-8", newline="") as manifest:
        ROWS = list(csv.DictReader(manifest, delimiter="\t", quoting=csv.QUOTE_NONE))

# End of path to the reason why the manifest's 200 is not what the default limits give.
OVER_LIMITS = {"images__16384x16384.png": "declares 268 megapixels; the limit is 50"}
if LIMITS.max_side < 63_498:
    OVER_LIMITS["4f68150cf9450d404a9930909aea2bcdb5562070-2"] = "10 x 63,498 pixels"

# End of path to the reason why Pillow's pixels are not the right ones.
PILLOW_DIFFERS = {
    "002150__src__002147__op__flip1__pos__260.bmp": "uses a colour that its palette lacks",
    "artificial-gif__background-color.gif": "around the frame Pillow shows colour 0, the file asks"
    " for its background colour",
    "000336__src__000111__op__flip1__pos__8.gif": "the same",
}


@pytest.fixture(scope="module")
def pool() -> Iterator[DecoderPool]:
    with DecoderPool(LIMITS, size=1) as pool:
        yield pool


def read(row: dict[str, str], pool: DecoderPool) -> DecodedImage:
    data = (CORPUS / row["path"]).read_bytes()
    return pool.decode(data, probe(data, LIMITS), Deadline.after(20))


def excepted(path: str, names: dict[str, str]) -> bool:
    return any(path.endswith(name) for name in names)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["path"][-60:])
def test_status_and_pixels(row, pool):
    if row["expected_status"] == "400" or excepted(row["path"], OVER_LIMITS):
        with pytest.raises(ImageError):
            read(row, pool)
        return
    image = read(row, pool)
    reference = by_pillow(row["path"])
    if reference is None or excepted(row["path"], PILLOW_DIFFERS):
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
            with Image.open(CORPUS / path) as image:
                return np.asarray(ImageOps.exif_transpose(image).convert("RGBA")).astype(int)
        except (UnidentifiedImageError, OSError):
            return None


def test_pillow_can_check_nearly_all():
    """The comparison above is no empty one: 11 files are beyond Pillow."""
    good = [row for row in ROWS if row["expected_status"] == "200"]
    good = [row for row in good if not excepted(row["path"], OVER_LIMITS)]
    unread = [row["path"] for row in good if by_pillow(row["path"]) is None]
    assert len(unread) <= len(good) // 10


def test_every_exception_is_of_a_file_that_is_there():
    for name in OVER_LIMITS | PILLOW_DIFFERS:
        assert any(row["path"].endswith(name) for row in ROWS), name
