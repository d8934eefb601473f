from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from bgremove import create_app
from bgremove.api.pages import FOLDER, LINKS, TYPES, release
from bgremove.api.services import services_of
from bgremove.settings import Settings
from tests.support.http import PATH, ROOT, Answer, FlaskDoor, error_of
from tests.support.tiny import tiny_weights

FILES = sorted(path for path in FOLDER.iterdir() if path.is_file())
ASSETS = [path.name for path in FILES if path.suffix in TYPES]
LINKED = re.compile(r'(?:href|src)="([^"#]+)"')
ELSEWHERE = re.compile(r"(?:https?:)?//[\w-]+\.[\w.-]+")
NAMESPACE = "http://www.w3.org/2000/svg"  # a name, which nobody fetches
EXAMPLE = "http://127.0.0.1:8000"  # the server in the examples of /docs
INLINE = re.compile(
    r"<style|<script(?![^>]*\ssrc=)|\sstyle=|\son[a-z]+=|javascript:", re.IGNORECASE
)
MARKUP = re.compile(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function")


@pytest.fixture(scope="module")
def page(door: FlaskDoor) -> Answer:
    answer = door.send("GET", "/")
    assert answer.status == 200
    return answer


def address(name: str) -> str:
    return f"/pages/{release().hash}/{name}"


@pytest.fixture
def without_pages(tmp_path: Path) -> Iterator[FlaskDoor]:
    app = create_app(Settings(weights_dir=tiny_weights(tmp_path), pages=False))
    yield FlaskDoor(app)
    services_of(app).engine.close()


def test_the_page_is_told_the_limits_of_this_server(tmp_path: Path) -> None:
    settings = Settings(weights_dir=tiny_weights(tmp_path), max_upload_bytes=4321, timeout_s=7)
    app = create_app(settings)
    text = FlaskDoor(app).send("GET", "/").body.decode()
    services_of(app).engine.close()
    assert 'data-max-upload-bytes="4321"' in text
    assert 'data-timeout-s="7"' in text
    assert f'data-endpoint="{PATH[1:]}"' in text


@pytest.mark.parametrize("address_of", ["/", *map(address, ASSETS)])
def test_every_answer_is_hardened(door: FlaskDoor, address_of: str) -> None:
    answer = door.send("GET", address_of)
    assert answer.status == 200
    policy = dict(
        rule.partition(" ")[::2] for rule in answer.headers["content-security-policy"].split("; ")
    )
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert policy["img-src"] == "'self' blob:"
    assert policy["form-action"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'"
    assert "unsafe" not in str(policy)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize("name", ASSETS)
def test_a_file_has_its_type_and_is_kept_for_good(door: FlaskDoor, name: str) -> None:
    answer = door.send("GET", address(name))
    kind = answer.headers["content-type"].partition("; charset=utf-8")[0]
    assert kind == TYPES[Path(name).suffix]
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.body == (FOLDER / name).read_bytes()


@pytest.mark.parametrize("address_of", ["/", address("main.js")])
def test_what_a_browser_has_is_not_sent_again(door: FlaskDoor, address_of: str) -> None:
    tag = door.send("GET", address_of).headers["etag"]
    again = door.send("GET", address_of, headers={"If-None-Match": tag})
    assert (again.status, again.body) == (304, b"")
    assert again.headers["content-security-policy"]
    assert door.send("GET", address_of, headers={"If-None-Match": '"x"'}).status == 200


def test_the_page_itself_is_asked_for_each_time(page: Answer) -> None:
    assert page.headers["cache-control"] == "no-cache"
    assert page.headers["content-type"] == "text/html; charset=utf-8"


def test_all_that_the_page_links_to_is_there(door: FlaskDoor, page: Answer) -> None:
    links = LINKED.findall(page.body.decode())
    assert {Path(link).name for link in links} >= {"main.js", "icon.svg", "base.css"}
    for link in links:
        assert door.send("GET", f"/{link.removeprefix('./')}").status == 200, link


@pytest.mark.parametrize("here", ["/", "/docs"])
def test_the_pages_link_to_each_other_and_say_where_one_is(door: FlaskDoor, here: str) -> None:
    text = door.send("GET", here).body.decode()
    for path, name in LINKS.items():
        mark = ' aria-current="page"' if path == here else ""
        assert f'<a href=".{path}"{mark}>{name}</a>' in text


@pytest.mark.parametrize(
    "missing",
    [
        "/pages/",
        "/pages/0123456789abcdef/main.js",
        address("index.html"),
        address("nothing.js"),
        address("../api/pages.py"),
        address("..%2fapi%2fpages.py"),
        address("%2fetc%2fpasswd"),
    ],
)
def test_what_is_no_file_of_the_page_is_a_404(door: FlaskDoor, missing: str) -> None:
    error_of(door.send("GET", missing), 404, "NOT_FOUND")


def test_it_can_only_be_read(door: FlaskDoor) -> None:
    answer = door.send("POST", "/")
    error_of(answer, 405, "METHOD_NOT_ALLOWED")
    assert set(answer.headers["allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}
    head = door.send("HEAD", "/")
    assert (head.status, head.body) == (200, b"")


@pytest.mark.parametrize("path", ["/", address("main.js")])
def test_switched_off_it_is_not_there(without_pages: FlaskDoor, path: str) -> None:
    answer = without_pages.send("GET", path)
    error_of(answer, 404, "NOT_FOUND")
    assert "content-security-policy" not in answer.headers


def test_answers_of_the_service_are_still_never_stored(app: Flask) -> None:
    for path in ("/livez", "/version", "/nothing"):
        assert FlaskDoor(app).send("GET", path).headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "path", [path for path in FILES if path.suffix not in (".jpg", ".webp")], ids=str
)
def test_no_file_names_another_host(path: Path) -> None:
    text = path.read_text(encoding="utf-8").replace(NAMESPACE, "").replace(EXAMPLE, "")
    assert ELSEWHERE.findall(text) == []


def test_the_check_of_other_hosts_bites() -> None:
    for line in ("url(https://fonts.example/x)", 'src="//cdn.example/a.js"', "http://a.b"):
        assert ELSEWHERE.search(line)


@pytest.mark.parametrize("path", [path for path in FILES if path.suffix == ".html"], ids=str)
def test_a_template_has_nothing_inline(path: Path) -> None:
    assert INLINE.findall(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", [path for path in FILES if path.suffix == ".js"], ids=str)
def test_no_script_makes_markup_or_code_of_text(path: Path) -> None:
    assert MARKUP.findall(path.read_text(encoding="utf-8")) == []


def test_every_file_is_in_the_package() -> None:
    """As setuptools reads setup.cfg, in a process of its own."""
    pytest.importorskip("setuptools", reason="this Python came without setuptools")
    ask = (
        "from setuptools import Distribution\n"
        "dist = Distribution(); dist.parse_config_files()\n"
        "command = dist.get_command_obj('build_py'); command.ensure_finalized()\n"
        "print(*(f'{p}/{n}' for p, _, _, names in command.data_files for n in names), sep='\\n')"
    )
    run = subprocess.run(
        [sys.executable, "-c", ask], cwd=ROOT, capture_output=True, text=True, check=True
    )
    packed = set(run.stdout.split())
    assert {f"bgremove/pages/{path.name}" for path in FILES} <= packed
