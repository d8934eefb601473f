"""Every line of docs/python.md runs, from top to bottom, with the real weights."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from bgremove.remover import parsing, remover
from tests.support.http import ROOT
from tests.support.tiny import ball, encoded

PAGE = (ROOT / "docs" / "python.md").read_text("utf-8")


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # a file that a short example leaves open
def test_every_line_runs(
    weights: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("BGREMOVE_WEIGHTS_DIR", str(weights))
    monkeypatch.setenv("BGREMOVE_TIMEOUT_S", "120")
    monkeypatch.chdir(tmp_path)
    picture = ball(320, 240)
    picture[..., 0] //= 2  # coloured: a gray picture's answers have one channel
    Path("photo.jpg").write_bytes(encoded(picture, ".jpg"))
    Path("photos").mkdir()
    shutil.copy("photo.jpg", "photos/a.jpg")
    Path("photos/b.jpg").write_bytes(b"broken")
    names: dict[str, Any] = {}
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE, re.M | re.S)
    assert len(blocks) == PAGE.count("```python")
    try:
        for block in blocks:
            code = block.replace("Settings(", f"Settings(weights_dir=Path({str(weights)!r}), ")
            exec(compile(code, "docs/python.md", "exec"), names)
    finally:
        remover._default_remover().close()
        remover._default_remover.cache_clear()
    printed = capsys.readouterr().out
    assert "photos/b.jpg: The file is not a JPEG" in printed
    assert "[('image', 'The file is not a JPEG" in printed
    kinds = {"cutout.png": "RGBA", "white.jpg": "RGB", "mask.png": "L", "listing.png": None}
    for name, mode in kinds.items():
        with Image.open(name) as image:
            assert mode is None or image.mode == mode
    with Image.open("listing.png") as image:
        assert image.size == (1000, 1000)
    assert Path("crop.webp").is_file()
    assert [path.name for path in Path("cutouts").iterdir()] == ["a.jpg"]


def test_the_options_are_those_of_the_code() -> None:
    table = PAGE[PAGE.index("## Options") : PAGE.index("## Results")]
    assert set(re.findall(r"^\| `(\w+)` \|", table, re.M)) == set(parsing._READERS)
