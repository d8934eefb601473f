"""The one JSON envelope of every answer that is not a bare picture."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from bgremove.errors import Detail


def success_envelope(
    request_id: str, processing_ms: int, data: Mapping[str, Any], warnings: Iterable[str]
) -> dict[str, Any]:
    """Wrap the data of a success."""
    return {
        "meta": _meta(request_id, processing_ms),
        "data": data,
        "warnings": list(warnings),
        "error": None,
    }


def error_envelope(
    request_id: str,
    processing_ms: int,
    code: str,
    message: str,
    details: Iterable[Detail] = (),
    warnings: Iterable[str] = (),
) -> dict[str, Any]:
    """Wrap an error: its code, a sentence, the faulty fields, and what was bent before it."""
    faults = [{"field": detail.field, "issue": detail.issue} for detail in details]
    return {
        "meta": _meta(request_id, processing_ms),
        "data": None,
        "warnings": list(warnings),
        "error": {"code": code, "message": message, "details": faults},
    }


def _meta(request_id: str, processing_ms: int) -> dict[str, Any]:
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {"requestId": request_id, "createdAt": now, "processingMs": processing_ms}
