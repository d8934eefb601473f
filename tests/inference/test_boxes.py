"""Boxes from the raw outputs of the detectors, on numbers whose answer can be computed."""

import numpy as np
import pytest

from bgremove.inference.boxes import (
    MOST,
    body_anchors,
    body_boxes,
    distinct,
    face_anchors,
    face_boxes,
)


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
