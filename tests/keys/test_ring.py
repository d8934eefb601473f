import pytest

from bgremove.keys.ring import FileFaultError, KeyRing, digest_of, ring_of_secret, ring_of_secrets


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


SECRET, NEXT = "0b6b2f2e-7d0e-11f0-8de9", "9c1a4f7e-7d0e-11f0-8de9"


def test_a_secret_is_known_as_the_gateway() -> None:
    ring = ring_of_secret(SECRET)
    assert ring.name_of(SECRET.encode()) == "rapidapi"
    assert ring.name_of(SECRET[:-1].encode()) is None


def test_a_file_may_hold_two_while_one_follows_the_other() -> None:
    ring = ring_of_secrets(f"# of the gateway\r\n{SECRET}\r\n\n{NEXT}".encode())
    assert ring.name_of(SECRET.encode()) == ring.name_of(NEXT.encode()) == "rapidapi"
    assert ring.name_of(b"# of the gateway") is None


@pytest.mark.parametrize(
    "text", ["short", "a" * 257, "with a space, long enough", "sécrétsécrétsécrét"]
)
def test_what_is_no_secret_is_a_fault_that_does_not_quote_it(text: str) -> None:
    with pytest.raises(FileFaultError, match="not a secret of 16 to 256 ASCII") as caught:
        ring_of_secret(text)
    assert text not in str(caught.value)
    with pytest.raises(FileFaultError, match=r"^line 2: not a secret"):
        ring_of_secrets(f"{SECRET}\n{text}\n".encode("latin-1"))


@pytest.mark.parametrize("data", [b"", b"\n", b"# none\n"])
def test_a_file_without_a_secret_is_a_fault(data: bytes) -> None:
    with pytest.raises(FileFaultError, match="no line has a secret"):
        ring_of_secrets(data)
