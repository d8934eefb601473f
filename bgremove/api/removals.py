"""POST /v1/remove-bg/universal: a form with a picture in, the subject out.

Form: image (file), subject (universal | human | product), output_format (transparent | white_bg |
mask | crop). Success is the bare picture, or the envelope where Accept asks for JSON alone.
"""

from __future__ import annotations

from typing import cast

import marshmallow
from flask import Blueprint, Request, Response, request

from bgremove.api import answers
from bgremove.api.auth import require_key
from bgremove.api.context import current
from bgremove.api.forms import Part, read_parts, shortened
from bgremove.api.negotiation import encoding, wants_json
from bgremove.api.openapi.operation import described
from bgremove.api.removal_description import REMOVAL
from bgremove.api.schemas.form import REQUIRED, RemovalFormSchema
from bgremove.api.services import services
from bgremove.datatypes import Options
from bgremove.errors import Detail, ImageError, ValidationError
from bgremove.imaging.probe import Limits, probe
from bgremove.pipeline import remove_background
from bgremove.serving.context import RequestContext

blueprint = Blueprint("removals", __name__)
blueprint.before_request(require_key)


@blueprint.post("/v1/remove-bg/universal")
@described(REMOVAL)
def remove() -> Response:
    """Validate, run the recipe, answer."""
    parts, context = services(), current()
    engine = parts.engine
    picture, options = _validated(_received(request, context), engine.limits)
    context.notes |= {
        "subject": options.subject,
        "format": options.output_format,
        "uploadBytes": len(picture),
    }
    with parts.places.take(context.deadline) as waited_s, parts.hangs.watch(context):
        context.notes["waitedMs"] = round(waited_s * 1000, 2)
        removal = remove_background(picture, options, engine, context.deadline)
    context.notes |= {
        "model": removal.model,
        "confidence": round(removal.confidence, 3),
        "pixels": removal.source_pixels,
        "stages": removal.stages_ms,
        "warnings": removal.warnings,
    }
    if wants_json(request):
        return answers.envelope(removal, options, context)
    return answers.picture(removal, context)


def _received(request: Request, context: RequestContext) -> dict[str, list[Part]]:
    """Read the form; what is not there by the deadline is not waited for."""
    with services().alarms.guard(context.deadline.at, context.connection.stop_reading):
        return read_parts(request, context.deadline)


def _validated(parts: dict[str, list[Part]], limits: Limits) -> tuple[bytes, Options]:
    try:
        fields = RemovalFormSchema(limits.max_upload_bytes).load(parts)
    except marshmallow.ValidationError as error:
        messages = cast("dict[str, list[str]]", error.messages)
        raise _faults(messages, parts, limits) from None
    picture = fields.pop("image")
    return picture, Options(**fields, encoding=encoding(request, fields["output_format"]))


def _faults(
    messages: dict[str, list[str]], parts: dict[str, list[Part]], limits: Limits
) -> ValidationError:
    """Name all faulty fields at once: where the form is wrong, the picture may be wrong as well.

    Reading the picture's header needs a place, like all work on a client's bytes.
    """
    details = [
        Detail(shortened(field), " ".join(issues)) for field, issues in sorted(messages.items())
    ]
    if "image" not in messages:
        try:
            with services().places.take(current().deadline):
                probe(cast("bytes", parts["image"][0].content), limits)
        except ImageError as error:
            details.append(Detail("image", error.message))
    if details == [Detail("image", REQUIRED)]:
        return ValidationError("Missing or empty image file", details=tuple(details))
    sentences = "; ".join(f"{detail.field}: {detail.issue}" for detail in details)
    return ValidationError(sentences, details=tuple(details))
