from bgremove.keys.ring import KeyRing, digest_of


def test_each_key_has_its_name_wherever_it_stands() -> None:
    ring = KeyRing(tuple((digest_of(name.encode()), name) for name in ("a", "b", "c")))
    assert [ring.name_of(key) for key in (b"a", b"b", b"c")] == ["a", "b", "c"]
    assert len(ring) == 3


def test_no_other_key_has_one() -> None:
    ring = KeyRing(((digest_of(b"key"), "id"),))
    for other in (b"", b"ke", b"keyy", b"KEY", b"\xff", bytes(32), digest_of(b"key")):
        assert ring.name_of(other) is None


def test_an_empty_ring_lets_nobody_in() -> None:
    assert KeyRing(()).name_of(b"") is None


def test_a_ring_shows_no_digest_when_printed() -> None:
    ring = KeyRing(((digest_of(b"key"), "id"),))
    assert repr(ring) == "KeyRing()"
