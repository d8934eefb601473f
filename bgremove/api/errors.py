"""Error handlers: every exception becomes an answer with the error envelope."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from http import HTTPStatus

from flask import Blueprint, Response, request
from flask.blueprints import BlueprintSetupState
from werkzeug.exceptions import HTTPException, NotFound, RequestEntityTooLarge

from bgremove.api.answers import error_envelope
from bgremove.api.context import current
from bgremove.errors import (
    CLIENT_GONE,
    BgremoveError,
    ClientGoneError,
    Detail,
    ErrorCode,
    NoSubjectError,
    UpstreamError,
)

blueprint = Blueprint("errors", __name__)
logger = logging.getLogger(__name__)

CLIENT_GONE_STATUS = 499  # nginx's number; never sent to a client
UNFORESEEN = "An unforeseen error happened on the server; quote requestId to its operator"
MESSAGES = {
    404: (
        "There is no such path on this server; pictures go to POST /v1/remove-bg/universal, health"
        " checks to GET /livez and /readyz"
    ),
    405: "This path does not take that method; the Allow header names those it takes",
}


@blueprint.record_once
def _refuse_redirects(state: BlueprintSetupState) -> None:
    """Answer ``//livez`` with 404.

    Flask sends its redirects as HTML, without calling an error handler.
    """
    state.app.url_map.merge_slashes = False


@blueprint.before_app_request
def _refuse_leading_slashes() -> None:
    """Answer ``//metrics`` with 404.

    Werkzeug treats it as ``/metrics``, which a proxy may hide.
    """
    if request.environ.get("PATH_INFO", "").startswith("//"):
        raise NotFound


@blueprint.app_errorhandler(BgremoveError)
def answer_domain_error(error: BgremoveError) -> Response:
    """Answer an error of bgremove. Its message is public; the details go to the log."""
    if error.private is not None:
        level = logging.ERROR if error.status >= 500 else logging.INFO
        logger.log(level, error.message, extra={"code": error.code, "cause": error.private})
    if isinstance(error, NoSubjectError):
        current().notes |= {"model": error.model, "warnings": error.warnings}
    response = Response(status=error.status, headers=dict(error.headers))
    return _with_envelope(response, error.code, error.message, error.details, error.warnings)


@blueprint.app_errorhandler(ClientGoneError)
def note_client_gone(error: ClientGoneError) -> Response:
    """Note a dropped request in the log with nginx's status. No client receives the answer."""
    current().notes |= {"code": CLIENT_GONE, "cause": f"gone in {error.step}"}
    return Response(status=CLIENT_GONE_STATUS)


@blueprint.app_errorhandler(MemoryError)
def answer_out_of_memory(error: MemoryError) -> Response:
    """Answer a MemoryError outside the pipeline, such as in a form or an envelope."""
    return answer_domain_error(UpstreamError("The server is out of memory", private=repr(error)))


@blueprint.app_errorhandler(HTTPException)
def answer_http_error(error: HTTPException) -> Response:
    """Answer Flask's own errors and keep their headers (Allow, Retry-After)."""
    response = Response(status=error.code, headers=error.get_response().headers)
    if isinstance(error, RequestEntityTooLarge):
        response.status_code = HTTPStatus.BAD_REQUEST
        issue = "The form is larger than the limits of this server allow"
        return _with_envelope(
            response, ErrorCode.VALIDATION_ERROR, issue, (Detail("image", issue),)
        )
    at_fault = response.status_code < HTTPStatus.INTERNAL_SERVER_ERROR
    code = ErrorCode.of_status(response.status_code)
    default = "The request is not well formed" if at_fault else UNFORESEEN
    return _with_envelope(response, code, MESSAGES.get(response.status_code, default))


@blueprint.app_errorhandler(Exception)
def answer_unforeseen(error: Exception) -> Response:
    """Answer an unforeseen exception; the only handler in bgremove that catches everything."""
    logger.error("unforeseen error", exc_info=error)
    return _with_envelope(Response(status=500), ErrorCode.INTERNAL_ERROR, UNFORESEEN)


def _with_envelope(
    response: Response,
    code: ErrorCode,
    message: str,
    details: Iterable[Detail] = (),
    warnings: Iterable[str] = (),
) -> Response:
    """Fill a response with the envelope of an error and note its code for the access log."""
    context = current()
    context.notes["code"] = code
    elapsed_ms = context.elapsed_ms
    body = error_envelope(context.request_id, elapsed_ms, code, message, details, warnings)
    response.set_data(body)
    response.mimetype = "application/json"
    return response
