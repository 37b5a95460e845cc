"""The same small log as the reproductions' tests have."""

from __future__ import annotations

from tests.reproduction.conftest import ratings as ratings
