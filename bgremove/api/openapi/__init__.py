"""The OpenAPI document: what every route takes and answers.

A route is added by a module of `operations`, named in `document.OPERATIONS`; a header in `headers`,
an error code in `errors`. tests/openapi fails on whatever the application has and this has not.
Nothing here is imported before the document is asked for.
"""
