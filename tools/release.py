"""Release a version: check, build, try the wheel, list its parts, tag.

    python tools/release.py 1.2.0

The tree must be clean and CHANGELOG.md must have a section ``## 1.2.0`` that is not empty. The
script sets the version, runs `make test` and builds the wheel and the source distribution. It
installs the wheel in a fresh environment with the pinned libraries, checks its version, and writes
an SBOM and a table of licences beside it. Then it tags the commit. Nothing is pushed or uploaded.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import venv
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from inventory import inventory, licences

from bgremove.inference.manifest import SHIPPED, load_manifest

ROOT = Path(__file__).resolve().parents[1]
BUILT = ROOT / "build" / "release"
CYCLONEDX = ROOT / ".venv-audit" / "bin" / "cyclonedx-py"  # brought by `make audit`
VERSION = re.compile(r"\d+\.\d+\.\d+(?:(?:a|b|rc)\d+)?")
PACKAGE = ROOT / "bgremove" / "__init__.py"
CHANGELOG = ROOT / "CHANGELOG.md"


class ReleaseError(Exception):
    """The reason why a version cannot be released."""


def changes_of(version: str, changelog: str) -> str:
    """Return the section of a version; raises ReleaseError where it is missing."""
    heading = rf"^## {re.escape(version)}(?: \([^)]*\))?\n(.*?)(?=^## |\Z)"
    section = re.search(heading, changelog, re.MULTILINE | re.DOTALL)
    if section is None or not section[1].strip():
        raise ReleaseError(f"CHANGELOG.md has no section '## {version}'; write it first")
    return section[1].strip()


def with_version(source: str, version: str) -> str:
    """Return the source of the package with its version set."""
    text, count = re.subn(
        r'^__version__ = "[^"]*"$', f'__version__ = "{version}"', source, flags=re.MULTILINE
    )
    if count != 1:
        raise ReleaseError(f"{PACKAGE.name} sets __version__ {count} times, not once")
    return text


def with_date(changelog: str, version: str, day: str) -> str:
    """Return the changelog with the day of the release in the heading."""
    heading = rf"^## {re.escape(version)}(?: \([^)]*\))?$"
    return re.sub(heading, f"## {version} ({day})", changelog, count=1, flags=re.MULTILINE)


def check(version: str) -> None:
    """Raise ReleaseError where a release of ``version`` cannot start."""
    if not VERSION.fullmatch(version):
        raise ReleaseError(f"{version!r} is no version such as 1.2.0 or 1.2.0rc1")
    if _output("git", "status", "--porcelain"):
        raise ReleaseError("there are uncommitted changes; commit or stash them first")
    if _output("git", "tag", "--list", f"v{version}"):
        raise ReleaseError(f"v{version} is tagged already")
    changes_of(version, CHANGELOG.read_text("utf-8"))


def try_wheel(wheel: Path, version: str) -> None:
    """Install a wheel in a fresh environment, check its version, and list what is installed."""
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder)
        python = Path(folder) / "bin" / "python"
        pip = (sys.executable, "-m", "pip", "--python", str(python))
        locked = ("--require-hashes", "--no-deps", "--requirement", "requirements/run.txt")
        _run(*pip, "install", "--quiet", *locked)
        _run(*pip, "install", "--quiet", "--no-deps", str(wheel))
        _run(*pip, "check")  # the pinned libraries are those that the wheel asks for
        told = _output(str(python.with_name("bgremove")), "--version")
        if version not in told:
            raise ReleaseError(f"the wheel says {told!r}, not {version}")
        bom = inventory(python, CYCLONEDX, load_manifest(SHIPPED.parent))
    write_inventory(bom, BUILT / f"bgremove-{version}")


def write_inventory(bom: dict[str, Any], stem: Path) -> None:
    """Write the SBOM and the licences beside a release's files."""
    Path(f"{stem}.cdx.json").write_text(json.dumps(bom, indent=1) + "\n", "utf-8")
    Path(f"{stem}.licences.tsv").write_text(licences(bom), "utf-8")


def main(version: str) -> None:
    """Release ``version``."""
    check(version)
    PACKAGE.write_text(with_version(PACKAGE.read_text("utf-8"), version), "utf-8")
    day = datetime.now(UTC).date().isoformat()
    CHANGELOG.write_text(with_date(CHANGELOG.read_text("utf-8"), version, day), "utf-8")
    python = sys.executable
    _run(python, "-m", "bgremove", "openapi", to=ROOT / "docs" / "openapi.json")
    _run("make", "test")
    _run(python, "-m", "build", "--outdir", str(BUILT))
    (wheel,) = BUILT.glob(f"bgremove-{version}-*.whl")
    _run(
        python,
        "-m",
        "twine",
        "check",
        "--strict",
        str(wheel),
        *map(str, BUILT.glob(f"bgremove-{version}.tar.gz")),
    )
    try_wheel(wheel, version)
    if _output("git", "status", "--porcelain"):
        _run("git", "commit", "--all", "--message", f"Release {version}")
    _run("git", "tag", "--annotate", f"v{version}", "--message", f"bgremove {version}")
    print(f"v{version} is tagged; the files are in build/release. To publish: git push --tags")


def _run(*command: str, to: Path | None = None) -> None:
    if to is None:
        subprocess.run(command, cwd=ROOT, check=True)  # noqa: S603 -- our own words
        return
    with to.open("w", encoding="utf-8") as file:
        subprocess.run(command, cwd=ROOT, check=True, stdout=file)  # noqa: S603


def _output(*command: str) -> str:
    run = subprocess.run(  # noqa: S603
        command, cwd=ROOT, check=True, capture_output=True, text=True
    )
    return run.stdout.strip()


if __name__ == "__main__":
    try:
        main(*sys.argv[1:2] or [""])
    except ReleaseError as error:
        sys.exit(str(error))
