"""The alphas of three public-domain photographs, as they were approved: compared by error.

`make golden` approves what the pipeline gives now, after somebody has looked at it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from skimage import data

from bgremove.datatypes import ImageU8
from bgremove.deadline import Deadline
from bgremove.engine import Engine, build_engine
from bgremove.options import Options, Subject
from bgremove.pipeline import remove_background
from bgremove.settings import Settings

FOLDER = Path(__file__).parent
PICTURES = {"astronaut": Subject.HUMAN, "chelsea": Subject.UNIVERSAL, "coffee": Subject.PRODUCT}
WIDTH = 160  # pixels: enough to see a limb move, small enough to keep in the tree
MAX_MEAN_ERROR = 0.006  # of alpha; int8 and float32 differ by 0.002 on average


@pytest.fixture(scope="module")
def engine(weights: Path) -> Iterator[Engine]:
    engine = build_engine(Settings(weights_dir=weights))
    yield engine
    engine.close()


def small_alpha(engine: Engine, name: str) -> ImageU8:
    """Return the alpha of a picture's cut-out, uint8, WIDTH pixels wide."""
    bgr = cv2.cvtColor(getattr(data, name)(), cv2.COLOR_RGB2BGR)
    picture = cv2.imencode(".png", bgr)[1].tobytes()
    answer = remove_background(
        picture, Options(PICTURES[name]), engine, Deadline.after(60)
    ).image.data
    alpha = cv2.imdecode(np.frombuffer(answer, np.uint8), cv2.IMREAD_UNCHANGED)[..., 3]
    height = round(alpha.shape[0] * WIDTH / alpha.shape[1])
    return np.asarray(cv2.resize(alpha, (WIDTH, height), interpolation=cv2.INTER_AREA), np.uint8)


@pytest.mark.parametrize("name", PICTURES)
def test_the_matte_is_the_approved_one(engine: Engine, name: str) -> None:
    if not any(
        path.name.startswith("isnet") for path in engine.sessions.weights_dir.glob("*.onnx")
    ):
        pytest.skip("no IS-Net weights here; the approved mattes were made with them")
    path = FOLDER / f"{name}.png"
    alpha = small_alpha(engine, name)
    if os.environ.get("APPROVE_GOLDEN"):
        cv2.imwrite(str(path), alpha)
    approved = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    assert approved is not None, "`make golden` approves it"
    error = np.abs(alpha.astype(np.float32) - approved).mean() / 255
    assert error <= MAX_MEAN_ERROR
