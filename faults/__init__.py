"""Inject faults into a running service, and count the lost requests."""
