"""The decoder's side of the socket, run here in a thread so that each of its lines is seen."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import socket
import sys
import threading
from collections.abc import Iterator

import pytest
from PIL import Image

from bgremove.errors import ImageError, UpstreamError
from bgremove.imaging.decoder import child as decoder_child
from bgremove.imaging.decoder.messages import Request, packed
from bgremove.imaging.probe import probe
from tests.support import pictures as made

LIMITS = made.limits()
PICTURE = made.saved(Image.fromarray(made.scene(40, 30, 4)), "PNG")


@pytest.fixture
def channels(monkeypatch) -> Iterator[tuple[socket.socket, socket.socket]]:
    monkeypatch.setattr(decoder_child, "limit_cpu", lambda _: None)  # not for the tests' process
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.settimeout(30)  # a child's thread that failed answers nothing
    with ours, theirs:
        yield ours, theirs


def ask(channels: tuple[socket.socket, socket.socket], data: bytes) -> tuple[dict, bytes]:
    ours, theirs = channels
    header = probe(PICTURE, LIMITS)
    request = Request.of(7, data, header, 9)
    picture, pixels = os.memfd_create("picture"), os.memfd_create("pixels")
    try:
        os.write(picture, data)
        serving = threading.Thread(target=decoder_child.serve_one, args=(theirs,))
        serving.start()
        socket.send_fds(ours, [packed(request)], [picture, pixels])
        answer = json.loads(ours.recv(100_000))
        serving.join()
        return answer, os.pread(pixels, 10_000, 0)
    finally:
        os.close(picture)
        os.close(pixels)


def test_pixels_are_colours_and_behind_them_alpha(channels):
    answer, pixels = ask(channels, PICTURE)
    assert answer == {
        "number": 7,
        "has_alpha": True,
        "carries_profile": False,
        "warnings": [],
    }
    scene = made.scene(40, 30, 4)
    assert pixels == scene[:, :, 2::-1].tobytes() + scene[:, :, 3].tobytes()


def test_a_damaged_picture_is_told_from_a_failure(channels):
    answer, pixels = ask(channels, PICTURE[:-40])
    assert answer["kind"] == "picture"
    assert pixels == b""


@pytest.mark.parametrize(
    ("raised", "kind"),
    [
        (MemoryError(), "upstream"),
        (UpstreamError("no memory"), "upstream"),
        (ImageError("bad"), "picture"),
    ],
)
def test_every_failure_is_answered(channels, monkeypatch, raised, kind):
    def fail(*_):
        raise raised

    monkeypatch.setattr(decoder_child, "decode_planes", fail)
    assert ask(channels, PICTURE)[0]["kind"] == kind


def test_serving_ends_when_the_other_side_has_gone(channels):
    ours, theirs = channels
    ours.close()
    assert decoder_child.serve_one(theirs) is False


def test_a_fault_is_reported_before_the_process_ends(channels, monkeypatch):
    ours, theirs = channels
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    decoder_child.report_last_words(theirs)
    try:
        raise KeyError("unforeseen")
    except KeyError as error:
        sys.excepthook(KeyError, error, error.__traceback__)
    answer = json.loads(ours.recv(100_000))
    assert answer["kind"] == "fault"
    assert "unforeseen" in answer["private"]
    assert "unforeseen" not in answer["message"]


def test_limits_on_memory_and_time_are_set_from_what_is_used(monkeypatch):
    set_to = {}
    monkeypatch.setattr(
        resource, "setrlimit", lambda what, values: set_to.update({what: values[0]})
    )
    decoder_child.limit_memory(1 << 30)
    decoder_child.limit_cpu(20)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    used = usage.ru_utime + usage.ru_stime
    assert used + 19 < set_to[resource.RLIMIT_CPU] <= used + 22
    assert set_to[resource.RLIMIT_AS] > 1 << 30


def test_main_serves_standard_input_until_it_closes(channels, monkeypatch):
    ours, theirs = channels
    monkeypatch.setattr(resource, "setrlimit", lambda *_: None)
    monkeypatch.setattr("bgremove.sandbox.confine", lambda: None)  # not the tests' process
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    made_of = socket.socket

    def standard_input(fileno: int) -> socket.socket:
        assert fileno == 0
        return made_of(fileno=os.dup(theirs.fileno()))

    monkeypatch.setattr("socket.socket", standard_input)
    ours.shutdown(socket.SHUT_RDWR)
    with contextlib.suppress(BrokenPipeError):
        decoder_child.main(1 << 30)
