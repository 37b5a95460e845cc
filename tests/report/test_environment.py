from __future__ import annotations

import json
import platform
from importlib.metadata import version

from cofilter.report.environment import PACKAGES, environment


def test_versions_and_machine_are_told() -> None:
    told = json.loads(json.dumps(environment()))
    assert told["python"] == platform.python_version()
    assert {name: told[name] for name in PACKAGES} == {name: version(name) for name in PACKAGES}
    assert told["cores"] >= 1
    assert told["processor"]
