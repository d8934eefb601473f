"""Fixtures for the tests of a worker's protection."""

from tests.api.conftest import settings

__all__ = ["settings"]
