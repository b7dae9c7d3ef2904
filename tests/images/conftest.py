"""The official chart where it is at hand."""

from tests.values.conftest import chart

__all__ = ["chart"]
