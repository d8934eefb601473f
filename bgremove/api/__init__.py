"""The HTTP interface: views, schemas, errors, metrics and the OpenAPI document."""
