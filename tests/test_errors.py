"""The domain errors survive the way from one process to another."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Iterator

import pytest

import bgremove
from bgremove import errors
from bgremove.errors import BgremoveError, Detail
from bgremove.imaging.decoder.process import DecoderGoneError

DETAILS = (Detail("subject", "is a cat"), Detail("margin", "is too wide"))
EXAMPLES: list[BgremoveError] = [
    BgremoveError("failed", private="a library's text"),
    errors.ValidationError("two faults", details=DETAILS),
    errors.CompressedBodyError("gzip"),
    errors.ImageError("The picture is damaged", private="a path"),
    errors.NoSubjectError("Nothing stands out", "u2net-int8", ("low-confidence",)),
    errors.UnauthorizedError("no key", scheme="RapidAPI", token=True),
    errors.UpstreamError("failed", private="NaN"),
    errors.DeadlineExceededError("too late"),
    DecoderGoneError("gone", private="EPIPE"),
    errors.ModelUnavailableError("not available", reason="absent", private="ENOENT"),
    errors.OverloadedError("full", retry_after_s=7),
    errors.NotReadyError(("u2net: absent",)),
    errors.SettingsError(("a is wrong", "b is wrong")),
    errors.WeightsError("missing"),
    errors.PlanError("no output"),
]


def subclasses(kind: type[BgremoveError]) -> Iterator[type[BgremoveError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from subclasses(child)


def test_every_error_has_an_example() -> None:
    kinds = {kind for kind in subclasses(BgremoveError) if kind.__module__ == errors.__name__}
    assert {type(error) for error in EXAMPLES} == kinds | {DecoderGoneError}
    assert {name for name in bgremove.__all__ if name.endswith("Error")} <= {
        kind.__name__ for kind in kinds
    }


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: type(error).__name__)
def test_an_error_is_the_same_after_pickling(error: BgremoveError, protocol: int) -> None:
    error.add_note("while reading a.jpg")
    for again in (pickle.loads(pickle.dumps(error, protocol)), copy.copy(error)):
        assert type(again) is type(error)
        assert vars(again) == vars(error)
        assert (str(again), again.code) == (str(error), error.code)


@pytest.mark.parametrize(
    ("error", "status", "headers"),
    [
        (errors.ValidationError("a fault"), 400, {}),
        (errors.CompressedBodyError("gzip"), 415, {"Accept-Encoding": "identity"}),
        (errors.NoSubjectError("no", "u2net"), 400, {"X-Model": "u2net"}),
        (
            errors.NoSubjectError("no", "u2net", ("a", "b")),
            400,
            {"X-Model": "u2net", "X-Warnings": "a, b"},
        ),
        (errors.UnauthorizedError("no"), 401, {"WWW-Authenticate": 'Bearer realm="bgremove"'}),
        (errors.OverloadedError("full", retry_after_s=7), 503, {"Retry-After": "7"}),
        (errors.NotReadyError(("a", "b")), 503, {"Retry-After": "1"}),
    ],
)
def test_an_error_names_the_status_and_headers_of_its_answer(
    error: BgremoveError, status: int, headers: dict[str, str]
) -> None:
    assert (error.status, dict(error.headers)) == (status, headers)
