"""Names of the HTTP headers of the contract."""

from enum import StrEnum


class Header(StrEnum):
    """A header of requests or responses."""

    REQUEST_ID = "X-Request-Id"
    PROCESSING_MS = "X-Processing-Ms"
    SERVER_TIMING = "Server-Timing"
    MODEL = "X-Model"
    CONFIDENCE = "X-Confidence"
    WIDTH = "X-Width"
    HEIGHT = "X-Height"
    FOREGROUND_TOP = "X-Foreground-Top"
    FOREGROUND_LEFT = "X-Foreground-Left"
    FOREGROUND_WIDTH = "X-Foreground-Width"
    FOREGROUND_HEIGHT = "X-Foreground-Height"
    WARNINGS = "X-Warnings"
    API_KEY = "X-Api-Key"
    RAPIDAPI_KEY = "X-RapidAPI-Key"
    RAPIDAPI_PROXY_SECRET = "X-RapidAPI-Proxy-Secret"  # noqa: S105 -- the header's name
    RETRY_AFTER = "Retry-After"
    CACHE_CONTROL = "Cache-Control"
    CONTENT_TYPE_OPTIONS = "X-Content-Type-Options"
    CONTENT_SECURITY_POLICY = "Content-Security-Policy"
    ACCEPT_ENCODING = "Accept-Encoding"
    REFERRER_POLICY = "Referrer-Policy"
    WWW_AUTHENTICATE = "WWW-Authenticate"
    ALLOW = "Allow"
    VARY = "Vary"
