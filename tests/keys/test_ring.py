"""Rings of keys and secrets, and the lines of a key file."""

from __future__ import annotations

from datetime import date

import pytest

from bgremove.keys.ring import (
    KEY_BYTES,
    FileFaultError,
    KeyRing,
    digest_of,
    label_fault,
    new_key,
    read_lines,
    ring_of_keys,
    ring_of_secret,
    ring_of_secrets,
)
from bgremove.log import KEY

LOOSE_KEY = "bgr_" + "Y_Zg1pjhprc0vJiql3Vq" + "h9HkuoJGU9JW5kDvpoaISp4"  # as new_key makes them
TODAY = date(2026, 11, 22)
HEX = "ab" * 32


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


def line(
    id_: str = "0123abcd", day: str = "2026-11-22", digest: str = f"sha256:{HEX}", label: str = "a"
) -> str:
    return f"{id_} {day} {digest} {label}"


def fault(text: str | bytes) -> str:
    with pytest.raises(FileFaultError) as caught:
        read_lines(text if isinstance(text, bytes) else text.encode())
    return str(caught.value)


def test_what_is_written_is_read() -> None:
    key, made = new_key("Acme, Paris", TODAY, frozenset())
    (read,) = read_lines(f"{made}\n".encode())
    assert (read.id, read.created, read.digest) == (made.id, TODAY, made.digest)
    assert (read.label, read.number) == ("Acme, Paris", 1)
    assert ring_of_keys(str(made).encode()).name_of(key.encode()) == made.id


def test_a_key_is_256_random_bits_in_ascii_and_the_log_would_know_it() -> None:
    keys = {new_key("a", TODAY, frozenset())[0] for _ in range(200)}
    assert len(keys) == 200
    assert all(KEY.fullmatch(key) and len(key) == 4 + 43 for key in keys)
    assert KEY_BYTES * 8 == 256


def test_an_id_in_use_is_not_given_again(monkeypatch: pytest.MonkeyPatch) -> None:
    offered = iter(["00000000", "00000001"])
    monkeypatch.setattr("bgremove.keys.ring.secrets.token_hex", lambda _: next(offered))
    assert new_key("a", TODAY, frozenset({"00000000"}))[1].id == "00000001"


def test_comments_empty_lines_tabs_and_windows_ends_are_let_in() -> None:
    text = f"\ufeff# hello\r\n\r\n   # more\r\n\t{line()} b  c \r\n"
    (read,) = read_lines(text.encode())
    assert (read.label, read.number) == ("a b  c", 4)


def test_a_file_of_comments_lets_nobody_in() -> None:
    assert len(ring_of_keys(b"# nobody\n")) == 0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("0123abcd 2026-11-22 sha256:" + HEX, "3 parts, not 4: id, date, hash, label"),
        ("word", "1 parts, not 4: id, date, hash, label"),
        (line(id_="0123ABCD"), "the id is not 8 digits of 0-9 and a-f"),
        (line(id_="123abcd"), "the id is not 8 digits of 0-9 and a-f"),
        (line(id_="rapidapi"), "the id is not 8 digits of 0-9 and a-f"),
        (line(day="22.11.2026"), "the date is no day written as YYYY-MM-DD"),
        (line(day="2026-02-30"), "the date is no day written as YYYY-MM-DD"),
        (line(day="20261122"), "the date is no day written as YYYY-MM-DD"),
        (line(digest=HEX), "the hash is not sha256: and 64 digits of 0-9 and a-f"),
        (line(digest=f"sha256:{HEX}0"), "the hash is not sha256: and 64 digits of 0-9 and a-f"),
        (line(digest=f"sha256:{HEX[:-1]}"), "the hash is not sha256: and 64 digits of 0-9 and a-f"),
        (line(digest=f"md5:{HEX}"), "the hash is not sha256: and 64 digits of 0-9 and a-f"),
        (line(label="a\x1b[2Jb"), "the label has characters that cannot be printed"),
        (line(label="a\u2028b"), "the label has characters that cannot be printed"),
        (line(label="a" * 65), "the label has 65 characters, more than the limit of 64"),
        (LOOSE_KEY, "a key itself, which must not lie here; take it out"),
    ],
)
def test_a_faulty_line_is_named_with_what_is_wrong_and_never_quoted(text: str, said: str) -> None:
    found = fault(f"# comment\n\n{text}\n")
    assert found.startswith(f"line 3: {said}")
    assert text not in found
    assert HEX[:16] not in found


def test_all_faulty_lines_are_named_up_to_five() -> None:
    assert fault("x\ny\n") == "; ".join(
        f"line {n}: 1 parts, not 4: id, date, hash, label" for n in (1, 2)
    )
    assert fault("x\n" * 8).endswith("line 5: 1 parts, not 4: id, date, hash, label; 3 more")


def test_an_id_or_a_hash_twice_is_a_fault() -> None:
    other = f"sha256:{'cd' * 32}"
    assert fault(f"{line()}\n{line(digest=other)}") == "line 2: the id of line 1 again"
    assert fault(f"{line()}\n{line(id_='00000000')}") == "line 2: the hash of line 1 again"


def test_bytes_that_are_no_text_are_named_by_their_line() -> None:
    assert fault(b"# a\n# \xff\n") == "line 2: not UTF-8 text"


def test_a_file_without_one_byte_is_a_fault() -> None:
    assert fault(b"") == "the file is empty; one without keys holds at least a comment"


@pytest.mark.parametrize("label", ["a", "Acme, Paris", "a" * 64, "Ünïcode 東京", "#1"])
def test_a_label_that_is_let_in(label: str) -> None:
    assert label_fault(label) is None


@pytest.mark.parametrize(
    "label", ["", " ", " a", "a ", "a\n", "a\nb", "a\x00b", "a" * 65, "\u200f"]
)
def test_a_label_that_is_not(label: str) -> None:
    assert label_fault(label)
