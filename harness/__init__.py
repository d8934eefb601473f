"""Servers and clients for the tests, the benchmark and the fault injection."""
