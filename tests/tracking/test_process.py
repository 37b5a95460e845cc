from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from cofilter.tracking import process
from tests.tracking.runs import config
from tests.tracking.wandb_server import KEY, serving


def test_auto_is_offline_when_nobody_is_logged_in(tmp_path: Path) -> None:
    assert process.prepare(config(mode="auto"), tmp_path) == "offline"


@pytest.mark.parametrize("where", ["variable", "netrc", "settings"])
def test_auto_is_online_when_logged_in_and_asks_no_server(
    tmp_path: Path, home: Path, where: str
) -> None:
    with serving() as server:
        os.environ["WANDB_BASE_URL"] = server.url
        if where == "variable":
            os.environ["WANDB_API_KEY"] = KEY
        elif where == "netrc":
            host = server.url.removeprefix("http://")
            (home / ".netrc").write_text(f"machine {host}\n  login user\n  password {KEY}\n")
        else:
            settings = home / ".config" / "wandb" / "settings"
            settings.parent.mkdir(parents=True)
            settings.write_text(f"[default]\napi_key = {KEY}\n")
        assert process.prepare(config(mode="auto"), tmp_path) == "online"
        assert server.requests == 0


def test_wandb_settings_file_can_choose_offline(tmp_path: Path, home: Path) -> None:
    os.environ["WANDB_API_KEY"] = KEY
    settings = home / ".config" / "wandb" / "settings"
    settings.parent.mkdir(parents=True)
    settings.write_text("[default]\nmode = offline\n")
    assert process.prepare(config(mode="auto"), tmp_path) == "offline"


@pytest.mark.parametrize("mode", ["online", "offline"])
def test_a_named_mode_is_taken(tmp_path: Path, mode: str) -> None:
    assert process.prepare(config(mode=mode), tmp_path) == mode


def test_a_log_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("in the way")
    with pytest.raises(OSError, match="logs"):
        process.prepare(config(), tmp_path)


def test_waiting_ends_at_the_limit() -> None:
    release = threading.Event()

    def stuck() -> None:
        release.wait(60)

    assert not process._within(0.05, stuck)
    release.set()
    assert process._within(60, stuck)


def test_a_call_that_fails_did_not_succeed() -> None:
    def fail() -> None:
        raise ConnectionResetError

    assert not process._within(60, fail)
