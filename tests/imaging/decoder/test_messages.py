"""Messages from a decoder: only a valid answer is accepted."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bgremove.imaging.decoder.messages import (
    FAULT,
    MAX_PRIVATE,
    MAX_SENTENCE,
    PICTURE,
    WARNING,
    Decoded,
    NonsenseError,
    Refused,
    answer_in,
    packed,
)

DECODED = Decoded(7, has_alpha=True, carries_profile=False, warnings=("animation-first-frame",))
REFUSED = Refused(7, PICTURE, "The picture is damaged", "at byte 9")
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=9) | st.dictionaries(st.text(), inner, max_size=9),
    max_leaves=20,
)


def check(message: bytes) -> None:
    """Require of whatever is taken for an answer that it is one within the bounds."""
    with contextlib.suppress(NonsenseError):
        answer = answer_in(message, 7)
        assert type(answer.number) is int
        if isinstance(answer, Decoded):
            assert answer.number == 7
            assert all(WARNING.fullmatch(word) for word in answer.warnings)
        else:
            assert answer.number == 7 or answer.kind == FAULT
            assert answer.message.isprintable()
            assert len(answer.message) <= MAX_SENTENCE
            assert len(answer.private) <= MAX_PRIVATE


@pytest.mark.parametrize("answer", [DECODED, REFUSED])
def test_an_answer_arrives_as_it_was_sent(answer: Decoded | Refused) -> None:
    assert answer_in(packed(answer), 7) == answer


def test_a_fault_needs_no_number() -> None:
    assert answer_in(packed(Refused(0, FAULT, "It failed", "Traceback")), 7).number == 0


@given(st.binary(max_size=300))
def test_bytes_of_any_kind_are_no_answer(message: bytes) -> None:
    with pytest.raises(NonsenseError):
        answer_in(message, 7)


@given(st.sampled_from([DECODED, REFUSED]), st.integers(0, 200), st.binary(max_size=4))
def test_an_answer_with_other_bytes_in_it_stays_within_the_bounds(
    answer: Decoded | Refused, at: int, other: bytes
) -> None:
    message = packed(answer)
    check(message[:at] + other + message[at + len(other) :])


@given(
    st.sampled_from([DECODED, REFUSED]),
    st.sampled_from(["number", "has_alpha", "warnings", "kind", "message", "private", "more"]),
    VALUES,
)
def test_a_field_of_any_value_stays_within_the_bounds(
    answer: Decoded | Refused, name: str, value: object
) -> None:
    check(json.dumps(json.loads(packed(answer)) | {name: value}).encode())
