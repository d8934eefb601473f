"""The headers for an API key. A server without keys requires none and ignores them."""

from __future__ import annotations

from typing import Any

from bgremove.headers import Header


def _key(header: str, description: str) -> dict[str, Any]:
    return {"type": "apiKey", "in": "header", "name": header, "description": description}


SCHEMES: dict[str, dict[str, Any]] = {
    "ApiKey": _key(Header.API_KEY, "A key."),
    "Bearer": {"type": "http", "scheme": "bearer", "description": "A key, as a bearer token."},
    "RapidApiKey": _key(Header.RAPIDAPI_KEY, "A key, in the header of RapidAPI's clients."),
    "RapidApiProxySecret": _key(
        Header.RAPIDAPI_PROXY_SECRET,
        "The secret that RapidAPI's gateway sends in place of the keys of its clients.",
    ),
}
# Any one of them, or none: the operator decides.
_ANY: list[dict[str, list[str]]] = [{name: []} for name in SCHEMES]
OPTIONAL_KEY = [{}, *_ANY]
