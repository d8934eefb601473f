"""Clients that common generators make from the document work against a live server."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from tests.support.http import ROOT, Server, gunicorn
from tests.support.tiny import ball, encoded, tiny_weights

CONFIGURATION = ROOT / "docs" / "clients" / "openapi-python-client.yaml"
AS_BYTES = """
import sys
from client import Client
from client.api.health import ready
from client.api.removal import remove_background
from client.models import RemovalForm, RemovalFormOutputFormat
from client.types import File

client = Client(base_url=sys.argv[1])
with open("photo.jpg", "rb") as file:
    form = RemovalForm(
        image=File(payload=file, file_name="photo.jpg"), output_format=RemovalFormOutputFormat.MASK
    )
    answer = remove_background.sync_detailed(client=client, body=form)
assert answer.status_code == 200, answer
open("mask.png", "wb").write(answer.parsed.payload.read())
print(answer.headers["X-Model"], ready.sync(client=client).status)

bad = RemovalForm(image=File(payload=b"no picture", file_name="x.jpg"))
print(remove_background.sync(client=client, body=bad).error.code)
"""
AS_JSON = """
import base64, sys
from client import Client
from client.api.removal import remove_background
from client.models import RemovalForm
from client.types import File

client = Client(base_url=sys.argv[1], headers={"Accept": "application/json"})
with open("photo.jpg", "rb") as file:
    form = RemovalForm(image=File(payload=file, file_name="photo.jpg"))
    data = remove_background.sync(client=client, body=form).data
open("cutout.png", "wb").write(base64.b64decode(data.image))
print(data.width, data.foreground.width > 0)
"""
IN_TYPESCRIPT = """
import type { components, paths } from "./schema.d.ts";
import { readFile } from "node:fs/promises";

type Removal = paths["/v1/remove-bg/universal"]["post"];
type Form = components["schemas"]["RemovalForm"];
type Envelope = Removal["responses"][200]["content"]["application/json"];
const format: NonNullable<Form["output_format"]> = "crop";

const form = new FormData();
form.append("image", new Blob([await readFile("photo.jpg")]), "photo.jpg");
form.append("output_format", format);
const headers = { Accept: "application/json" };
const url = `${process.argv[2]}/v1/remove-bg/universal`;
const answer = await fetch(url, { method: "POST", body: form, headers });
const envelope = (await answer.json()) as Envelope;
console.log(envelope.data.outputFormat, envelope.data.width === envelope.data.foreground.width);
"""
NODE_TYPES = """
declare const process: { argv: string[] };
declare module "node:fs/promises" {
  function readFile(name: string): Promise<Uint8Array<ArrayBuffer>>;
}
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    weights = tiny_weights(tmp_path_factory.mktemp("weights"))
    folder = tmp_path_factory.mktemp("gunicorn")
    with gunicorn(folder, {"BGREMOVE_WEIGHTS_DIR": str(weights)}) as server:
        yield server


@pytest.fixture
def desk(tmp_path: Path, server: Server) -> Path:
    (tmp_path / "photo.jpg").write_bytes(encoded(ball(), ".jpg"))
    (tmp_path / "openapi.json").write_bytes(server.door.send("GET", "/openapi.json").body)
    return tmp_path


def said_by(command: list[str], folder: Path) -> str:
    environment = os.environ | {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def python_client(folder: Path, *options: str) -> None:
    command = [sys.executable, "-m", "openapi_python_client", "generate", "--path", "openapi.json"]
    said_by([*command, "--output-path", "client", "--meta", "none", *options], folder)


def test_a_generated_python_client_gives_the_picture_as_bytes(desk: Path, server: Server) -> None:
    python_client(desk, "--config", str(CONFIGURATION))
    said = said_by([sys.executable, "-c", AS_BYTES, f"http://127.0.0.1:{server.port}"], desk)
    assert said.splitlines()[-2].endswith("ready")
    assert said.splitlines()[-1] == "VALIDATION_ERROR"
    with Image.open(desk / "mask.png") as mask:
        assert (mask.mode, mask.size) == ("L", (96, 64))


def test_one_without_that_configuration_reads_the_json(desk: Path, server: Server) -> None:
    python_client(desk)
    said = said_by([sys.executable, "-c", AS_JSON, f"http://127.0.0.1:{server.port}"], desk)
    assert said == "96 True\n"
    with Image.open(desk / "cutout.png") as cutout:
        assert cutout.size == (96, 64)


@pytest.mark.skipif(shutil.which("npx") is None, reason="there is no npx")
def test_generated_typescript_types_compile_and_describe_the_answers(
    desk: Path, server: Server
) -> None:
    npx = ["npx", "--yes", "--package=openapi-typescript@7.13.0", "--package=typescript@5.9"]
    said_by([*npx, "openapi-typescript", "openapi.json", "-o", "schema.d.ts"], desk)
    (desk / "client.mts").write_text(IN_TYPESCRIPT)
    (desk / "node.d.ts").write_text(NODE_TYPES)
    options = ["--strict", "--target", "es2022", "--module", "nodenext", "--skipLibCheck"]
    said_by([*npx, "tsc", *options, "client.mts", "node.d.ts"], desk)
    said = said_by(["node", "client.mjs", f"http://127.0.0.1:{server.port}"], desk)
    assert said == "crop true\n"
