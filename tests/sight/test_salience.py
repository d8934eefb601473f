"""One network looks at a picture; others look too, as the effort and its confidence say."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from bgremove.datatypes import DecodedImage, Effort
from bgremove.deadline import Deadline
from bgremove.inference.models import Manifest
from bgremove.inference.sessions import Sessions
from bgremove.options import Subject
from bgremove.sight.salience import ASK_BELOW, FINE_SIDE, Sight, salient
from bgremove.stages import Stages
from tests.support import graphs

FINE = 2 * graphs.SIZE


@pytest.fixture
def sessions(tmp_path: Path) -> Sessions:
    """Two networks whose map is the brightness of the picture; the second has two sizes."""
    first = graphs.put(tmp_path, graphs.mean(), name="first", second_opinion="second")
    second = graphs.put(
        tmp_path,
        graphs.mean_of_any_size(),
        name="second",
        second_opinion="first",
        size=graphs.SIZE + 16,
        fine_size=FINE,
    )
    manifest = Manifest((first, second), "first")
    return Sessions(manifest, tmp_path, max_sessions=2, threads=1)


def seen(
    sessions: Sessions, bgr: np.ndarray, subject: Subject = Subject.UNIVERSAL, name: str = "first"
) -> Sight:
    model = sessions.manifest.model(name)
    return salient(DecodedImage(bgr), subject, model, sessions, Stages(Deadline.after(20)))


def disc(level: int, side: int = 64) -> np.ndarray:
    """Draw a disc of some brightness on black."""
    bgr = np.zeros((side, side, 3), np.uint8)
    cv2.circle(bgr, (side // 2, side // 2), side // 4, (level, level, level), thickness=-1)
    return bgr


def cross(side: int = 256) -> np.ndarray:
    """Draw a white cross on black: certain and far from solid."""
    bgr = np.zeros((side, side, 3), np.uint8)
    bgr[side // 8 : -side // 8, 7 * side // 16 : 9 * side // 16] = 255
    return np.maximum(bgr, bgr.transpose(1, 0, 2))


SURE, UNSURE, EMPTY = cross(), disc(140), np.zeros((64, 64, 3), np.uint8)


def test_a_network_that_is_sure_looks_alone(sessions: Sessions) -> None:
    sight = seen(sessions, SURE)
    assert sight.models == ("first",)
    assert sight.has_subject
    assert sight.certainty > ASK_BELOW
    assert sight.agreement is None


def test_a_faint_second_thing_is_seen_twice(sessions: Sessions) -> None:
    bgr = disc(255, 256)
    bgr[96:160, :40] = 15  # a doubt of 0.06, which leaves the certainty at 0.9
    sight = seen(sessions, bgr)
    assert sight.models == ("first", "second")


def test_a_subject_with_the_colours_of_its_ground_is_seen_twice(
    sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bgremove.matting.things.SHARED", 0.0)
    assert seen(sessions, SURE).models == ("first", "second")
    assert seen(sessions, SURE, Subject.HUMAN).models == ("first",)


def test_one_that_is_unsure_is_joined_by_the_second(sessions: Sessions) -> None:
    sight = seen(sessions, UNSURE)
    assert sight.models == ("first", "second")
    assert sight.has_subject
    assert sight.saliency.shape == (graphs.SIZE + 16, graphs.SIZE + 16)
    assert sight.agreement is not None
    assert sight.agreement > 0.9  # both see the same disc


def test_nothing_is_seen_only_where_both_see_nothing(sessions: Sessions) -> None:
    sight = seen(sessions, disc(20))
    assert sight.models == ("first", "second")
    assert not sight.has_subject


def test_a_subject_that_the_first_is_sure_of_stays_where_the_second_sees_nothing(
    sessions: Sessions,
) -> None:
    nothing = graphs.nothing_of_any_size()
    second = graphs.put(sessions.weights_dir, nothing, name="second", size=graphs.SIZE + 16)
    sessions.manifest = Manifest((sessions.manifest.model("first"), second), "first")
    bgr = disc(255, 256)
    bgr[96:160, :40] = 15
    sight = seen(sessions, bgr)
    assert sight.models == ("first", "second")
    assert sight.has_subject
    assert not seen(sessions, disc(80)).has_subject


def test_fast_runs_one_network_however_unsure(sessions: Sessions) -> None:
    sessions.effort = Effort.FAST
    assert seen(sessions, UNSURE).models == ("first",)
    assert not seen(sessions, EMPTY).has_subject
    product = seen(sessions, UNSURE, Subject.PRODUCT, "second")
    assert product.models == ("first",)


def test_best_asks_every_network_at_every_size(sessions: Sessions) -> None:
    sessions.effort = Effort.BEST
    sight = seen(sessions, SURE)
    assert sight.models == ("first", "second")  # each name once
    assert sight.saliency.shape == (FINE, FINE)


def test_a_product_is_seen_at_the_fine_size_and_coarsely(sessions: Sessions) -> None:
    sight = seen(sessions, SURE, Subject.PRODUCT, "second")
    assert sight.models == ("second", "first")
    assert sight.saliency.shape == (FINE, FINE)


def test_the_map_of_a_large_product_is_that_of_the_fine_network(sessions: Sessions) -> None:
    large = cross(FINE_SIDE + 24)
    sight = seen(sessions, large, Subject.PRODUCT, "second")
    shown = cv2.resize(large, (FINE, FINE), interpolation=cv2.INTER_AREA)[..., 0] / 255
    np.testing.assert_allclose(sight.saliency, shown, atol=0.02)


def test_without_the_second_the_first_decides_alone(sessions: Sessions) -> None:
    (sessions.weights_dir / "second.onnx").unlink()
    assert seen(sessions, UNSURE).models == ("first",)
    assert not seen(sessions, disc(20)).has_subject


def test_a_second_that_does_not_load_leaves_the_first_alone_with_a_warning(
    sessions: Sessions,
) -> None:
    path = sessions.weights_dir / "second.onnx"
    path.write_bytes(bytes(path.stat().st_size))
    sight = seen(sessions, UNSURE)
    assert sight.models == ("first",)
    assert sight.warnings == ("second-opinion-failed",)


def test_one_session_serves_both_sizes(sessions: Sessions) -> None:
    sessions.effort = Effort.BEST
    seen(sessions, SURE)
    assert sessions.loaded() == ("first", "second")


def test_a_model_without_a_fine_size_is_its_own_fine_form(sessions: Sessions) -> None:
    first = sessions.manifest.model("first")
    assert first.fine == first
    second = sessions.manifest.model("second")
    assert second.fine == replace(second, size=FINE)
