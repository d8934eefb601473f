"""Against a real web server on loopback; only its connections are made to break."""

import fcntl
import hashlib
import os
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from bgremove import download
from bgremove.errors import WeightsError
from bgremove.inference.models import Manifest, Model, Source
from bgremove.provisioning.fetch import fetch, fetch_all
from tests.provisioning.file_server import FileServer
from tests.support.graphs import model_of, write_manifest

DATA = bytes(range(256)) * 10_000
OTHER = bytes(len(DATA))
PATH = "/tiny.onnx"


@pytest.fixture
def model(server: FileServer) -> Model:
    server.files[PATH] = DATA
    return model_of(DATA, sources=(Source("url", url=server.url(PATH)),))


def from_urls(model: Model, *urls: str) -> Model:
    return replace(model, sources=tuple(Source("url", url=url) for url in urls))


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_file_is_downloaded_whole_under_its_own_name(model: Model, tmp_path: Path) -> None:
    path = fetch(model, tmp_path)
    assert path == tmp_path / "tiny.onnx"
    assert path.read_bytes() == DATA
    assert names(tmp_path) == {"tiny.onnx"}


def test_a_verified_file_is_not_asked_for_again(
    model: Model, server: FileServer, tmp_path: Path
) -> None:
    fetch(model, tmp_path)
    fetch(model, tmp_path)
    assert len(server.requests) == 1


@pytest.mark.parametrize("damaged", [b"", DATA[:-1], DATA + b"x", OTHER])
def test_a_damaged_file_is_replaced(
    model: Model, tmp_path: Path, damaged: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "tiny.onnx").write_bytes(damaged)
    assert fetch(model, tmp_path).read_bytes() == DATA
    assert "fetching it again" in caplog.text


def test_what_is_there_of_a_file_is_not_downloaded_again(
    model: Model, server: FileServer, tmp_path: Path
) -> None:
    (tmp_path / "tiny.onnx.part").write_bytes(DATA[:1000])
    assert fetch(model, tmp_path).read_bytes() == DATA
    assert server.requests == [(PATH, "bytes=1000-")]


def test_a_server_that_takes_no_ranges_is_read_from_the_start(
    model: Model, server: FileServer, tmp_path: Path
) -> None:
    server.takes_ranges = False
    (tmp_path / "tiny.onnx.part").write_bytes(DATA[:1000])
    assert fetch(model, tmp_path).read_bytes() == DATA
    assert len(server.requests) == 1


def test_a_start_that_belongs_to_another_file_is_dropped(
    model: Model, server: FileServer, tmp_path: Path
) -> None:
    (tmp_path / "tiny.onnx.part").write_bytes(OTHER[:1000])
    assert fetch(model, tmp_path).read_bytes() == DATA
    assert [asked for _, asked in server.requests] == ["bytes=1000-", "bytes=0-"]


def test_a_start_longer_than_the_file_is_not_resumed(
    model: Model, server: FileServer, tmp_path: Path
) -> None:
    (tmp_path / "tiny.onnx.part").write_bytes(DATA + b"more")
    assert fetch(model, tmp_path).read_bytes() == DATA
    assert server.requests == [(PATH, "bytes=0-")]


def test_a_start_that_the_server_cannot_go_on_from_is_dropped(
    model: Model, server: FileServer, tmp_path: Path
) -> None:
    server.files[PATH] = DATA[:1000]
    (tmp_path / "tiny.onnx.part").write_bytes(DATA[:1000])
    with pytest.raises(WeightsError, match="has 1000 bytes, not the 2560000 of the manifest"):
        fetch(model, tmp_path)
    assert [asked for _, asked in server.requests] == ["bytes=1000-", "bytes=0-", "bytes=0-"]
    assert names(tmp_path) == set()


def test_a_connection_that_drops_is_gone_on_from_by_the_next_call(
    model: Model, server: FileServer, tmp_path: Path
) -> None:
    server.breaks_after = 500_000
    with pytest.raises(WeightsError, match="broke off; the next attempt goes on from there"):
        fetch(model, tmp_path)
    assert names(tmp_path) == {"tiny.onnx.part"}
    assert fetch(model, tmp_path).read_bytes() == DATA
    assert server.requests[1] == (PATH, "bytes=500000-")


def test_a_chunked_answer_that_drops_is_gone_on_from_too(
    model: Model, server: FileServer, tmp_path: Path
) -> None:
    server.chunked, server.breaks_after = True, 500_000
    with pytest.raises(WeightsError, match="broke off"):
        fetch(model, tmp_path)
    assert fetch(model, tmp_path).read_bytes() == DATA


