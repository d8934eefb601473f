"""The priors of people: their boxes, and their real weights on public-domain photographs."""

import hashlib
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from skimage import data

from bgremove.datatypes import ImageU8, People
from bgremove.deadline import Deadline
from bgremove.errors import DeadlineExceededError, ModelUnavailableError
from bgremove.inference.manifest import load_manifest
from bgremove.inference.people import (
    MOST,
    PeopleFinder,
    body_anchors,
    body_boxes,
    distinct,
    face_anchors,
    face_boxes,
)


def deadline() -> Deadline:
    return Deadline.after(60)


def picture(name: str) -> ImageU8:
    pixels = np.asarray(getattr(data, name)(), np.uint8)
    code = cv2.COLOR_GRAY2BGR if pixels.ndim == 2 else cv2.COLOR_RGB2BGR
    return np.asarray(cv2.cvtColor(pixels, code), np.uint8)


@pytest.fixture(scope="module")
def finder(people_weights: Path) -> PeopleFinder:
    return PeopleFinder(load_manifest(people_weights).priors, people_weights)


def test_the_astronauts_face_and_body_are_found_where_they_are(finder: PeopleFinder) -> None:
    people = finder.find(picture("astronaut"), deadline())
    assert people.face == pytest.approx(people.face_scores[0], abs=1e-6)
    assert people.face > 0.8
    assert people.body > 0.4
    top, left, bottom, right = people.faces[0] * 512
    assert top < 100 < bottom
    assert left < 220 < right
    assert bottom - top < 200


@pytest.mark.parametrize("name", ["chelsea", "coffee", "rocket"])
def test_there_is_nobody_in_pictures_of_other_things(finder: PeopleFinder, name: str) -> None:
    people = finder.find(picture(name), deadline())
    assert max(people.body, people.face) < 0.3


def test_the_mask_is_the_astronaut_and_not_the_flag(finder: PeopleFinder) -> None:
    mask = finder.mask(picture("astronaut"), deadline())
    assert mask.shape == (256, 256)
    assert mask.dtype == np.float32
    assert 0 <= mask.min() <= mask.max() <= 1
    assert mask[50, 110] > 0.9  # her face
    assert mask[30:120, 5:30].max() < 0.1  # the flag


@pytest.mark.parametrize("size", [(1, 1), (1, 700), (900, 2)])
def test_a_picture_of_any_shape_is_looked_at(finder: PeopleFinder, size: tuple[int, int]) -> None:
    bgr = np.full((*size, 3), 120, np.uint8)
    assert finder.mask(bgr, deadline()).shape == (256, 256)
    assert np.isfinite(finder.find(bgr, deadline()).body)


def test_threads_share_the_networks(finder: PeopleFinder) -> None:
    pictures = [picture(name) for name in ("astronaut", "chelsea", "coffee", "camera")] * 4

    def look(bgr: ImageU8) -> People:
        return finder.find(bgr, deadline())

    alone = [look(bgr) for bgr in pictures]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(look, pictures))
    for one, other in zip(alone, together, strict=True):
        assert (one.body, one.face) == (other.body, other.face)
        assert np.array_equal(one.bodies, other.bodies)


def test_no_turn_in_time_passes_the_deadline(finder: PeopleFinder) -> None:
    with finder._turn, pytest.raises(DeadlineExceededError):
        finder.mask(picture("chelsea"), Deadline.after(0.01))


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda path: path.write_bytes(bytes(path.stat().st_size)), "SHA-256"),
        (lambda path: path.write_bytes(b"short"), "5 bytes"),
        (lambda path: path.unlink(), "No such file"),
    ],
)
def test_weights_that_are_not_the_manifests_do_not_run(
    people_weights: Path, tmp_path: Path, damage: object, reason: str
) -> None:
    priors = load_manifest(people_weights).priors
    for prior in priors:
        shutil.copy(people_weights / prior.file, tmp_path)
    (masked,) = [prior for prior in priors if prior.role == "mask"]
    damage(tmp_path / masked.file)  # type: ignore[operator]
    broken = PeopleFinder(priors, tmp_path)
    with pytest.raises(ModelUnavailableError) as caught:
        broken.mask(picture("chelsea"), deadline())
    assert reason in caught.value.reason


def test_a_file_that_hashes_right_but_is_no_network_is_unavailable(tmp_path: Path) -> None:
    path = tmp_path / "nothing.tflite"
    path.write_bytes(b"no network")
    sha256 = hashlib.sha256(b"no network").hexdigest()
    (masked,) = [p for p in load_manifest(tmp_path).priors if p.role == "mask"]
    prior = replace(masked, file=path.name, sha256=sha256, bytes=10)
    with pytest.raises(ModelUnavailableError) as caught:
        PeopleFinder([prior], tmp_path).mask(picture("chelsea"), deadline())
    assert "does not load" in caught.value.reason


def test_the_anchors_are_as_many_as_the_networks_give_boxes() -> None:
    assert body_anchors().shape == (1917, 4)
    assert face_anchors().shape == (2304, 2)


def test_an_output_of_zeros_is_the_anchor_itself() -> None:
    anchors = body_anchors()
    boxes = body_boxes(np.zeros((len(anchors), 4), np.float32), anchors)
    assert np.allclose((boxes[:, :2] + boxes[:, 2:]) / 2, anchors[:, :2], atol=1e-6)
    assert np.allclose(boxes[:, 2:] - boxes[:, :2], anchors[:, 2:], atol=1e-6)


def test_a_body_is_moved_and_grown_in_parts_of_its_anchor() -> None:
    anchor = np.array([[0.5, 0.5, 0.2, 0.4]], np.float32)
    raw = np.array([[5, -5, 5 * np.log(2), 0]], np.float32)
    assert np.allclose(body_boxes(raw, anchor), [[0.4, 0.1, 0.8, 0.5]], atol=1e-6)


def test_a_face_is_given_in_pixels_from_its_anchor() -> None:
    raw = np.zeros((1, 16), np.float32)
    raw[0, :4] = 19.2, -19.2, 38.4, 19.2  # x, y, width, height
    centre = np.array([[0.5, 0.5]], np.float32)
    assert np.allclose(face_boxes(raw, centre), [[0.35, 0.5, 0.45, 0.7]], atol=1e-6)


def test_of_boxes_on_one_another_the_best_stays() -> None:
    boxes = np.array([[0, 0, 0.5, 0.5], [0, 0.02, 0.5, 0.5], [0.6, 0.6, 0.9, 0.9]], np.float32)
    kept, scores = distinct(boxes, np.array([0.5, 0.9, 0.3], np.float32), 0.2)
    assert np.allclose(kept, boxes[[1, 2]])
    assert scores.tolist() == pytest.approx([0.9, 0.3])


def test_a_low_score_is_no_box_and_there_may_be_none() -> None:
    boxes = np.array([[0, 0, 0.5, 0.5]], np.float32)
    kept, scores = distinct(boxes, np.array([0.1], np.float32), 0.2)
    assert kept.shape == (0, 4)
    assert scores.shape == (0,)


def test_the_number_of_boxes_is_bounded() -> None:
    corners = np.linspace(0, 0.9, 100, dtype=np.float32)
    boxes = np.stack([corners, corners, corners + 0.005, corners + 0.005], axis=1)
    kept, _ = distinct(boxes, np.full(100, 0.5, np.float32), 0.2)
    assert len(kept) == MOST
