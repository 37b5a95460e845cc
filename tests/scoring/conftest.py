"""The same small log as the evaluation's tests have."""

from __future__ import annotations

from tests.evaluation.conftest import audited as audited
from tests.evaluation.conftest import config as config
from tests.evaluation.conftest import model_config as model_config
from tests.evaluation.conftest import parts as parts
from tests.evaluation.conftest import ratings as ratings
from tests.evaluation.conftest import split as split
