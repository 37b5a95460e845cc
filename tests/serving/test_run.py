from __future__ import annotations

import importlib.util
import socket
from pathlib import Path
from typing import Any

import pytest

from cofilter.core.errors import ConfigError, DataError, MissingDependencyError
from cofilter.serving.run import serve


def test_a_missing_extra_is_one_clear_line(monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.util.find_spec

    def without(name: str) -> Any:
        return None if name in ("uvicorn", "httptools") else found(name)

    monkeypatch.setattr(importlib.util, "find_spec", without)
    with pytest.raises(MissingDependencyError) as raised:
        serve([])
    assert str(raised.value) == (
        "the service needs uvicorn, httptools: pip install 'cofilter[serve]'"
    )


def test_impossible_settings_are_refused_by_name() -> None:
    with pytest.raises(ConfigError, match=r"serve\.workers: 0 is not allowed"):
        serve([], workers=0)
    with pytest.raises(ConfigError, match=r"serve\.treads: unknown key"):
        serve([], treads=2)


def test_an_address_in_use_is_refused(folders: dict[str, Path]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=f"cannot listen on 127.0.0.1 port {port}"):
            serve([folders["als"]], port=port)


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"model\.json"):
        serve([tmp_path], port=0)
