"""The parts of the OpenAPI document.

A route is described beside its view (`operation`), a body by its schema (`bgremove.api.schemas`), a
header in `headers` and an error code in `errors`. tests/contract fails if a route, a header or a
code has no description. `document` imports apispec, so it is imported on the first request for the
document.
"""
