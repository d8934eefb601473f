"""Every line of docs/python.md runs, from top to bottom, on networks of one step."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from bgremove.remover import parsing, remover
from tests.support.http import ROOT
from tests.support.tiny import ball, encoded, tiny_weights

PAGE = (ROOT / "docs" / "python.md").read_text("utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```", PAGE, re.M | re.S)
IMPORT = re.compile(r"^(?:import|from) .*\n", re.M)
MISTAKES = """
remove("a.jpg", subject="cat")
remove("a.jpg", format="white")
Remover(encoding="tiff")
Settings(effort="quick")
remove(3)
remove("a.jpg").source.stem
"""


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # a file that a short example leaves open
def test_every_line_runs(
    tmp_path_factory: pytest.TempPathFactory,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    weights = tiny_weights(tmp_path_factory.mktemp("weights"))
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
    try:
        for block in BLOCKS:
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


def test_every_block_is_on_the_page() -> None:
    assert len(BLOCKS) == PAGE.count("```python")


def test_the_examples_pass_a_strict_type_check_and_mistakes_do_not(tmp_path: Path) -> None:
    imports = "".join(line for block in BLOCKS for line in IMPORT.findall(block))
    results = 'result: Result = remove("photo.jpg")\n'  # a name that some blocks share
    for index, block in enumerate(BLOCKS):
        start = "" if "result = " in block or "for result" in block else results
        (tmp_path / f"example_{index}.py").write_text(imports + start + IMPORT.sub("", block))
    mistakes = MISTAKES.strip().splitlines()
    (tmp_path / "mistakes.py").write_text(imports.replace("\n", ";") + "\n" + MISTAKES.strip())
    options = ("--strict", "--follow-imports=silent", "--no-error-summary", "--config-file=")
    said = subprocess.run(
        [sys.executable, "-m", "mypy", *options, "."],
        cwd=tmp_path,
        env=os.environ | {"MYPYPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=600,
    ).stdout.splitlines()
    errors = [line for line in said if ": error: " in line]
    assert [line for line in errors if not line.startswith("mistakes.py")] == []
    lines = [int(line.split(":")[1]) for line in errors]
    assert lines == [number + 2 for number in range(len(mistakes))], said
