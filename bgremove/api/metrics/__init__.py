"""Metrics for Prometheus, the only package that imports its client library."""
