import time

import pytest

from bgremove.deadline import Deadline
from bgremove.errors import ClientGoneError, DeadlineExceededError


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return a clock that stands still; its one value is the time."""
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def test_what_remains_shrinks_and_never_falls_below_zero(clock: list[float]) -> None:
    deadline = Deadline.after(20)
    seen = []
    for now in (1000.0, 1015.0, 1020.0, 1030.0):
        clock[0] = now
        seen.append(deadline.remaining_s)
    assert seen == [20.0, 5.0, 0.0, 0.0]


def test_a_check_passes_until_the_moment_and_not_at_it(clock: list[float]) -> None:
    deadline = Deadline.after(20)
    clock[0] = 1019.999
    deadline.check("decoding")
    clock[0] = 1020.0
    with pytest.raises(DeadlineExceededError):
        deadline.check("decoding")


@pytest.mark.parametrize(("timeout_s", "named"), [(20.0, "20"), (0.5, "0.5")])
def test_the_client_is_told_the_limit_and_the_log_the_step(timeout_s: float, named: str) -> None:
    error = Deadline.after(timeout_s).exceeded("decoding")
    assert error.message == f"Processing took longer than the limit of {named} seconds"
    assert error.private == "deadline passed in decoding"
    assert (error.code, error.code.status) == ("UPSTREAM_ERROR", 502)


def test_a_check_passes_while_somebody_waits_and_tells_who_has_gone_from_what_is_late(
    clock: list[float],
) -> None:
    gone = [False]
    deadline = Deadline.after(20, lambda: gone[0])
    deadline.check("decoding")
    gone[0] = True
    with pytest.raises(ClientGoneError, match="decoding"):
        deadline.check("decoding")
    clock[0] = 1020.0
    with pytest.raises(DeadlineExceededError):
        deadline.check("decoding")
