"""The end of each command's help, in the order of a manual page."""

from __future__ import annotations

from collections.abc import Mapping


def manual(
    *,
    examples: Mapping[str, str],
    exit_codes: Mapping[int, str],
    environment: Mapping[str, str] | None = None,
) -> str:
    r"""Return the epilog of a command: examples, exit codes and environment.

    ``\b`` keeps click from rewrapping the lines of a paragraph.
    """
    parts = ["\b", "Examples:"]
    for line, meaning in examples.items():
        parts += [f"  # {meaning}", f"  {line}"]
    parts += ["", "\b", "Exit codes:"]
    parts += [f"  {code:<4} {meaning}" for code, meaning in exit_codes.items()]
    if environment:
        parts += ["", "\b", "Environment:"]
        for name, meaning in environment.items():
            parts += [f"  {name}", f"      {meaning}"]
    return "\n".join(parts)
