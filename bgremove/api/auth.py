"""Authentication, before the body is read and before a place is taken.

A client's key comes in X-Api-Key, X-RapidAPI-Key or Authorization: Bearer. If a gateway's secret is
configured, a request with X-RapidAPI-Proxy-Secret is checked by that secret alone: the gateway has
checked the client's key already, and this server does not know that key.
"""

from __future__ import annotations

from flask import request
from werkzeug.datastructures import Headers

from bgremove.api.context import current
from bgremove.api.services import services
from bgremove.errors import UnauthorizedError
from bgremove.headers import Header
from bgremove.keys.admission import Admission, Source

BLANKS = " \t"  # the blanks HTTP allows around a value; nginx counts by key and strips the same
KEY_HEADERS = (Header.RAPIDAPI_KEY, Header.API_KEY)
SECRET_HEADER = Header.RAPIDAPI_PROXY_SECRET
NO_KEY = "An API key is required; send it as X-Api-Key, X-RapidAPI-Key or Authorization: Bearer"
NO_SECRET = "This server answers its gateway only, which sends X-RapidAPI-Proxy-Secret"  # noqa: S105


def require_key() -> None:
    """Admit the request and note the id of its key.

    OPTIONS needs no key: it only names the methods, and a browser's preflight cannot carry a key.

    Raises:
        UnauthorizedError: The key or the secret is missing or wrong.

    """
    admission = services().admission
    if admission.is_open or request.method == "OPTIONS":
        return
    current().notes["key"] = _admitted(admission, request.headers)


def _admitted(admission: Admission, headers: Headers) -> str:
    """Return the id of the key that admits a request."""
    secret = headers.get(SECRET_HEADER, "").strip(BLANKS)
    if admission.gateway is not None and secret:
        wrong = f"{SECRET_HEADER} is not the one that this server knows"
        return _name_of(secret, admission.gateway, wrong)
    if admission.keys is None:
        raise UnauthorizedError(NO_SECRET, scheme="RapidAPI")
    key = _presented(headers)
    return _name_of(key, admission.keys, "The API key is unknown or has been revoked")


def _presented(headers: Headers) -> str:
    """Return the key of a request, which may come in several headers if they agree."""
    sent: dict[str, str] = {name: headers.get(name, "").strip(BLANKS) for name in KEY_HEADERS}
    scheme, _, token = headers.get("Authorization", "").strip(BLANKS).partition(" ")
    if scheme.lower() == "bearer":
        sent["Authorization"] = token.strip(BLANKS)
    for name, value in sent.items():
        if "," in value:  # servers join the values of a repeated header with commas
            raise UnauthorizedError(f"{name} has several values; send one API key", token=True)
    keys = {value for value in sent.values() if value}
    if not keys:
        raise UnauthorizedError(NO_KEY)
    if len(keys) > 1:
        names = " and ".join(name for name, value in sent.items() if value)
        raise UnauthorizedError(f"{names} carry different API keys; send one", token=True)
    return keys.pop()


def _name_of(presented: str, source: Source, wrong: str) -> str:
    name = source.ring.name_of(presented.encode("latin-1", "replace"))  # WSGI's own encoding
    if name is None:
        raise UnauthorizedError(wrong, token=True)
    return name
