"""The parts of the OpenAPI document.

A route is described beside its view (`operation`), a body by its schema (`bgremove.api.schemas`), a
header in `headers`, an error code in `errors`. tests/contract fails on a route, a header or a code
that lacks a description. `document`, which imports apispec, is imported when the document is asked
for.
"""
