"""Whatever is uploaded gets a picture or a reason: the corpus through the whole application."""

from __future__ import annotations

import csv
import time

import pytest

from tests.support import pictures as made
from tests.support.http import FlaskDoor, file, form, post

CORPUS = made.SHARED / "corpus"
DEADLINE_S = 20.0
ROWS: list[dict[str, str]] = []
if CORPUS.is_dir():
    with (CORPUS / "manifest.tsv").open(encoding="utf-8", newline="") as manifest:
        ROWS = list(csv.DictReader(manifest, delimiter="\t", quoting=csv.QUOTE_NONE))

# End of path to the reason why the limits of the contract give 400 where the manifest has 200.
OVER_LIMITS = {
    "images__16384x16384.png": "declares 268 megapixels; the limit is 50",
    "4f68150cf9450d404a9930909aea2bcdb5562070-2": "63,498 pixels high; the limit is 16,383",
}


@pytest.mark.skipif(not ROWS, reason="no ../shared/corpus here")
def test_every_file_gets_a_picture_or_an_envelope_that_says_why(flask_door: FlaskDoor) -> None:
    wrong = []
    for row in ROWS:
        data = (CORPUS / row["path"]).read_bytes()
        started = time.monotonic()
        answer = post(flask_door, form(file("image", data)))
        took_s = time.monotonic() - started
        code = None if answer.status == 200 else answer.json()["error"]["code"]
        readable = answer.status == 200 or code == "NO_SUBJECT_DETECTED"
        refused = answer.status == 400 and code == "VALIDATION_ERROR"
        limited = any(row["path"].endswith(name) for name in OVER_LIMITS)
        expects = row["expected_status"] == "200" and not limited
        if took_s > DEADLINE_S or not (readable if expects else refused):
            wrong.append((row["path"], row["expected_status"], answer.status, code, took_s))
    assert wrong == []
