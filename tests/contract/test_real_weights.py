"""A photograph through gunicorn and the real networks: the contract as its user meets it.

The astronaut is NASA's, in the public domain, from scikit-image.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage

from bgremove.datatypes import ImageU8
from tests.support.http import Answer, Server, file, form, gunicorn, post, text
from tests.support.tiny import encoded

SIDE = 512
FACE = (100, 225)  # row, column: inside the subject
CORNER = (20, 20)  # outside it


@pytest.fixture(scope="module")
def server(weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The deadline is wide, for machines that others use as well."""
    settings = {"BGREMOVE_WEIGHTS_DIR": str(weights), "BGREMOVE_TIMEOUT_S": "120"}
    with gunicorn(tmp_path_factory.mktemp("real"), settings) as server:
        yield server


@pytest.fixture(scope="module")
def photograph() -> bytes:
    path = Path(skimage.__file__).parent / "data" / "astronaut.png"
    return encoded(np.asarray(cv2.imread(str(path)), dtype=np.uint8), ".jpg")


def ask(server: Server, photograph: bytes, **fields: str) -> Answer:
    parts = [text(name, value) for name, value in fields.items()]
    answer = post(server.door, form(file("image", photograph), *parts))
    assert answer.status == 200, answer
    return answer


def decoded(answer: Answer) -> ImageU8:
    pixels = cv2.imdecode(np.frombuffer(answer.body, np.uint8), cv2.IMREAD_UNCHANGED)
    return np.asarray(pixels, dtype=np.uint8)


@pytest.mark.parametrize("subject", ["universal", "human", "product"])
def test_each_subject_finds_the_astronaut(server: Server, photograph: bytes, subject: str) -> None:
    answer = ask(server, photograph, subject=subject)
    subjects = server.door.send("GET", "/readyz").json()["subjects"]
    assert answer.headers["x-model"].split("+")[0] == subjects[subject].removesuffix(
        " (model-fallback)"
    )
    stands_in = subjects[subject].endswith("(model-fallback)")
    assert answer.headers.get("x-warnings") == ("model-fallback" if stands_in else None)
    pixels = decoded(answer)
    assert pixels.shape == (SIDE, SIDE, 4)
    assert pixels[FACE][3] > 250
    assert 0.2 < (pixels[..., 3] > 128).mean() < 0.8


def test_white_bg_is_pure_white_behind_her(server: Server, photograph: bytes) -> None:
    answer = ask(server, photograph, output_format="white_bg")
    assert answer.headers["content-type"] == "image/jpeg"
    pixels = decoded(answer)
    assert pixels.shape == (SIDE, SIDE, 3)
    assert pixels[CORNER].tolist() == [255, 255, 255]
    assert pixels[FACE].min() < 200


def test_mask_and_crop_agree_with_each_other(server: Server, photograph: bytes) -> None:
    mask = decoded(ask(server, photograph, output_format="mask"))
    assert set(np.unique(mask)) == {0, 255}
    assert (mask[FACE], mask[CORNER]) == (255, 0)
    answer = ask(server, photograph, output_format="crop")
    height, width = decoded(answer).shape[:2]
    assert (width, height) == (
        int(answer.headers["x-foreground-width"]),
        int(answer.headers["x-foreground-height"]),
    )
    _, _, wide, high = cv2.boundingRect(mask)
    assert abs(wide - width) <= 16
    assert abs(high - height) <= 16


def test_the_same_picture_gets_the_same_answer(server: Server, photograph: bytes) -> None:
    assert ask(server, photograph).body == ask(server, photograph).body
