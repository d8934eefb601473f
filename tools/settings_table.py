"""Print the table of the settings for docs/settings.md."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

from bgremove.settings import CHECKOUT, CHOICES, PREFIX, Settings


def markdown_table() -> str:
    """Render the settings as a Markdown table."""
    lines = ["| variable | default | unit | meaning |", "| --- | --- | --- | --- |"]
    for row in fields(Settings):
        default = row.default
        if isinstance(default, Path):
            default = "weights/" if default.is_relative_to(CHECKOUT) else default.as_posix()
        elif isinstance(default, bool):
            default = int(default)
        shown = f"`{default}`" if default != "" else "none"
        unit, text = row.metadata["unit"], row.metadata["help"]
        choices = CHOICES.get(row.name)
        text += f" One of {', '.join(choices)}." if choices else ""
        lines.append(f"| `{PREFIX}{row.name.upper()}` | {shown} | {unit} | {text} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(markdown_table(), end="")