def test_a_server_that_falls_silent_is_given_up(
    model: Model, server: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "TIMEOUT_S", 0.2)
    server.gate.clear()
    with pytest.raises(WeightsError, match=r"broke off \(timed out\)"):
        fetch(model, tmp_path)
    assert (tmp_path / "tiny.onnx").exists() is False


def test_a_missing_file_is_said_to_be_missing(
    model: Model, server: FileServer, tmp_path: Path
) -> None:
    server.files.clear()
    with pytest.raises(WeightsError) as caught:
        fetch(model, tmp_path)
    said = f"{server.url(PATH)} does not answer: 404 Not Found"
    assert caught.value.message == said


def test_a_server_that_is_not_there_is_said_so(model: Model, tmp_path: Path) -> None:
    with pytest.raises(
        WeightsError, match=r"http://127\.0\.0\.1:1/x does not answer: Connection refus"
    ):
        fetch(from_urls(model, "http://127.0.0.1:1/x"), tmp_path)


@pytest.mark.parametrize("url", ["nonsense", "http://user:secret@[/x", "http://[::1/x"])
def test_what_is_no_address_is_said_so(model: Model, tmp_path: Path, url: str) -> None:
    with pytest.raises(WeightsError, match="does not answer"):
        fetch(from_urls(model, url), tmp_path)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [(OTHER, "has SHA-256 "), (DATA[:-1], "has 2559999 bytes, not the 2560000 of the manifest")],
)
def test_a_source_with_another_file_is_passed_over(
    model: Model,
    server: FileServer,
    tmp_path: Path,
    wrong: bytes,
    said: str,
) -> None:
    server.files["/wrong"] = wrong
    both = from_urls(model, server.url("/wrong"), server.url(PATH))
    assert fetch(both, tmp_path).read_bytes() == DATA
    assert server.requests == [("/wrong", "bytes=0-"), (PATH, "bytes=0-")]
    (tmp_path / "tiny.onnx").unlink()
    with pytest.raises(WeightsError, match=said):
        fetch(from_urls(model, server.url("/wrong")), tmp_path)
    assert names(tmp_path) == set()


def test_every_source_that_failed_is_named(
    model: Model, server: FileServer, tmp_path: Path
) -> None:
    server.files["/wrong"] = OTHER
    urls = (server.url("/none"), server.url("/wrong"))
    with pytest.raises(WeightsError) as caught:
        fetch(from_urls(model, *urls), tmp_path)
    assert all(url in caught.value.message for url in urls)


def test_a_model_without_sources_is_said_to_have_none(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="names no source"):
        fetch(model_of(DATA), tmp_path)


def test_a_mirror_folder_comes_first(model: Model, server: FileServer, tmp_path: Path) -> None:
    mirror, folder = tmp_path / "a mirror", tmp_path / "weights"
    mirror.mkdir()
    folder.mkdir()
    (mirror / "tiny.onnx").write_bytes(DATA)
    assert fetch(model, folder, str(mirror)).read_bytes() == DATA
    assert server.requests == []


def test_a_mirror_address_comes_first(model: Model, server: FileServer, tmp_path: Path) -> None:
    server.files["/mirror/tiny.onnx"] = DATA
    fetch(model, tmp_path, server.url("/mirror/"))
    assert server.requests == [("/mirror/tiny.onnx", "bytes=0-")]


def test_the_sources_follow_a_mirror_that_lacks_the_file(
    model: Model, server: FileServer, tmp_path: Path
) -> None:
    assert fetch(model, tmp_path, str(tmp_path / "nowhere")).read_bytes() == DATA
    assert len(server.requests) == 1


def test_a_mirror_folder_that_lacks_the_file_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="does not answer: No such file or directory"):
        fetch(model_of(DATA), tmp_path, str(tmp_path / "nowhere"))


def test_a_full_disk_ends_the_attempt_in_clear_words(
    model: Model, server: FileServer, tmp_path: Path
) -> None:
    (tmp_path / "tiny.onnx.part").symlink_to("/dev/full")
    twice = replace(model, sources=model.sources * 2)
    with pytest.raises(WeightsError, match="cannot be written: No space left on device"):
        fetch(twice, tmp_path)
    assert len(server.requests) == 1


