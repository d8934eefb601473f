import hashlib
from pathlib import Path

import pytest

from bgremove.inference.verify import fault_of
from tests.support.graphs import model_of, put


def test_the_manifests_own_file_has_no_fault(tmp_path: Path) -> None:
    assert fault_of(put(tmp_path, b"weights"), tmp_path / "tiny.onnx") is None


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"weight", "tiny.onnx has 6 bytes, not the 7 of the manifest"),
        (b"wEights", f"tiny.onnx has SHA-256 {hashlib.sha256(b'wEights').hexdigest()}, not the"),
    ],
)
def test_another_file_is_told_apart_by_size_and_hash(
    tmp_path: Path, data: bytes, fault: str
) -> None:
    (tmp_path / "tiny.onnx").write_bytes(data)
    said = fault_of(model_of(b"weights"), tmp_path / "tiny.onnx")
    assert said is not None
    assert said.startswith(fault)


def test_a_file_that_cannot_be_read_is_said_so(tmp_path: Path) -> None:
    said = fault_of(model_of(b"weights"), tmp_path / "tiny.onnx")
    assert said == "tiny.onnx cannot be read: No such file or directory"
