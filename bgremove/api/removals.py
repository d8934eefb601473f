"""POST /v1/remove-bg/universal: remove the background of the picture in a form.

Form: image (file), subject (universal | human | product), output_format (transparent | white_bg |
mask | crop), background, margin, canvas. A success is the bare picture, or the envelope if Accept
asks for JSON alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import replace
from typing import Any, cast

import marshmallow
from flask import Blueprint, Request, Response, request
from gunicorn.http.errors import ParseException

from bgremove import cost
from bgremove.api import answers
from bgremove.api.auth import require_key
from bgremove.api.context import current
from bgremove.api.form import REQUIRED, RemovalFormSchema
from bgremove.api.multipart import Part, read_parts, refuse_compressed, shortened
from bgremove.api.openapi.operation import described
from bgremove.api.removal_description import REMOVAL
from bgremove.api.services import services
from bgremove.datatypes import Removal
from bgremove.errors import Detail, ImageError, ValidationError
from bgremove.imaging.placement import check_canvas
from bgremove.imaging.probe import Limits, glance, probe
from bgremove.options import Options, OutputFormat
from bgremove.pipeline import remove_background
from bgremove.serving.request import RequestContext

IN_QUERY = "Send it as a field of the form (multipart/form-data), not in the URL's query"
blueprint = Blueprint("removals", __name__)
blueprint.before_request(require_key)


@blueprint.post("/v1/remove-bg/universal")
@described(REMOVAL)
def remove() -> Response:
    """Validate the form, run the recipe and answer."""
    parts, context = services(), current()
    engine = parts.engine
    picture, options = _validated(_received(request, context), request.args, engine.limits)
    context.notes |= {
        "subject": options.subject,
        "format": options.output_format,
        "options": options.extras,
        "uploadBytes": len(picture),
    }
    estimated_s = _estimated_s(picture, options)
    with parts.places.take(context.deadline, estimated_s) as waited_s, ExitStack() as on_failure:
        context.notes["waitedMs"] = round(waited_s * 1000, 2)
        claim = on_failure.enter_context(engine.room.claim())
        deadline = replace(context.deadline, work_s=parts.places.expected_s(estimated_s))
        with parts.hangs.watch(context):
            removal = remove_background(picture, options, engine, deadline, claim)
        response = _answer(removal, options, context)
        if context.connection.has_socket:
            claim.shrink(response.content_length or 0)  # an answer that waits for its client
            response.call_on_close(on_failure.pop_all().close)  # released when the answer is sent
    context.notes |= {
        "model": removal.model,
        "confidence": round(removal.confidence, 3),
        "pixels": removal.source_pixels,
        "stages": removal.stages_ms,
        "warnings": removal.warnings,
    }
    return response


def _estimated_s(picture: bytes, options: Options) -> float:
    """Estimate the seconds of work; a file that declares no picture takes next to none."""
    header = glance(picture)
    return cost.seconds(header, options) if header else 0.0


def _answer(removal: Removal, options: Options, context: RequestContext) -> Response:
    if answers.wants_json(request):
        return answers.envelope(removal, options, context)
    return answers.picture(removal, context)


def _received(request: Request, context: RequestContext) -> dict[str, list[Part]]:
    """Read the form until the deadline for reading."""
    refuse_compressed(request)
    with services().alarms.guard(context.reading.at, context.connection.stop_reading):
        try:
            parts = read_parts(request, context.reading)
        except ValidationError as error:
            if isinstance(error.__cause__, ParseException):  # no next request can be found
                context.connection.close_after_answer()
            raise
    context.start_work()
    return parts


def _validated(
    parts: dict[str, list[Part]], query: Iterable[str], limits: Limits
) -> tuple[bytes, Options]:
    """Return the picture and its options.

    Raises:
        ValidationError: The form or the picture is faulty; the error names every fault.

    """
    schema = RemovalFormSchema(limits.max_upload_bytes)
    faults = {name: [IN_QUERY] for name in query if name in schema.fields}
    try:
        fields = schema.load(parts)
    except marshmallow.ValidationError as error:
        fields = cast("dict[str, Any]", error.valid_data)
        messages = cast("dict[str, list[str]]", error.messages)
        faults = {name: faults.get(name, []) + issues for name, issues in messages.items()} | {
            name: issues for name, issues in faults.items() if name not in messages
        }
    picture = fields.pop("image", b"")
    try:
        chosen = answers.encoding(request, fields.get("output_format", OutputFormat.TRANSPARENT))
        options = Options(**fields, encoding=chosen)
        check_canvas(options, limits.max_pixels)
    except ValidationError as error:
        for detail in error.details:
            faults.setdefault(detail.field, []).append(detail.issue)
    if faults:
        raise _error_of_all(faults, picture, limits)
    return picture, options


def _error_of_all(faults: dict[str, list[str]], picture: bytes, limits: Limits) -> ValidationError:
    """Make the error for all faulty fields, those of the picture included.

    Reading the picture's header needs a place, like all work on a client's bytes.
    """
    details = [
        Detail(shortened(field), " ".join(issues)) for field, issues in sorted(faults.items())
    ]
    if "image" not in faults:
        try:
            with services().places.take(current().deadline):
                probe(picture, limits)
        except ImageError as error:
            details.append(Detail("image", error.message))
    if details == [Detail("image", REQUIRED)]:
        return ValidationError("Missing or empty image file", details=tuple(details))
    sentences = "; ".join(f"{detail.field}: {detail.issue}" for detail in details)
    return ValidationError(sentences, details=tuple(details))
