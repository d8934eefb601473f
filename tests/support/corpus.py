"""The shared corpus of unusual, damaged and foreign files, with the expected status of each."""

from __future__ import annotations

import csv

from tests.support import pictures as made

CORPUS = made.SHARED / "corpus"
ROWS: list[dict[str, str]] = []
if CORPUS.is_dir():
    with (CORPUS / "manifest.tsv").open(encoding="utf-8", newline="") as manifest:
        ROWS = list(csv.DictReader(manifest, delimiter="\t", quoting=csv.QUOTE_NONE))

# Files refused by the default limits although the manifest has 200: end of path to reason.
OVER_LIMITS = {
    "images__16384x16384.png": "declares 268 megapixels; the limit is 52",
    "4f68150cf9450d404a9930909aea2bcdb5562070-2": "63,498 pixels high; the limit is 16,383",
}

_LATER_DAMAGE = "the first frame is whole, and only what follows it is damaged"
# Files answered with 200 although the manifest has 400, for OpenCV: end of path to reason.
READABLE = {
    "001807__src__001003__001801__op__splice__rep__8.gif": _LATER_DAMAGE,
    "54e146a881236ad0565bf6d0515ee70ae88c24e2-2": _LATER_DAMAGE,
    "000626__src__000624__op__havoc__rep__2.gif": _LATER_DAMAGE,
    "000664__src__000372__000641__op__splice__rep__1.gif": _LATER_DAMAGE,
    "000669__src__000127__op__arith8__pos__40__val__-30.gif": _LATER_DAMAGE,
    "000700__src__000136__op__flip2__pos__40.gif": _LATER_DAMAGE,
    "001143__src__000682__op__arith8__pos__38__val__-3.gif": _LATER_DAMAGE,
    "001525__src__000134__001494__op__splice__rep__16.gif": _LATER_DAMAGE,
    "001767__src__000180__001636__op__splice__rep__2.gif": _LATER_DAMAGE,
    "000726__src__000291__op__arith8__pos__22__val__-29.bmp": "runs past the end of their row",
    "002151__src__002149__op__havoc__rep__4.bmp": "runs past the end of their row",
    "002155__src__002154__op__havoc__rep__8.bmp": "runs past the end of their row",
    "4930d001f211f78029c9deace8bb8671e27a5397-4": "all rows stand in front of where it is cut",
    "background_outside_palette.gif": "the background colour is unused",
}


def matches(path: str, names: dict[str, str]) -> bool:
    """Return whether the path ends with one of the names."""
    return any(path.endswith(name) for name in names)


def expected_status(row: dict[str, str]) -> int:
    """Return the expected status of a file under the default limits."""
    if matches(row["path"], OVER_LIMITS):
        return 400
    return 200 if matches(row["path"], READABLE) else int(row["expected_status"])
