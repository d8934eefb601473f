"""Keys: who is let in, who is not and why, and what is looked at first."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, Response, request

from bgremove import create_app
from bgremove.api.auth import KEY_HEADERS
from bgremove.api.services import services_of
from bgremove.deadline import Deadline
from bgremove.errors import SettingsError
from bgremove.keys import edit
from bgremove.keys.watched import LOOK_EVERY_S
from bgremove.serving.places import Places
from bgremove.settings import Settings
from tests.api.conftest import captured_log
from tests.support.http import PATH, FlaskDoor, error_of, file, form, post

SECRET = "0b6b2f2e-7d0e-11f0-8de9-0242ac120002"
UNKNOWN = "bgr_" + "A" * 43
NO_KEY = "An API key is required; send it as X-Api-Key, X-RapidAPI-Key or Authorization: Bearer"
REVOKED = "The API key is unknown or has been revoked"
BEARER = 'Bearer realm="bgremove"'
INVALID = 'Bearer realm="bgremove", error="invalid_token"'


@dataclasses.dataclass
class Guarded:
    """An application with keys, two of them known."""

    door: FlaskDoor
    path: Path
    key: str
    other: str
    id: str


@pytest.fixture(scope="module")
def closing() -> Iterator[list[Flask]]:
    apps: list[Flask] = []
    yield apps
    for app in apps:
        services_of(app).engine.decoders.close()


Make = Callable[..., FlaskDoor]


@pytest.fixture(scope="module")
def make(settings: Settings, closing: list[Flask]) -> Make:
    """Give what makes an application with these settings changed."""

    def made(**changes: Any) -> FlaskDoor:
        closing.append(create_app(dataclasses.replace(settings, **changes)))
        return FlaskDoor(closing[-1])

    return made


@pytest.fixture(scope="module")
def guarded(make: Make, tmp_path_factory: pytest.TempPathFactory) -> Guarded:
    path = tmp_path_factory.mktemp("keys") / "keys.txt"
    key, line = edit.add(path, "a")
    other, _ = edit.add(path, "b")
    return Guarded(make(api_keys_file=str(path)), path, key, other, line.id)


@pytest.fixture(scope="module")
def gateway(make: Make) -> FlaskDoor:
    return make(rapidapi_proxy_secret=SECRET)


def refused(door: FlaskDoor, message: str, challenge: str = INVALID, **headers: str) -> None:
    answer = post(door, b"unread", **headers)
    error = error_of(answer, 401, "UNAUTHORIZED")
    assert error == {"code": "UNAUTHORIZED", "message": message, "details": []}
    assert answer.headers["www-authenticate"] == challenge


def let_in(door: FlaskDoor, **headers: str) -> None:
    error_of(post(door, form(), **headers), 400, "VALIDATION_ERROR")


def test_without_keys_configured_every_header_is_ignored(door: FlaskDoor) -> None:
    let_in(door)
    let_in(door, X_RapidAPI_Key="YOUR_API_KEY", X_Api_Key="other", X_RapidAPI_Proxy_Secret="x")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X-RapidAPI-Key", "{}"),
        ("X-Api-Key", "{}"),
        ("x-api-key", "  {} "),
        ("Authorization", "Bearer {}"),
        ("Authorization", "bearer   {}"),
    ],
)
def test_a_key_is_taken_from_each_header(guarded: Guarded, name: str, value: str) -> None:
    let_in(guarded.door, **{name: value.format(guarded.key)})
    refused(guarded.door, REVOKED, **{name: value.format(UNKNOWN)})


def test_a_picture_comes_back_for_a_key(guarded: Guarded, picture: bytes) -> None:
    body = form(file("image", picture))
    assert post(guarded.door, body, X_Api_Key=guarded.key).status == 200
    assert post(guarded.door, body).status == 401


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Api-Key": ""},
        {"X-Api-Key": "  "},
        {"Authorization": ""},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer  "},
        {"Authorization": "Basic dXNlcjpwYXNz"},
        {"X-RapidAPI-Proxy-Secret": SECRET},
        {"Cookie": "key=1"},
    ],
)
def test_no_key_is_told_how_to_send_one(guarded: Guarded, headers: dict[str, str]) -> None:
    refused(guarded.door, NO_KEY, BEARER, **headers)


@pytest.mark.parametrize(
    "key",
    [
        "x",
        UNKNOWN,
        "\xff\xfe",
        "clé",
        "'; DROP TABLE keys; --",
        "a" * 8_000,
        "\x1b[2J",
    ],
)
@pytest.mark.parametrize("header", [*KEY_HEADERS, "Authorization"])
def test_a_strange_key_is_an_unknown_one(guarded: Guarded, header: str, key: str) -> None:
    value = f"Bearer {key}" if header == "Authorization" else key
    with captured_log() as log_lines:
        refused(guarded.door, REVOKED, **{header: value})
    assert [line["level"] for line in log_lines()] == ["INFO"]


def test_nearly_the_key_is_not_the_key(guarded: Guarded) -> None:
    for near in (guarded.key[:-1], guarded.key + "x", guarded.key.upper(), guarded.key + "\xa0x"):
        refused(guarded.door, REVOKED, X_Api_Key=near)


def test_its_hash_is_not_the_key(guarded: Guarded) -> None:
    digest = guarded.path.read_text().rpartition("sha256:")[2][:64]
    refused(guarded.door, REVOKED, X_Api_Key=digest)


def test_one_key_in_several_headers_is_one_key(guarded: Guarded) -> None:
    key = guarded.key
    let_in(guarded.door, X_Api_Key=key, X_RapidAPI_Key=key, Authorization=f"Bearer {key}")
    let_in(guarded.door, X_Api_Key=key, X_RapidAPI_Key="", Authorization="Basic eDp5")


def test_headers_that_disagree_are_refused_even_where_one_is_right(guarded: Guarded) -> None:
    said = "X-RapidAPI-Key and X-Api-Key carry different API keys; send one"
    refused(guarded.door, said, X_Api_Key=guarded.key, X_RapidAPI_Key=UNKNOWN)
    refused(guarded.door, said, X_Api_Key=guarded.key, X_RapidAPI_Key=guarded.other)
    said = "X-Api-Key and Authorization carry different API keys; send one"
    refused(guarded.door, said, X_Api_Key=guarded.key, Authorization="Bearer x")


@pytest.mark.parametrize("header", [*KEY_HEADERS, "Authorization"])
def test_a_header_that_comes_twice_is_refused(guarded: Guarded, header: str) -> None:
    value = f"Bearer {guarded.key}" if header == "Authorization" else guarded.key
    headers = [(header, value), (header, value)]
    response = guarded.door.app.test_client().post(PATH, headers=headers)
    assert response.status_code == 401
    message = response.get_json()["error"]["message"]
    assert message == f"{header} has several values; send one API key"


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/version"])
def test_health_needs_no_key(guarded: Guarded, path: str) -> None:
    services_of(guarded.door.app).warm_up.run()
    assert guarded.door.send("GET", path).status == 200


def test_every_path_of_the_api_needs_a_key(guarded: Guarded) -> None:
    """Whatever is added under /v1 later as well."""
    rules = [r for r in guarded.door.app.url_map.iter_rules() if r.rule.startswith("/v1/")]
    assert rules
    for rule in rules:
        for method in (rule.methods or set()) - {"OPTIONS"}:
            assert guarded.door.send(method, rule.rule).status == 401


def test_other_methods_and_paths_are_answered_as_ever(guarded: Guarded) -> None:
    error_of(guarded.door.send("GET", PATH), 405, "METHOD_NOT_ALLOWED")
    error_of(guarded.door.send("POST", "/v1/other"), 404, "NOT_FOUND")
    options = guarded.door.send("OPTIONS", PATH)
    assert (options.status, options.body) == (200, b"")


def test_the_key_is_looked_at_before_the_body_and_the_places(
    settings: Settings, guarded: Guarded, closing: list[Flask]
) -> None:
    app = create_app(
        dataclasses.replace(settings, api_keys_file=str(guarded.path), places=1, queue=0)
    )
    closing.append(app)
    parsed = []

    @app.after_request
    def note(response: Response) -> Response:
        parsed.append("stream" in vars(request))
        return response

    places: Places = services_of(app).places
    with places.take(Deadline.after(10)):
        refused(FlaskDoor(app), NO_KEY, BEARER)
        let_in(FlaskDoor(app), X_Api_Key=guarded.key)
    assert parsed == [False, True]


def test_the_log_names_the_key_by_its_id_and_shows_none(guarded: Guarded) -> None:
    path = f"/{guarded.key}"
    with captured_log() as log_lines:
        let_in(guarded.door, X_Api_Key=guarded.key)
        refused(guarded.door, REVOKED, Authorization=f"Bearer {UNKNOWN}")
        guarded.door.send("GET", path)
        lines = log_lines()
    assert [line.get("key") for line in lines] == [guarded.id, None, None]
    assert [line["code"] for line in lines][1] == "UNAUTHORIZED"
    assert lines[2]["path"] == "/bgr_(a key)"
    for secret in (guarded.key, UNKNOWN):
        assert secret not in str(lines)


def test_a_key_revoked_is_refused_a_second_later(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "keys.txt"
    key, _ = edit.add(path, "a")
    door = make(api_keys_file=str(path))
    source: Any = services_of(door.app).admission.keys
    now = source._clock()
    monkeypatch.setattr(source, "_clock", lambda: now)
    let_in(door, X_Api_Key=key)
    edit.revoke(path, "a")
    new, _ = edit.add(path, "b")
    let_in(door, X_Api_Key=key)
    now += 2 * LOOK_EVERY_S
    refused(door, REVOKED, X_Api_Key=key)
    let_in(door, X_Api_Key=new)


def test_a_broken_file_lets_nobody_else_in_and_readyz_says_so(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "keys.txt"
    key, _ = edit.add(path, "a")
    door = make(api_keys_file=str(path))
    services_of(door.app).warm_up.run()
    assert door.send("GET", "/readyz").json()["keys"] == "in force"
    source: Any = services_of(door.app).admission.keys
    path.write_text("# fine\nnot a key\n")
    now = source._clock() + 2 * LOOK_EVERY_S
    monkeypatch.setattr(source, "_clock", lambda: now)
    refused(door, REVOKED, X_Api_Key=UNKNOWN)
    refused(door, NO_KEY, BEARER)
    let_in(door, X_Api_Key=key)
    answer = door.send("GET", "/readyz")
    assert answer.status == 200
    assert answer.json()["keys"] == (
        "last good ones in force: line 2: 3 parts, not 4: id, date, hash, label"
    )
    assert str(path) not in answer.body.decode()


def test_a_broken_file_stops_the_start(settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "keys.txt"
    path.write_text("# fine\nnot a key\n")
    with pytest.raises(SettingsError, match=r"keys\.txt: line 2: 3 parts, not 4"):
        create_app(dataclasses.replace(settings, api_keys_file=str(path)))


def test_an_empty_ring_lets_nobody_in(make: Make, tmp_path: Path) -> None:
    path = tmp_path / "keys.txt"
    path.write_text("# nobody yet\n")
    door = make(api_keys_file=str(path))
    refused(door, NO_KEY, BEARER)
    refused(door, REVOKED, X_Api_Key=UNKNOWN)


def test_the_gateways_secret_lets_in_whatever_key_its_client_has(gateway: FlaskDoor) -> None:
    with captured_log() as log_lines:
        let_in(gateway, X_RapidAPI_Proxy_Secret=SECRET, X_RapidAPI_Key="of the client's own")
    assert [line["key"] for line in log_lines()] == ["rapidapi"]


@pytest.mark.parametrize("headers", [{}, {"X-RapidAPI-Key": "x"}, {"X-RapidAPI-Proxy-Secret": " "}])
def test_past_the_gateway_nobody_gets_in(gateway: FlaskDoor, headers: dict[str, str]) -> None:
    said = "This server answers its gateway only, which sends X-RapidAPI-Proxy-Secret"
    refused(gateway, said, 'RapidAPI realm="bgremove"', **headers)


@pytest.mark.parametrize(
    "secret", ["x", SECRET[:-1], SECRET + "x", SECRET.upper(), "é", "a" * 8000]
)
def test_a_wrong_secret_is_refused_and_not_logged(gateway: FlaskDoor, secret: str) -> None:
    said = "X-RapidAPI-Proxy-Secret is not the one that this server knows"
    with captured_log() as log_lines:
        refused(gateway, said, X_RapidAPI_Proxy_Secret=secret)
    assert [line["code"] for line in log_lines()] == ["UNAUTHORIZED"]
    assert SECRET[:-1] not in str(log_lines())


def test_with_both_the_secret_decides_where_it_is_sent_and_else_the_key(
    make: Make, guarded: Guarded
) -> None:
    door = make(api_keys_file=str(guarded.path), rapidapi_proxy_secret=SECRET)
    let_in(door, X_RapidAPI_Proxy_Secret=SECRET)
    let_in(door, X_RapidAPI_Proxy_Secret=SECRET, X_RapidAPI_Key="of the client's own")
    let_in(door, X_Api_Key=guarded.key)
    refused(door, NO_KEY, BEARER)
    refused(door, REVOKED, X_Api_Key=UNKNOWN)
    refused(door, REVOKED, X_Api_Key=SECRET)
    said = "X-RapidAPI-Proxy-Secret is not the one that this server knows"
    refused(door, said, X_RapidAPI_Proxy_Secret="x", X_Api_Key=guarded.key)
    refused(door, said, X_RapidAPI_Proxy_Secret=guarded.key)
