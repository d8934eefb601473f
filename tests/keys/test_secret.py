import pytest

from bgremove.keys.lines import FileFaultError
from bgremove.keys.secret import ring_of_secret, ring_of_secrets

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
