"""What is counted, asked through the whole application in one process."""

from __future__ import annotations

import dataclasses
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from bgremove import __version__, create_app
from bgremove.api.context import current
from bgremove.api.services import services_of
from bgremove.deadline import Deadline
from bgremove.serving.places import Places
from bgremove.settings import Settings
from harness.metrics import scraped
from tests.support.http import PATH, FlaskDoor, error_of, file, form, post, text
from tests.support.tiny import encoded

STAGE_COUNT = "bgremove_stage_duration_seconds_count"
STAGES = {"probe", "decode", "load", "preprocess", "inference", "matte", "foreground", "encode"}


@pytest.fixture
def door(settings: Settings) -> Iterator[FlaskDoor]:
    """Give an application of its own, so that every count begins at nothing."""
    app = create_app(settings)
    yield FlaskDoor(app)
    services_of(app).engine.close()


def test_a_success_is_counted_with_all_there_is_to_know(door: FlaskDoor, picture: bytes) -> None:
    body = form(file("image", picture), text("subject", "human"), text("output_format", "mask"))
    answer = post(door, body)
    found = scraped(door)
    assert found.of("requests_total", status="200", subject="human", format="mask") == 1
    assert found.of("key_requests_total", key="none", status="200") == 1
    assert found.of("model_requests_total", model="tiny") == 1
    assert found.of("warnings_total", code="model-fallback") == 1
    assert found.of("upload_bytes_total") == len(picture)
    assert found.of("answer_bytes_total") == len(answer.body)
    assert found.of("upload_megapixels_sum") == pytest.approx(96 * 64 / 1e6)
    assert found.of("confidence_ratio_count") == 1
    assert found.of("place_wait_seconds_count") == 1
    stages = {dict(has)["stage"] for name, has in found if name == STAGE_COUNT}
    assert stages == STAGES
    whole = found.of("request_duration_seconds_sum", status="200", subject="human")
    assert whole >= found.total("stage_duration_seconds_sum") > 0
    assert found.total("errors_total") == 0


def test_a_canvas_that_enlarges_is_counted(door: FlaskDoor, picture: bytes) -> None:
    fields = {"output_format": "white_bg", "canvas": "150x150", "margin": "8%"}
    body = form(file("image", picture), *[text(name, word) for name, word in fields.items()])
    assert post(door, body, Accept="image/webp").status == 200
    found = scraped(door)
    assert found.of("warnings_total", code="enlarged") == 1


def test_no_subject_is_an_error_that_still_names_its_model(door: FlaskDoor) -> None:
    post(door, form(file("image", encoded(np.zeros((64, 64, 3), np.uint8)))))
    found = scraped(door)
    assert found.of("errors_total", code="NO_SUBJECT_DETECTED") == 1
    assert found.of("requests_total", status="400", subject="universal", format="transparent") == 1
    assert found.of("model_requests_total", model="tiny") == 1
    assert found.of("upload_megapixels_count") == 0


def test_a_form_at_fault_has_no_subject_and_no_label_of_its_clients(door: FlaskDoor) -> None:
    forged = 'x"} 1\nforged 1'
    post(door, form(text("subject", forged), text("output_format", forged), text(forged, forged)))
    door.send("GET", "/forged")
    found = scraped(door)
    assert found.of("requests_total", status="400", subject="none", format="none") == 1
    assert found.of("errors_total", code="VALIDATION_ERROR") == 1
    assert found.of("errors_total", code="NOT_FOUND") == 1
    assert not any("forged" in value for _, labels in found for _, value in labels)


def test_only_removals_are_counted_as_removals(door: FlaskDoor) -> None:
    services_of(door.app).warm_up.run()
    for method in ("GET", "HEAD", "POST"):
        for path in ("/livez", "/readyz", "/metrics", "/version"):
            door.send(method, path)
    door.send("OPTIONS", PATH)
    error_of(door.send("GET", PATH), 405, "METHOD_NOT_ALLOWED")
    found = scraped(door)
    assert found.total("requests_total") == 0
    assert found.total("request_duration_seconds_count") == 0
    assert found.total("errors_total") == 2  # POST /version and GET on the path of removals


def test_requests_are_counted_by_the_id_of_their_key(door: FlaskDoor, picture: bytes) -> None:
    @door.app.before_request
    def know_the_key() -> None:
        current().notes["key"] = "shop"

    post(door, form(file("image", picture)))
    post(door, form())
    found = scraped(door)
    assert found.of("key_requests_total", key="shop", status="200") == 1
    assert found.of("key_requests_total", key="shop", status="400") == 1


def test_places_and_the_queue_are_shown_with_their_limits(settings: Settings) -> None:
    door = FlaskDoor(create_app(settings))
    places: Places = services_of(door.app).places
    with places.take(Deadline.after(10)):
        found = scraped(door)
        assert (found.of("places_in_use"), found.of("queue_length")) == (1, 0)
    assert found.of("places_limit") == settings.places
    assert found.of("queue_limit") == settings.queue
    assert found.of("deadline_seconds") == settings.timeout_s
    assert found.of("build_info", version=__version__) == 1
    assert scraped(door).of("places_in_use") == 0


def test_an_overload_is_counted(settings: Settings, picture: bytes) -> None:
    door = FlaskDoor(create_app(dataclasses.replace(settings, places=1, queue=0)))
    places: Places = services_of(door.app).places
    with places.take(Deadline.after(10)):
        error_of(post(door, form(file("image", picture))), 503, "OVERLOADED")
    found = scraped(door)
    assert found.of("errors_total", code="OVERLOADED") == 1
    assert found.of("requests_total", status="503", subject="universal", format="transparent") == 1
    assert found.of("place_wait_seconds_count") == 0


def test_readiness_models_and_what_computes_are_shown(door: FlaskDoor) -> None:
    before = scraped(door)
    assert (before.of("workers"), before.of("workers_ready")) == (1, 0)
    services_of(door.app).warm_up.run()
    found = scraped(door)
    assert found.of("workers_ready") == 1
    assert found.of("models_loaded", model="tiny") == 1
    for subject, model in (("universal", "tiny"), ("human", "tiny"), ("product", "tiny-product")):
        labels = {"subject": subject, "model": model, "precision": "float32", "provider": "cpu"}
        assert found.of("model_info", **labels) == 1


def test_a_model_that_took_anothers_place_is_the_only_one_at_1(
    door: FlaskDoor, settings: Settings
) -> None:
    warm_up = services_of(door.app).warm_up
    warm_up.run()
    model = Path(settings.weights_dir / "tiny-product.onnx")
    kept = model.read_bytes()
    model.unlink()
    try:
        warm_up.run()
    finally:
        model.write_bytes(kept)
    found = scraped(door)
    shown = {dict(labels)["model"]: value for (name, labels), value in found.items()
             if name == "bgremove_model_info" and ("subject", "product") in labels}  # fmt: skip
    assert shown == {"tiny-product": 0, "tiny": 1}


def test_a_decoder_that_is_gone_is_counted(door: FlaskDoor, picture: bytes) -> None:
    decoders = services_of(door.app).engine.decoders
    decoders.start()
    for process in decoders._idle:
        os.kill(process.pid, signal.SIGKILL)
        process._process.wait()
    assert post(door, form(file("image", picture))).status == 200
    found = scraped(door)
    assert found.of("decoder_endings_total", how="lost") >= 1
    assert found.of("decoder_endings_total", how="crash") == 0
