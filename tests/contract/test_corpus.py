"""Whatever is uploaded gets a picture or a reason: the corpus through the whole application."""

from __future__ import annotations

import pytest

from tests.support import corpus
from tests.support.http import FlaskDoor, file, form, post


@pytest.mark.skipif(not corpus.ROWS, reason="no ../shared/corpus here")
def test_every_file_gets_a_picture_or_an_envelope_that_says_why(flask_door: FlaskDoor) -> None:
    wrong = []
    for row in corpus.ROWS:
        data = (corpus.CORPUS / row["path"]).read_bytes()
        answer = post(flask_door, form(file("image", data)))
        code = None if answer.status == 200 else answer.json()["error"]["code"]
        readable = answer.status == 200 or code == "NO_SUBJECT_DETECTED"
        refused = answer.status == 400 and code == "VALIDATION_ERROR"
        expected = corpus.expected_status(row)
        if not (readable if expected == 200 else refused):
            wrong.append((row["path"], expected, answer.status, code))
    assert wrong == []
