"""`bgremove remove`, run as people do; what it is made of is tested in tests/batch."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import requests
from click.testing import Result

from bgremove import Remover
from bgremove.settings import Settings
from tests.commands.conftest import Invoke
from tests.support.http import free_port, gunicorn
from tests.support.pictures import assert_same_picture
from tests.support.scripted_server import Reply, scripted_server
from tests.support.tiny import ball, encoded

COMMAND = Path(sys.executable).with_name("bgremove")
BOUND_S = 60  # of waiting, far above what is measured
PNG, JPEG = b"\x89PNG", b"\xff\xd8"
FULL = Reply(503, {"Retry-After": "1"}, b"{}")
GOOD = Reply(200, {"Content-Type": "image/png"}, b"a cut-out")


def lines(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def files_below(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_a_folder_is_cut_out_and_keeps_its_folders(
    invoke: Invoke, photos: Path, tmp_path: Path
) -> None:
    result = invoke("remove", photos, "-o", tmp_path / "out")
    assert result.exit_code == 0
    assert files_below(tmp_path / "out") == {"a.png", "b.png", "sub/c.png"}
    assert result.stdout == ""
    assert f"done     {photos}/a.jpg -> {tmp_path}/out/a.png" in result.stderr
    assert "3 done; " in result.stderr


def test_run_again_it_skips_what_is_finished(invoke: Invoke, photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    invoke("remove", photos, "-o", out)
    (out / "b.png").unlink()
    assert "1 done, 2 skipped" in invoke("remove", photos, "-o", out).stderr
    os.utime(photos / "a.jpg", (time.time() + 9, time.time() + 9))  # changed since
    assert "1 done, 2 skipped" in invoke("remove", photos, "-o", out).stderr
    assert "3 done; " in invoke("remove", photos, "-o", out, "--overwrite").stderr


def test_one_picture_goes_into_a_file_named_for_it(
    invoke: Invoke, photos: Path, tmp_path: Path
) -> None:
    white = ("--format", "white_bg")
    for name, options, start in (
        ("x.png", (), PNG),
        ("x.jpeg", white, JPEG),
        ("y.png", white, PNG),
        ("z.png", ("--format", "mask", "--subject", "product"), PNG),
    ):
        target = tmp_path / name
        assert invoke("remove", photos / "a.jpg", "-o", target, *options).exit_code == 0
        assert target.read_bytes().startswith(start)


def test_a_pipe_gets_the_picture_and_nothing_else(invoke: Invoke) -> None:
    result = invoke("remove", "-", "-o", "-", stdin=encoded(ball()))
    assert result.exit_code == 0
    assert result.stdout_bytes.startswith(PNG)
    assert result.stdout_bytes.endswith(b"IEND\xaeB`\x82")


def test_a_failure_is_told_and_stops_nothing(invoke: Invoke, photos: Path, tmp_path: Path) -> None:
    (photos / "bad.jpg").write_bytes(b"no picture")
    (photos / "dark.png").write_bytes(encoded(ball() // 255))
    result = invoke("remove", photos, "-o", tmp_path / "out", "--quiet")
    assert result.exit_code == 1
    told = sorted(result.stderr.splitlines())
    assert told[0].startswith("3 done, 2 failed; ")
    assert told[1].endswith("not a JPEG, PNG, BMP, WEBP or GIF picture (VALIDATION_ERROR)")
    assert told[2].endswith("(NO_SUBJECT_DETECTED)")
    assert len(told) == 3


def test_json_has_a_line_a_picture(invoke: Invoke, photos: Path, tmp_path: Path) -> None:
    (photos / "bad.jpg").write_bytes(b"no picture")
    out = tmp_path / "out"
    result = invoke("remove", photos, "-o", out, "--json", "--subject", "human")
    told = {Path(line["input"]).name: line for line in lines(result)}
    assert told["a.jpg"] == {
        "input": f"{photos}/a.jpg",
        "output": f"{out}/a.png",
        "status": "done",
        "ms": told["a.jpg"]["ms"],
        "code": None,
        "message": None,
        "model": "tiny",
        "confidence": told["a.jpg"]["confidence"],
        "box": told["a.jpg"]["box"],
        "warnings": ["model-fallback"],
    }
    assert told["a.jpg"]["box"].keys() == {"top", "left", "width", "height"}
    assert (told["bad.jpg"]["status"], told["bad.jpg"]["code"]) == ("failed", "VALIDATION_ERROR")
    again = lines(invoke("remove", photos, "-o", out, "--json", "--subject", "human"))
    assert [line["status"] for line in again].count("skipped") == 3


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["none.jpg", "-o", "out"], "none.jpg: no such file or folder"),
        (["{photos}", "-o", "{photos}"], "would lie among its pictures"),
        (["{photos}", "-o", "-"], "standard output takes one picture, not 3"),
        (["{photos}/a.jpg", "-o", "x.jpg"], "its name must end in .png"),
        (["{photos}/a.jpg", "-o", "x.heic"], "end the name in one of .png, .webp"),
        (["{photos}", "-o", "out", "--subject", "cat"], "'cat' is not one of"),
        (["{photos}", "-o", "out", "--jobs", "0"], "0 is not in the range"),
        (["{photos}/a.jpg", "-o", "-", "--json"], "-o - writes a picture"),
        (["{photos}/a.jpg", "-o", "out", "--watch"], "--watch takes folders"),
        (["{photos}", "-o", "out.png", "--watch"], "out.png names a file"),
        (["{photos}", "-o", "{photos}", "--watch"], "would lie among its pictures"),
        (
            ["{photos}", "-o", "out", "--server", "example.org"],
            "must be an address such as http://host:8000",
        ),
        (["{photos}", "-o", "out", "--key-file", "x"], "--key-file needs --server"),
        (["{photos}", "-o", "o", "--server", "http://a", "--server", "http://b"], "of an nginx"),
        (["{photos}/sub/empty", "-o", "out"], "no pictures in"),
        (["{photos}", "-o", "https://example.com/out"], "a web server takes no cut-outs"),
        (["s3://shop/photos", "-o", "out"], "pip install s3fs"),
    ],
)
def test_wrong_usage_is_said_before_anything_is_done(
    invoke: Invoke, photos: Path, arguments: list[str], said: str
) -> None:
    (photos / "sub" / "empty").mkdir()
    result = invoke("remove", *(argument.format(photos=photos) for argument in arguments))
    assert result.exit_code == 2
    assert said in result.stderr


def test_without_weights_it_says_what_to_do(
    invoke: Invoke, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BGREMOVE_WEIGHTS_DIR", str(tmp_path))
    result = invoke("remove", photos, "-o", tmp_path / "out", "--offline")
    assert result.exit_code == 1
    assert f"u2net.onnx is not in {tmp_path}. Run `bgremove weights` where there" in result.stderr


def test_a_real_service_gives_the_same_files(
    invoke: Invoke, photos: Path, tmp_path: Path, tiny: Path
) -> None:
    invoke("remove", photos, "-o", tmp_path / "here")
    with gunicorn(tmp_path, {"BGREMOVE_WEIGHTS_DIR": str(tiny)}) as server:
        address = f"http://127.0.0.1:{server.port}"
        result = invoke("remove", photos, "-o", tmp_path / "there", "--server", address)
    assert result.exit_code == 0, result.stderr
    assert files_below(tmp_path / "there") == {"a.png", "b.png", "sub/c.png"}
    for name in files_below(tmp_path / "there"):
        there, here = tmp_path / "there" / name, tmp_path / "here" / name
        assert_same_picture(there.read_bytes(), here.read_bytes())


def test_the_key_comes_from_the_environment_or_a_file(
    invoke: Invoke, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "key"
    file.write_text("from-file\n")
    monkeypatch.setenv("BGREMOVE_API_KEY", "from-environment")
    with scripted_server(GOOD) as server:
        arguments = ("remove", photos / "a.jpg", "-o", tmp_path / "o", "--server", server.url)
        result = invoke(*arguments, "--overwrite")
        invoke(*arguments, "--overwrite", "--key-file", file)
    assert [seen.headers["X-Api-Key"] for seen in server.seen] == ["from-environment", "from-file"]
    assert "no such setting" not in result.stderr
    file.write_text("two\nlines\n")
    assert invoke(*arguments, "--overwrite", "--key-file", file).exit_code == 2


def test_where_no_service_is_there_it_ends_without_trying_every_picture(
    invoke: Invoke, photos: Path, tmp_path: Path
) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    rest = ("--server", url, "--retry-for", "0.1", "--jobs", "1")
    result = invoke("remove", photos, "-o", tmp_path / "out", *rest)
    assert result.exit_code == 1
    assert "UNREACHABLE" in result.stderr
    assert "not started" in result.stderr


def start(arguments: list[str | Path], tiny: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [COMMAND, "remove", *arguments],
        env=os.environ | {"BGREMOVE_WEIGHTS_DIR": str(tiny)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(running: subprocess.Popen[str]) -> tuple[str, str]:
    """Return what is still to be read; `communicate` would lose what `readline` read ahead."""
    assert running.stdout is not None
    assert running.stderr is not None
    with running:
        stdout, stderr = running.stdout.read(), running.stderr.read()
        running.wait(BOUND_S)
    return stdout, stderr


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupted_it_finishes_what_is_begun_and_tells(
    tmp_path: Path, tiny: Path, number: signal.Signals, code: int
) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    for n in range(400):
        (folder / f"{n}.jpg").write_bytes(encoded(ball(), ".jpg"))
    running = start([folder, "-o", tmp_path / "out", "--json"], tiny)
    assert running.stdout is not None
    running.stdout.readline()
    running.send_signal(number)
    stdout, stderr = finish(running)
    assert running.returncode == code
    assert "not started" in stderr
    assert "stopping after the pictures in progress" in stderr
    written = files_below(tmp_path / "out")
    assert len(written) == len(stdout.splitlines()) + 1
    assert len(written) < 400
    assert all(
        (tmp_path / "out" / name).read_bytes().endswith(b"IEND\xaeB`\x82") for name in written
    )


def test_a_second_interrupt_ends_it_at_once(tmp_path: Path, photos: Path, tiny: Path) -> None:
    with scripted_server(FULL, Reply(503, {"Retry-After": "50"})) as server:
        running = start([photos, "-o", tmp_path / "out", "--server", server.url], tiny)
        end = time.monotonic() + BOUND_S
        while len(server.seen) < 3 and time.monotonic() < end:
            time.sleep(0.01)
        running.send_signal(signal.SIGINT)
        finish(running)
    assert running.returncode in (130, -signal.SIGINT)
    assert not (tmp_path / "out").exists()


def test_killed_it_leaves_no_half_file(tmp_path: Path, tiny: Path) -> None:
    folder, out = tmp_path / "photos", tmp_path / "out"
    folder.mkdir()
    for n in range(30):
        (folder / f"{n}.jpg").write_bytes(encoded(ball(900, 600), ".jpg"))
    running = start([folder, "-o", out, "--json"], tiny)
    assert running.stdout is not None
    running.stdout.readline()
    running.kill()
    finish(running)
    written = [path for path in out.iterdir() if not path.name.startswith(".")]
    assert 1 <= len(written) < 30
    assert all(path.read_bytes().endswith(b"IEND\xaeB`\x82") for path in written)


def test_a_watched_folder_gives_what_comes_once_it_is_whole(
    tmp_path: Path, photos: Path, tiny: Path
) -> None:
    out = tmp_path / "out"
    arguments: list[str | Path] = ["--watch", photos, "-o", out, "--json", "--settle", "0.2"]
    running = start(arguments, tiny)
    assert running.stdout is not None
    try:
        first = [json.loads(running.stdout.readline()) for _ in range(3)]
        assert {line["status"] for line in first} == {"done"}
        picture = encoded(ball(300, 200))
        with (photos / "late.png").open("wb") as file:
            file.write(picture[:500])
            file.flush()
            time.sleep(1.0)
            file.write(picture[500:])
        late = json.loads(running.stdout.readline())
        assert (Path(late["output"]), late["status"]) == (out / "late.png", "done")
        (photos / "sub" / "late.jpg").write_bytes(b"no picture")
        bad = json.loads(running.stdout.readline())
        assert bad["status"] == "failed"
    finally:
        running.send_signal(signal.SIGINT)
        _, stderr = finish(running)
    assert running.returncode == 130
    assert "4 done, 1 failed" in stderr


def test_a_watch_says_once_what_keeps_it_from_going_on_and_goes_on_when_that_is_mended(
    tmp_path: Path, tiny: Path
) -> None:
    one, two, out = tmp_path / "1" / "in", tmp_path / "2" / "in", tmp_path / "out"
    for folder in (one, two):
        folder.mkdir(parents=True)
    (one / "a.jpg").write_bytes(encoded(ball(), ".jpg"))
    running = start(["--watch", one, two, "-o", out, "--json", "--settle", "0.2"], tiny)
    assert running.stdout is not None
    assert running.stderr is not None
    try:
        assert json.loads(running.stdout.readline())["output"] == str(out / "in" / "a.png")
        (two / "a.jpg").write_bytes(encoded(ball(), ".jpg"))
        assert running.stderr.readline().startswith(f"watching {one}, {two} for pictures")
        said = running.stderr.readline()
        assert said.startswith("waiting until this is corrected: two pictures are both called in/a")
        (two / "b.jpg").write_bytes(encoded(ball(), ".jpg"))
        time.sleep(1.0)  # several looks
        (two / "a.jpg").unlink()
        assert json.loads(running.stdout.readline())["output"] == str(out / "in" / "b.png")
    finally:
        running.send_signal(signal.SIGINT)
        _, stderr = finish(running)
    assert running.returncode == 130
    assert "waiting" not in stderr
    assert "2 done" in stderr


def test_a_watch_that_waits_for_a_correction_can_be_stopped(tmp_path: Path, tiny: Path) -> None:
    one, two = tmp_path / "1" / "in", tmp_path / "2" / "in"
    for folder in (one, two):
        folder.mkdir(parents=True)
    (one / "a.jpg").write_bytes(encoded(ball(), ".jpg"))
    running = start(["--watch", one, two, "-o", tmp_path / "out", "--settle", "0"], tiny)
    assert running.stderr is not None
    try:
        while not running.stderr.readline().startswith("done"):
            pass
        (two / "a.jpg").write_bytes(encoded(ball(), ".jpg"))
        assert running.stderr.readline().startswith("waiting until this is corrected")
    finally:
        running.send_signal(signal.SIGINT)
        _, stderr = finish(running)
    assert running.returncode == 130
    assert "1 done; " in stderr


def test_a_watch_ends_where_its_folder_is_gone(tmp_path: Path, photos: Path, tiny: Path) -> None:
    running = start(["--watch", photos, "-o", tmp_path / "out", "--json", "--settle", "0"], tiny)
    assert running.stdout is not None
    for _ in range(3):
        running.stdout.readline()
    shutil.rmtree(photos)
    try:
        running.wait(BOUND_S)
    finally:
        running.kill()
        _, stderr = finish(running)
    assert running.returncode == 1
    assert f"{photos} was removed, so there is nothing to watch" in stderr


SHOP = ("--format", "white_bg", "--background", "#f5f5f5", "--canvas", "150x130", "--margin", "8%")


def test_a_listing_is_the_same_by_command_service_and_python(
    invoke: Invoke, photos: Path, tmp_path: Path, tiny: Path
) -> None:
    """One picture, four ways: the same pixels."""
    out = tmp_path / "listing.png"
    assert invoke("remove", photos / "a.jpg", "-o", out, *SHOP).exit_code == 0
    words: dict[str, Any] = {
        "format": "white_bg",
        "background": "#f5f5f5",
        "canvas": "150x130",
        "margin": "8%",
    }
    with Remover(settings=Settings(weights_dir=tiny), encoding="png", **words) as remover:
        assert_same_picture(remover.remove(photos / "a.jpg").data, out.read_bytes())
    with gunicorn(tmp_path, {"BGREMOVE_WEIGHTS_DIR": str(tiny)}) as server:
        address = f"http://127.0.0.1:{server.port}"
        sent = tmp_path / "sent.png"
        done = invoke("remove", photos / "a.jpg", "-o", sent, *SHOP, "--server", address)
        assert done.exit_code == 0
        assert_same_picture(sent.read_bytes(), out.read_bytes())
        fields = {
            "output_format" if name == "format" else name: word for name, word in words.items()
        }
        answer = requests.post(
            f"{address}/v1/remove-bg/universal",
            files={"image": (photos / "a.jpg").read_bytes()},
            data=fields,
            headers={"Accept": "image/png"},
            timeout=BOUND_S,
        )
        assert_same_picture(answer.content, out.read_bytes())


@pytest.mark.parametrize(
    ("name", "options", "start"),
    [
        ("x.webp", (), b"RIFF"),
        ("x.webp", ("--webp",), b"RIFF"),
        ("x.webp", ("--format", "white_bg"), b"RIFF"),
        ("x.png", ("--format", "crop", "--margin", "5px"), PNG),
    ],
)
def test_the_file_type_is_that_of_the_name(
    invoke: Invoke, photos: Path, tmp_path: Path, name: str, options: tuple[str, ...], start: bytes
) -> None:
    assert invoke("remove", photos / "a.jpg", "-o", tmp_path / name, *options).exit_code == 0
    assert (tmp_path / name).read_bytes().startswith(start)


def test_a_folder_of_webp(invoke: Invoke, photos: Path, tmp_path: Path) -> None:
    assert invoke("remove", photos, "-o", tmp_path / "out", "--webp").exit_code == 0
    assert files_below(tmp_path / "out") >= {"a.webp", "b.webp", "sub/c.webp"}


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        (("--background", "red"), "background goes with white_bg"),
        (("--format", "white_bg", "--background", "reddish"), "#rrggbb"),
        (("--margin", "8%"), "margin goes with crop and white_bg"),
        (("--format", "crop", "--margin", "60%"), "at most 50%"),
        (("--format", "crop", "--canvas", "9x9"), "16 to 8000 pixels"),
        (("--format", "mask", "--webp"), "mask cannot be a WEBP file"),
        (("--format", "white_bg", "--webp", "--white-format", "png"), "two file types"),
    ],
)
def test_options_at_fault_are_wrong_usage(
    invoke: Invoke, photos: Path, tmp_path: Path, options: tuple[str, ...], fault: str
) -> None:
    result = invoke("remove", photos, "-o", tmp_path / "out", *options)
    assert result.exit_code == 2
    assert fault in " ".join(result.stderr.split())
    assert not (tmp_path / "out").exists()
