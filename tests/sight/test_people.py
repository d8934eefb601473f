"""`subject=human` with real weights on public-domain photographs: people, and nobody else."""

import io
import logging
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from skimage import data

from bgremove.datatypes import DecodedImage, ImageU8, Removal
from bgremove.deadline import Deadline
from bgremove.engine import Engine, build_engine
from bgremove.errors import ModelUnavailableError, NoSubjectError
from bgremove.inference.manifest import load_manifest
from bgremove.inference.models import Manifest
from bgremove.inference.sessions import Sessions
from bgremove.options import Options, Subject
from bgremove.pipeline import remove_background
from bgremove.settings import Settings
from bgremove.sight.subject import look
from bgremove.stages import Stages
from tests.support import graphs

FLAG = (slice(20, 180), slice(0, 60))  # rows and columns of the astronaut's picture
PRIORS = ("selfie-segmentation", "face-detection", "object-detection")


@pytest.fixture(scope="module")
def engine(people_weights: Path) -> Iterator[Engine]:
    engine = build_engine(Settings(weights_dir=people_weights))
    yield engine
    engine.close()


@pytest.fixture
def folder(people_weights: Path, tmp_path: Path) -> Path:
    """Return a folder of its own with the real weights that this subject needs."""
    for path in [*people_weights.glob("u2net.*"), *people_weights.glob("*.tflite")]:
        (tmp_path / path.name).symlink_to(path)
    return tmp_path


def photograph(name: str) -> ImageU8:
    return np.asarray(cv2.cvtColor(getattr(data, name)(), cv2.COLOR_RGB2BGR), np.uint8)


def cut_out(engine: Engine, bgr: ImageU8, subject: Subject = Subject.HUMAN) -> Removal:
    picture = cv2.imencode(".png", bgr)[1].tobytes()
    return remove_background(picture, Options(subject), engine, Deadline.after(60))


def alpha_of(removal: Removal) -> ImageU8:
    return np.asarray(Image.open(io.BytesIO(removal.image.data)))[..., 3]


def test_the_astronaut_comes_without_the_flag_and_with_her_helmet(engine: Engine) -> None:
    removal = cut_out(engine, photograph("astronaut"))
    alpha = alpha_of(removal)
    assert alpha[FLAG].max() == 0
    assert alpha[100, 220] == 255  # her face
    assert alpha[460, 400] > 250  # the helmet under her arm
    assert removal.warnings == ()
    names = removal.model.split("+")
    assert names[0].removesuffix("-int8") == "u2net"
    assert tuple(names[-3:]) == PRIORS


def test_a_small_astronaut_beside_a_large_cup_is_the_person(engine: Engine) -> None:
    scene = np.full((600, 900, 3), (150, 160, 150), np.uint8)
    scene[100:500, 380:880] = cv2.resize(photograph("coffee"), (500, 400))
    scene[340:600, 40:300] = cv2.resize(photograph("astronaut"), (260, 260))
    alpha = alpha_of(cut_out(engine, scene))
    assert alpha[390, 152] == 255  # her face
    assert alpha[120:480, 420:860].mean() < 3  # the cup


@pytest.mark.parametrize("name", ["chelsea", "coffee", "rocket"])
def test_a_picture_of_something_else_has_no_person(engine: Engine, name: str) -> None:
    with pytest.raises(NoSubjectError) as caught:
        cut_out(engine, photograph(name))
    assert "No person" in caught.value.message
    assert "subject=universal" in caught.value.message
    assert tuple(caught.value.model.split("+")) == PRIORS
    assert alpha_of(cut_out(engine, photograph(name), Subject.UNIVERSAL)).max() == 255


def test_without_a_prior_the_default_model_stands_in_and_the_answer_says_so(folder: Path) -> None:
    (folder / "selfie_segmentation.tflite").unlink()
    engine = build_engine(Settings(weights_dir=folder))
    removal = cut_out(engine, photograph("astronaut"))
    engine.close()
    assert removal.model.removesuffix("-int8") == "u2net"
    assert removal.warnings == ("model-fallback",)


@pytest.mark.parametrize("damage", ["absent", "damaged"])
def test_strict_models_refuse_people_without_the_priors(folder: Path, damage: str) -> None:
    path = folder / "face_detection_full_range.tflite"
    size = path.stat().st_size
    path.unlink()
    if damage == "damaged":
        path.write_bytes(bytes(size))
    engine = build_engine(Settings(weights_dir=folder, strict_models=True))
    with pytest.raises(ModelUnavailableError):
        cut_out(engine, photograph("chelsea"))
    engine.close()


def test_a_damaged_prior_is_logged_and_done_without(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = folder / "face_detection_full_range.tflite"
    size = path.stat().st_size
    path.unlink()
    path.write_bytes(bytes(size))
    engine = build_engine(Settings(weights_dir=folder))
    removal = cut_out(engine, photograph("astronaut"))
    engine.close()
    assert removal.warnings == ("model-fallback",)
    (line,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert "SHA-256" in vars(line)["cause"]


def test_a_network_for_people_joins_the_vote_and_replaces_nothing(
    people_weights: Path, tmp_path: Path
) -> None:
    first = graphs.put(tmp_path, graphs.mean(), name="first", subjects=tuple(Subject))
    joining = graphs.model_of(graphs.mean(), name="joining", subjects=(), joins=(Subject.HUMAN,))
    priors = load_manifest(people_weights).priors
    for prior in priors:
        (tmp_path / prior.file).symlink_to(people_weights / prior.file)
    manifest = Manifest((first, joining), "first", priors)
    sessions = Sessions(manifest, tmp_path, max_sessions=2, threads=1)

    def models(subject: Subject) -> tuple[str, ...]:
        image = DecodedImage(photograph("astronaut"))
        return look(image, subject, sessions, Stages(Deadline.after(60))).models

    assert models(Subject.HUMAN) == ("first", *PRIORS)
    graphs.put(tmp_path, graphs.mean(), name="joining")
    assert models(Subject.HUMAN) == ("first", "joining", *PRIORS)
    assert models(Subject.UNIVERSAL) == ("first",)
