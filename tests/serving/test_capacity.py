"""Bodies are counted in and out, and one too many is told so."""

from bgremove.serving.capacity import Bodies


def test_as_many_as_may_be_are_let_in_and_the_next_once_one_has_left() -> None:
    bodies = Bodies(2)
    assert [bodies.enter() for _ in range(3)] == [True, True, False]
    bodies.leave()
    assert bodies.enter()
    assert (bodies.at_work, bodies.finished) == (2, 1)


def test_the_refusal_says_how_many_there_may_be() -> None:
    assert "All 26 uploads" in Bodies(26).refusal().message
