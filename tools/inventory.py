"""List what a release consists of: an SBOM in CycloneDX's JSON, and a table of licences.

The libraries are those of an environment in which the release is installed; cyclonedx-py finds
them. The models come from the manifest of the weights.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bgremove.inference.models import Manifest

UNDECLARED = "not declared in its metadata"


def inventory(python: Path, program: Path, manifest: Manifest) -> dict[str, Any]:
    """Return the SBOM of an environment and of the models.

    Args:
        python: The environment's interpreter.
        program: cyclonedx-py.
        manifest: The models.

    """
    command = [str(program), "environment", "--output-reproducible", "--of", "JSON", str(python)]
    found = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
    bom: dict[str, Any] = json.loads(found.stdout)
    for component in bom["components"]:
        for reference in component.get("externalReferences", []):
            if reference["url"].startswith("file:"):  # the path of the wheel on this machine
                reference["url"] = reference["url"].rpartition("/")[2]
    bom["components"] += models_of(manifest)
    return bom


def models_of(manifest: Manifest) -> Iterator[dict[str, Any]]:
    """Yield a component for each file of weights that `bgremove weights` fetches."""
    for weights in (*manifest.models, *manifest.priors):
        yield {
            "bom-ref": f"model:{weights.name}",
            "type": "machine-learning-model",
            "name": weights.name,
            "description": weights.paper,
            "hashes": [{"alg": "SHA-256", "content": weights.sha256}],
            "licenses": [{"license": {"id": weights.licence}}],
        }


def licences(bom: dict[str, Any]) -> str:
    """Return a table of an SBOM: kind, name, version and licence, separated by tabs."""
    rows = [
        (one["type"], one["name"], one.get("version", ""), _licence(one))
        for one in bom["components"]
    ]
    lines = ["\t".join(row) for row in sorted(rows, key=lambda row: (row[0], row[1].lower()))]
    return "\n".join(["kind\tname\tversion\tlicence", *lines, ""])


def _licence(component: dict[str, Any]) -> str:
    names = []
    for one in component.get("licenses", []):
        licence = one.get("license", {})
        name = one.get("expression") or licence.get("id") or licence.get("name", "")
        names.append(name.rpartition(" :: ")[2])  # some are classifiers of the Python index
    return ", ".join(names) or UNDECLARED
