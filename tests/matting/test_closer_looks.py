"""The evidence for persons, their parts of a prior, and closer looks, on drawn maps."""

import numpy as np
import pytest

from bgremove.datatypes import ArrayF32, People
from bgremove.matting.closer_looks import (
    closer_look,
    explains,
    hidden_body,
    pasted,
    pixels,
    stand_out,
    unseen,
)
from bgremove.matting.people import EVIDENCE, evidence, person_mask

SIDE = 256
BODY = (50, 40, 200, 100)  # top, left, bottom, right, in cells


def boxes(*cells: tuple[int, int, int, int]) -> ArrayF32:
    return np.asarray(cells, np.float32).reshape(-1, 4) / np.float32(SIDE)


def people(
    bodies: ArrayF32 | None = None,
    faces: ArrayF32 | None = None,
    *,
    body: float = 0.5,
    face: float = 0.8,
) -> People:
    bodies = boxes() if bodies is None else bodies
    faces = boxes() if faces is None else faces
    scores = [
        np.full(len(found), score, np.float32) for found, score in ((bodies, body), (faces, face))
    ]
    return People(bodies, scores[0], faces, scores[1], body, face)


def drawn(*cells: tuple[int, int, int, int], value: float = 0.95) -> ArrayF32:
    share = np.zeros((SIDE, SIDE), np.float32)
    for top, left, bottom, right in cells:
        share[top:bottom, left:right] = value
    return share


def test_a_body_and_a_face_together_are_evidence_of_a_person() -> None:
    assert evidence(people(body=0.4, face=0.7)) > EVIDENCE
    assert evidence(people(body=0.15, face=0.9)) > EVIDENCE  # a portrait
    assert evidence(people(body=0.1, face=0.1)) < EVIDENCE
    assert evidence(people(body=0.6, face=0.05)) < EVIDENCE
    assert np.isfinite(evidence(people(body=0.0, face=1.0)))


def test_only_a_likely_body_earns_a_closer_look() -> None:
    assert hidden_body(people(boxes(BODY), body=0.3)) is None
    assert hidden_body(people(body=0.6)) is None
    box = hidden_body(people(boxes(BODY), body=0.6))
    assert box is not None
    assert np.allclose(box * SIDE, (35, 34, 215, 106))


def test_the_part_with_a_face_is_the_person_and_the_thing_beside_is_none() -> None:
    thing = (100, 120, 220, 250)
    prior = drawn(BODY, thing)
    mask = person_mask(prior, prior, people(faces=boxes((55, 55, 75, 85))))
    assert mask[100, 70] == 1
    assert mask[150, 200] == 0


def test_two_prominent_persons_are_kept_and_a_passer_by_is_not() -> None:
    second, passer_by = (60, 120, 200, 170), (60, 220, 90, 232)
    found = boxes(BODY, second, passer_by)
    mask = person_mask(drawn(BODY, second, passer_by), drawn(BODY, second), people(found))
    assert mask[100, 70] == mask[100, 140] == 1
    assert mask[70, 226] == 0


def test_without_any_box_the_salient_part_counts() -> None:
    prior = drawn(BODY, (60, 150, 110, 180))
    mask = person_mask(prior, drawn(BODY), people())
    assert mask[100, 70] == 1
    assert mask[80, 165] == 0


@pytest.mark.parametrize("prior", [drawn(), drawn((10, 10, 15, 15)), drawn(BODY, value=0.4)])
def test_where_the_prior_sees_nobody_the_mask_is_empty(prior: ArrayF32) -> None:
    assert not person_mask(prior, drawn(BODY), people(boxes(BODY))).any()


def test_a_small_person_earns_a_closer_look_and_a_large_one_does_not() -> None:
    small, large = drawn(BODY).astype(np.uint8), drawn((10, 30, 250, 220)).astype(np.uint8)
    small[50:200, 40:100] = large[10:250, 30:220] = 1
    box = closer_look(small, people(boxes(BODY)))
    assert box is not None
    assert (box[:2] * SIDE <= (50, 40)).all()
    assert (box[2:] * SIDE >= (200, 100)).all()
    assert closer_look(large, people()) is None
    assert closer_look(np.zeros((SIDE, SIDE), np.uint8), people()) is None


def test_a_body_that_the_prior_saw_in_part_widens_the_look() -> None:
    upper = np.zeros((SIDE, SIDE), np.uint8)
    upper[50:120, 40:100] = 1
    box = closer_look(upper, people(boxes(BODY)))
    assert box is not None
    assert box[2] * SIDE >= 200


def test_a_body_is_looked_at_where_nobody_is_seen_at_all() -> None:
    """A small person whom the prior misses."""
    nobody = np.zeros((SIDE, SIDE), np.uint8)
    assert np.allclose(unseen(nobody, drawn(), people(boxes(BODY))), boxes(BODY))
    assert unseen(nobody, drawn(), people()) == []


def test_persons_stand_out_by_their_own_saliency() -> None:
    persons = (drawn(BODY) > 0).astype(np.uint8)
    assert stand_out(persons, np.maximum(drawn(BODY), drawn((0, 0, 20, SIDE))))
    assert not stand_out(persons, drawn((50, 40, 90, 100), (100, 120, 200, 180)))
    assert not stand_out(np.zeros_like(persons), drawn(BODY))


def test_a_body_that_stands_out_and_is_nobody_yet_is_unseen() -> None:
    other = (60, 150, 200, 200)
    persons = drawn(BODY).astype(np.uint8)
    persons[50:200, 40:100] = 1
    found = people(boxes(BODY, other))
    assert np.allclose(unseen(persons, drawn(BODY, other), found), boxes(other))
    assert unseen(persons, drawn(BODY), found) == []  # the other does not stand out


def test_a_face_without_a_person_stands_for_its_body() -> None:
    (body,) = unseen(
        np.zeros((SIDE, SIDE), np.uint8), drawn(BODY), people(faces=boxes((60, 60, 80, 80)))
    )
    assert body[0] * SIDE < 60
    assert body[2] * SIDE > 180
    assert (body[1] + body[3]) / 2 * SIDE == pytest.approx(70)


def test_a_look_that_finds_somebody_else_explains_nothing() -> None:
    persons = drawn((60, 150, 200, 200), value=1).astype(np.uint8)
    body = boxes(BODY)[0]
    assert not explains(persons, drawn(BODY), body)
    assert explains(drawn(BODY, value=1).astype(np.uint8), drawn(BODY), body)


def test_a_closer_look_may_only_add() -> None:
    box = boxes((64, 32, 128, 96))[0]
    nothing = np.zeros((SIDE, SIDE), np.float32)
    assert np.array_equal(pasted(drawn(BODY), nothing, box, adds=True), drawn(BODY))


def test_a_closer_look_replaces_its_box_only() -> None:
    box = boxes((64, 32, 128, 96))[0]
    result = pasted(drawn(value=0.0), np.ones((SIDE, SIDE), np.float32), box)
    assert result[64:128, 32:96].min() == 1
    assert result.sum() == 64 * 64


@pytest.mark.parametrize(
    "box", [(0, 0, 0, 0), (1, 1, 1, 1), (-0.2, -0.2, 1.4, 1.4), (0.5, 0.5, 0.5, 0.5)]
)
def test_a_box_covers_at_least_a_pixel_of_the_picture(box: tuple[float, ...]) -> None:
    rows, columns = pixels(np.asarray(box, np.float32), (7, 3))
    assert np.zeros((3, 7))[rows, columns].size > 0
