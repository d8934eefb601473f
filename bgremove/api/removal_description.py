"""The description of POST /v1/remove-bg/universal, for the OpenAPI document."""

from __future__ import annotations

import re
from typing import Any

from bgremove.api.form import RemovalFormSchema
from bgremove.api.openapi.components import (
    EXAMPLE_META,
    INTERNAL,
    INVALID,
    NO_SUBJECT,
    OPTIONAL_KEY,
    OVERLOADED,
    RATE_LIMITED,
    UNAUTHORIZED,
    UPSTREAM,
)
from bgremove.api.openapi.operation import Described, Operation, ref, success
from bgremove.api.schemas import RemovalEnvelopeSchema
from bgremove.datatypes import ImageType
from bgremove.headers import Header
from bgremove.settings import MIB, Settings

TAG = "Removal"
RESULT_HEADERS = (
    Header.PROCESSING_MS,
    Header.SERVER_TIMING,
    Header.MODEL,
    Header.CONFIDENCE,
    Header.WIDTH,
    Header.HEIGHT,
    Header.FOREGROUND_TOP,
    Header.FOREGROUND_LEFT,
    Header.FOREGROUND_WIDTH,
    Header.FOREGROUND_HEIGHT,
    Header.WARNINGS,
)
HEADERS = (Header.VARY, *RESULT_HEADERS)
PICTURE_TYPES = [f"image/{kind.value.lower()}" for kind in ImageType]
# Fields of the form; `image` is a placeholder for the bytes of a file.
EXAMPLES: dict[str, dict[str, str]] = {
    "The subject on transparency": {"image": "photo.jpg"},
    "A product on white": {
        "image": "product-photo.jpg",
        "subject": "product",
        "output_format": "white_bg",
    },
    "A person, cropped": {"image": "portrait.jpg", "subject": "human", "output_format": "crop"},
    "A listing's square": {
        "image": "product-photo.jpg",
        "subject": "product",
        "output_format": "white_bg",
        "background": "#f5f5f5",
        "margin": "8%",
        "canvas": "2000x2000",
    },
    "A mask": {"image": "photo.jpg", "subject": "universal", "output_format": "mask"},
}
PNG = (
    "The subject on transparency with straight alpha (transparent, crop); a mask of one channel, 0 "
    "and 255 only (mask); the subject on a colour, if Accept takes PNG but not JPEG (white_bg)."
)
JPEG = "The subject on a colour (white_bg)."
WEBP = "Every format but mask, if Accept names image/webp. Its alpha is lossless."
ENVELOPE: Described = {
    "meta": EXAMPLE_META | {"processingMs": 214},
    "data": {
        "image": "iVBORw0KGgoAAAANSUhEUg==",
        "contentType": "image/png",
        "width": 1200,
        "height": 800,
        "subject": "universal",
        "outputFormat": "transparent",
        "model": "u2net-int8",
        "confidence": 0.914,
        "warnings": [],
        "foreground": {"top": 64, "left": 410, "width": 377, "height": 690},
    },
    "warnings": [],
    "error": None,
}


def _description(settings: Settings) -> str:
    return (
        "Send a JPEG, PNG, BMP, WEBP or GIF file of at most "
        f"{settings.max_upload_bytes / MIB:g} MiB, {settings.max_pixels:,} pixels and "
        f"{settings.max_side:,} pixels a side. The answer is upright (EXIF orientation is applied) "
        "and has no metadata. Of an animation, the first frame is used.\n\n"
        "`Accept` chooses the type of the answer: `image/png` gives PNG also for `white_bg`, "
        "`image/webp` gives WebP for every format but `mask`, and `application/json` without an "
        "image type gives JSON with the picture in base64. A compressed request body is refused "
        "with 415."
    )


def _form() -> dict[str, Any]:
    return {
        "schema": ref(RemovalFormSchema),
        "encoding": {"image": {"contentType": ", ".join(PICTURE_TYPES)}},
        "examples": {
            re.sub("[^a-z]+", "-", name.lower()): {"summary": name, "value": value}
            for name, value in EXAMPLES.items()
        },
    }


def _binary(media_type: str, description: str) -> dict[str, Any]:
    schema = {"type": "string", "format": "binary", "contentMediaType": media_type}
    return {"schema": schema | {"description": description}}


REMOVAL = Operation(
    name="removeBackground",
    tag=TAG,
    summary="Remove the background of a picture",
    description=_description,
    success=success(
        "The picture itself; JSON if `Accept` names application/json and no image type.",
        {
            "image/png": _binary("image/png", PNG),
            "image/jpeg": _binary("image/jpeg", JPEG),
            "image/webp": _binary("image/webp", WEBP),
            "application/json": {"schema": ref(RemovalEnvelopeSchema), "example": ENVELOPE},
        },
        HEADERS,
    ),
    failures=(INVALID, NO_SUBJECT, UNAUTHORIZED, RATE_LIMITED, INTERNAL, UPSTREAM, OVERLOADED),
    more={
        "security": OPTIONAL_KEY,
        "requestBody": {"required": True, "content": {"multipart/form-data": _form()}},
    },
)
