"""The SBOM of a release names every library and model, with licences and hashes."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from bgremove.inference.manifest import SHIPPED, load_manifest
from harness.programs import ROOT

sys.path.insert(0, str(ROOT / "tools"))
from inventory import UNDECLARED, inventory, licences, models_of
from release import CYCLONEDX, write_inventory

VALID = """
import sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
fault = JsonStrictValidator(SchemaVersion.V1_6).validate_str(sys.stdin.read())
sys.exit(str(fault) if fault else 0)
"""


def component(name: str, *licences: dict[str, Any]) -> dict[str, Any]:
    return {"type": "library", "name": name, "version": "1", "licenses": list(licences)}


def test_the_table_of_licences_has_a_line_for_each_part() -> None:
    bom = {
        "components": [
            component("b", {"license": {"name": "License :: OSI Approved :: BSD License"}}),
            component("A", {"license": {"id": "MIT"}}, {"expression": "MIT OR 0BSD"}),
            component("c"),
        ]
    }
    assert licences(bom).splitlines() == [
        "kind\tname\tversion\tlicence",
        "library\tA\t1\tMIT, MIT OR 0BSD",
        "library\tb\t1\tBSD License",
        f"library\tc\t1\t{UNDECLARED}",
    ]


def test_the_models_are_listed_with_the_hashes_of_the_manifest() -> None:
    manifest = load_manifest(SHIPPED.parent)
    listed = {one["name"]: one["hashes"][0]["content"] for one in models_of(manifest)}
    assert listed == {one.name: one.sha256 for one in (*manifest.models, *manifest.priors)}


@pytest.mark.skipif(not CYCLONEDX.exists(), reason="no cyclonedx-py; `make audit` brings it")
def test_the_sbom_of_this_environment_is_valid_and_names_no_path(tmp_path: Any) -> None:
    bom = inventory(ROOT / ".venv" / "bin" / "python", CYCLONEDX, load_manifest(SHIPPED.parent))
    write_inventory(bom, tmp_path / "bgremove-1.2.0")
    text = (tmp_path / "bgremove-1.2.0.cdx.json").read_text()
    checked = subprocess.run(
        [CYCLONEDX.with_name("python"), "-c", VALID], input=text, capture_output=True, text=True
    )
    assert checked.returncode == 0, checked.stderr
    assert str(ROOT) not in text
    names = {one["name"] for one in json.loads(text)["components"]}
    assert {"bgremove", "onnxruntime", "u2net", "selfie-segmentation"} <= names
    assert "onnxruntime" in (tmp_path / "bgremove-1.2.0.licences.tsv").read_text()
