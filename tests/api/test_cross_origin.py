"""Cross-origin requests: off by default; where set, preflights, answers and errors say so."""

import dataclasses
from collections.abc import Iterator

import pytest

from bgremove import create_app
from bgremove.api.cross_origin import EXPOSED
from bgremove.api.services import services_of
from bgremove.errors import SettingsError
from bgremove.settings import Settings
from tests.support.http import PATH, FlaskDoor, file, form, post

SHOP, OTHER = "https://shop.example", "https://other.example"
ALLOW = "access-control-allow-origin"
PREFLIGHT = {
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "x-api-key",
}


@pytest.fixture(scope="module")
def shared(settings: Settings) -> Iterator[FlaskDoor]:
    app = create_app(dataclasses.replace(settings, cors_origins=f"{SHOP}, http://localhost:3000"))
    yield FlaskDoor(app)
    services_of(app).engine.decoders.close()


def test_it_is_off_by_default(door: FlaskDoor, picture: bytes) -> None:
    preflight = door.send("OPTIONS", PATH, headers={"Origin": SHOP} | PREFLIGHT)
    answer = post(door, form(file("image", picture)), Origin=SHOP)
    for headers in (preflight.headers, answer.headers):
        assert not [name for name in headers if name.startswith("access-control-")]


@pytest.mark.parametrize("origin", [SHOP, "http://localhost:3000"])
def test_a_preflight_names_methods_and_the_key(shared: FlaskDoor, origin: str) -> None:
    answer = shared.send("OPTIONS", PATH, headers={"Origin": origin} | PREFLIGHT)
    assert answer.status == 200
    assert answer.headers[ALLOW] == origin
    assert "POST" in answer.headers["access-control-allow-methods"]
    assert answer.headers["access-control-allow-headers"].lower() == "x-api-key"
    assert answer.headers["access-control-max-age"] == "600"


def test_an_answer_can_be_read_with_its_headers(shared: FlaskDoor, picture: bytes) -> None:
    answer = post(shared, form(file("image", picture)), Origin=SHOP)
    assert answer.status == 200
    assert answer.headers[ALLOW] == SHOP
    exposed = set(answer.headers["access-control-expose-headers"].split(", "))
    assert exposed == set(EXPOSED)
    ours = {name for name in answer.headers if name.startswith("x-")}
    assert ours - {"x-content-type-options"} <= {name.lower() for name in exposed}
    plain = shared.app.test_client().post(PATH, headers={"Origin": SHOP})
    assert "Origin" in plain.headers.getlist("Vary")


def test_errors_can_be_read_too(shared: FlaskDoor) -> None:
    for answer in (
        post(shared, form(), Origin=SHOP),
        shared.send("GET", "/nothing", headers={"Origin": SHOP}),
        shared.send("GET", PATH, headers={"Origin": SHOP}),
    ):
        assert answer.status in (400, 404, 405)
        assert answer.headers[ALLOW] == SHOP


def test_other_origins_stay_out(shared: FlaskDoor, picture: bytes) -> None:
    for origin in (OTHER, "https://shop.example.evil.example", "null", "http://shop.example"):
        answer = post(shared, form(file("image", picture)), Origin=origin)
        assert ALLOW not in answer.headers


def test_a_preflight_needs_no_key(settings: Settings) -> None:
    app = create_app(
        dataclasses.replace(settings, cors_origins="*", rapidapi_proxy_secret="s" * 32)
    )
    door = FlaskDoor(app)
    assert door.send("OPTIONS", PATH, headers={"Origin": OTHER} | PREFLIGHT).headers[ALLOW] == "*"
    refused = post(door, form(), Origin=OTHER)
    assert (refused.status, refused.headers[ALLOW]) == (401, "*")
    services_of(app).engine.decoders.close()


@pytest.mark.parametrize("origins", ["shop.example", "https://shop.example/", "https://", "a,b"])
def test_what_is_no_origin_is_a_fault_of_the_settings(origins: str) -> None:
    with pytest.raises(SettingsError, match=r"BGREMOVE_CORS_ORIGINS.*is not an origin"):
        Settings.from_env({"BGREMOVE_CORS_ORIGINS": origins})
