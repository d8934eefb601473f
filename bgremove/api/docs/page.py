"""Make the page of a document, and the policy that lets a browser run what is in it alone."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from bgremove.api.docs import words

FOLDER = Path(__file__).resolve().parent


@dataclass(frozen=True, slots=True)
class Page:
    """HTML, and its Content-Security-Policy."""

    html: str
    policy: str


def build_page(document: dict[str, Any]) -> Page:
    """Return the page of an OpenAPI document.

    Style and script stand in the page, named in the policy by their hashes: nothing else runs, and
    no route is needed for them.
    """
    style, script = ((FOLDER / name).read_text("utf-8") for name in ("page.css", "page.js"))
    environment = Environment(
        loader=PackageLoader("bgremove.api", "docs"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "flattened": partial(words.flattened, document=document),
        "constraints": words.constraints,
        "pretty": partial(json.dumps, indent=2, ensure_ascii=False),
    }
    html = environment.get_template("page.html").render(
        document=document,
        style=Markup(style),  # noqa: S704 -- our own file
        script=Markup(script),  # noqa: S704 -- our own file
    )
    return Page(html, _policy(style, script))


def _policy(style: str, script: str) -> str:
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {_hash(script)}",
            f"style-src {_hash(style)}",
            "img-src blob: data:",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        )
    )


def _hash(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")
    return f"'sha256-{digest}'"