def test_a_name_that_is_taken_by_a_folder_is_said_so(model: Model, tmp_path: Path) -> None:
    (tmp_path / "tiny.onnx").mkdir()
    with pytest.raises(WeightsError, match="cannot be written: Is a directory"):
        fetch(model, tmp_path)


@pytest.mark.parametrize("below", ["", "weights"])
def test_a_folder_that_cannot_be_made_is_said_so(tmp_path: Path, below: str) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(WeightsError, match="cannot be written: "):
        fetch_all(Manifest((), ""), tmp_path / "file" / below)


def test_all_models_are_fetched_and_the_folder_made(
    model: Model, server: FileServer, tmp_path: Path
) -> None:
    server.files["/second"] = OTHER
    second = model_of(OTHER, name="second", sources=(Source("url", url=server.url("/second")),))
    folder = tmp_path / "deep" / "weights"
    assert fetch_all(Manifest((model, second), "tiny"), folder) == {}
    assert names(folder) == {".lock", "tiny.onnx", "second.onnx"}


def test_one_missing_model_does_not_keep_the_others_away(
    model: Model, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    absent = model_of(OTHER, name="absent")
    missing = fetch_all(Manifest((absent, model), "tiny"), tmp_path)
    assert missing == {"absent": "the manifest names no source"}
    assert (tmp_path / "tiny.onnx").read_bytes() == DATA


def test_without_the_default_model_no_other_is_tried_and_no_failure_recorded(
    model: Model, server: FileServer, tmp_path: Path
) -> None:
    second = replace(model, name="second", file="second.onnx")
    default = replace(from_urls(model, server.url("/none")), name="default", file="default.onnx")
    missing = fetch_all(Manifest((second, default), "default"), tmp_path)
    assert "404" in missing["default"]
    assert missing["second"] == "not tried, because default is missing"
    assert names(tmp_path) == {".lock"}
    assert len(server.requests) == 1


@pytest.mark.parametrize("is_missing", [True, False])
def test_a_stand_in_is_fetched_only_where_its_model_is_missing(
    model: Model, server: FileServer, tmp_path: Path, is_missing: bool
) -> None:
    stand_in = replace(model, name="half", file="half.onnx", stands_in_for="tiny")
    own = from_urls(model, server.url("/none")) if is_missing else model
    missing = fetch_all(Manifest((own, stand_in), "another"), tmp_path)
    assert ("tiny" in missing, (tmp_path / "half.onnx").exists()) == (is_missing, is_missing)


def test_a_folder_that_another_holds_is_waited_for(
    model: Model, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with (tmp_path / ".lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        release = threading.Timer(0.2, fcntl.flock, (held, fcntl.LOCK_UN))
        release.start()
        assert fetch_all(Manifest((model,), "tiny"), tmp_path) == {}
        release.join()
    assert caplog.messages[0] == "another process is fetching weights; waiting for it"


def start_fetching(folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", "from bgremove.cli import main; main()", "weights"],
        env=os.environ | {"BGREMOVE_WEIGHTS_DIR": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_second_process_waits_for_the_first_and_then_finds_the_file(
    model: Model, server: FileServer, tmp_path: Path
) -> None:
    write_manifest(tmp_path, Manifest((model,), "tiny"))
    server.gate.clear()
    with start_fetching(tmp_path) as first:
        assert server.arrived.wait(60)
        assert "tiny.onnx" not in names(tmp_path)
        with start_fetching(tmp_path) as second:
            assert second.stderr is not None
            assert "waiting for it" in second.stderr.readline()
            server.gate.set()
            assert "tiny: ready" in first.communicate(timeout=60)[0]
            assert "tiny: ready" in second.communicate(timeout=60)[0]
    assert (first.returncode, second.returncode) == (0, 0)
    assert len(server.requests) == 1


def test_a_killed_download_leaves_no_file_under_the_final_name_and_no_lock(
    model: Model, server: FileServer, tmp_path: Path
) -> None:
    write_manifest(tmp_path, Manifest((model,), "tiny"))
    server.gate.clear()
    with start_fetching(tmp_path) as killed:
        assert server.arrived.wait(60)
        killed.send_signal(signal.SIGKILL)
        killed.communicate(timeout=60)
    assert "tiny.onnx" not in names(tmp_path)
    server.gate.set()
    assert fetch_all(Manifest((model,), "tiny"), tmp_path) == {}
    assert hashlib.sha256((tmp_path / "tiny.onnx").read_bytes()).hexdigest() == model.sha256
