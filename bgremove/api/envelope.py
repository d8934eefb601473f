"""The JSON envelope of every answer that is not a bare picture."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from bgremove.api.schemas.answers import ErrorEnvelopeSchema, RemovalEnvelopeSchema
from bgremove.errors import Detail, ErrorCode

_SUCCESS, _ERROR = RemovalEnvelopeSchema(), ErrorEnvelopeSchema()


def success_envelope(
    request_id: str, processing_ms: int, data: Mapping[str, Any], warnings: Iterable[str]
) -> str:
    """Return the data of a removal in an envelope, as JSON."""
    meta = _meta(request_id, processing_ms)
    return json.dumps(_SUCCESS.dump({"meta": meta, "data": data, "warnings": list(warnings)}))


def error_envelope(
    request_id: str,
    processing_ms: int,
    code: ErrorCode,
    message: str,
    details: Iterable[Detail] = (),
    warnings: Iterable[str] = (),
) -> str:
    """Return an error in an envelope, as JSON: code, message, faulty fields and warnings."""
    meta = _meta(request_id, processing_ms)
    error = {"code": code, "message": message, "details": list(details)}
    return json.dumps(_ERROR.dump({"meta": meta, "error": error, "warnings": list(warnings)}))


def _meta(request_id: str, processing_ms: int) -> dict[str, Any]:
    now = datetime.now(UTC)
    return {"request_id": request_id, "created_at": now, "processing_ms": processing_ms}
