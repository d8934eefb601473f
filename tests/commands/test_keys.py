from __future__ import annotations

import stat
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bgremove.cli import main
from bgremove.keys.ring import read_lines, ring_of_keys


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "keys.txt"
    monkeypatch.setenv("BGREMOVE_API_KEYS_FILE", str(path))
    return path


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["keys", *arguments])


def test_add_prints_the_key_alone_and_says_the_rest_aside(path: Path) -> None:
    result = invoke("add", "Acme, Paris")
    assert result.exit_code == 0
    key = result.stdout.removesuffix("\n")
    (line,) = read_lines(path.read_bytes())
    assert ring_of_keys(path.read_bytes()).name_of(key.encode()) == line.id
    said = f"{line.id} (Acme, Paris) written to {path}; the key is not shown again\n"
    assert result.stderr == said
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_list_shows_id_date_and_label_and_no_more(path: Path) -> None:
    keys = [invoke("add", label).stdout.strip() for label in ("a", "b c")]
    result = invoke("list")
    lines = read_lines(path.read_bytes())
    assert result.stdout == "".join(f"{x.id}  {x.created}  {x.label}\n" for x in lines)
    for line, key in zip(lines, keys, strict=True):
        assert key not in result.output
        assert line.digest.hex() not in result.output


def test_revoke_takes_the_key_out(path: Path) -> None:
    key = invoke("add", "a").stdout.strip()
    (line,) = read_lines(path.read_bytes())
    assert invoke("revoke", "a").stdout == f"{line.id} (a) revoked\n"
    assert ring_of_keys(path.read_bytes()).name_of(key.encode()) is None
    result = invoke("list")
    assert (result.stdout, result.stderr) == ("", "No keys: every request is refused\n")


def test_the_file_can_be_named(path: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.txt"
    assert invoke("add", "a", "--file", str(other)).exit_code == 0
    assert other.exists()
    assert not path.exists()


@pytest.mark.parametrize("arguments", [("add", "a"), ("list",), ("revoke", "a")])
def test_without_a_file_named_it_says_how_to(
    arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    result = invoke(*arguments)
    assert result.exit_code == 2
    assert "Missing option '--file' (env var: 'BGREMOVE_API_KEYS_FILE')" in result.output


@pytest.mark.parametrize("arguments", [("list",), ("revoke", "a")])
def test_a_file_that_is_not_there_is_said(path: Path, arguments: tuple[str, ...]) -> None:
    result = invoke(*arguments)
    assert (result.exit_code, result.output) == (1, f"Error: {path}: No such file or directory\n")


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    path = tmp_path / "none" / "keys.txt"
    result = invoke("add", "a", "--file", str(path))
    assert (result.exit_code, result.output) == (1, f"Error: {path}: No such file or directory\n")


@pytest.mark.parametrize("arguments", [("add", "a"), ("list",), ("revoke", "a")])
@pytest.mark.parametrize(
    ("data", "said"),
    [(b"# a\nx\n", "line 2: 1 parts"), (b"# \xff\n", ""), (b"", "the file is empty")],
)
def test_a_faulty_file_is_said_without_a_trace(
    path: Path, arguments: tuple[str, ...], data: bytes, said: str
) -> None:
    path.write_bytes(data)
    result = invoke(*arguments)
    assert result.exit_code == 1
    assert result.output.startswith(f"Error: {path}: {said}")
    assert path.read_bytes() == data


def test_an_unknown_label_is_said(path: Path) -> None:
    invoke("add", "a")
    result = invoke("revoke", "b")
    said = "no key has this label or id; `bgremove keys list` names them"
    assert (result.exit_code, result.output) == (1, f"Error: {path}: {said}\n")
