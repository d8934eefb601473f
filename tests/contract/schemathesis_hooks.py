"""What schemathesis cannot make of itself: a file of the form that is a picture, or too large."""

from __future__ import annotations

from typing import Any

import schemathesis
from hypothesis import strategies

from bgremove.api.removal_description import EXAMPLES
from bgremove.settings import Settings
from tests.support.tiny import ball, encoded

PICTURES = [encoded(ball(), kind) for kind in (".png", ".jpg", ".bmp", ".webp", ".gif")]
NAMES = {example["image"] for example in EXAMPLES.values()}
TOO_LARGE = PICTURES[0] + bytes(Settings().max_upload_bytes)

schemathesis.openapi.format("binary", strategies.sampled_from(PICTURES))


@schemathesis.hook
def before_call(_: Any, case: schemathesis.Case, __: dict[str, Any]) -> None:
    """Put a picture where an example of the document stands for one, and a large one where asked.

    A file that is to be longer than `maxLength` is drawn from the same small pictures.
    """
    if not isinstance(case.body, dict):
        return
    body: dict[str, Any] = case.body
    image = body.get("image")
    image = getattr(image, "data", image)  # schemathesis wraps bytes that it has drawn
    if image in NAMES:
        body["image"] = PICTURES[0]
    elif image in PICTURES and case.meta and "maxLength" in str(case.meta.phase.data.description):
        body["image"] = TOO_LARGE
