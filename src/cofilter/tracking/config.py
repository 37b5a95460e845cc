"""What is tracked where."""

from __future__ import annotations

import os
from typing import Literal

from pydantic import Field

from cofilter.core.config import Config

Mode = Literal["auto", "online", "offline", "disabled"]

_OF_VARIABLE: dict[str, Mode] = {
    "online": "online",
    "run": "online",  # wandb's older names
    "offline": "offline",
    "dryrun": "offline",
    "disabled": "disabled",
}


class TrackingConfig(Config):
    """Where runs are tracked.

    Attributes
    ----------
    mode:
        ``auto`` follows WANDB_MODE when it is set; otherwise it is online when someone is logged
        in (WANDB_API_KEY, netrc or wandb's settings) and offline when nobody is.
    project, entity:
        Whose runs these are; without ``entity`` the account's default.
    init_timeout, finish_timeout:
        Seconds that an online run may wait for the server at its start and at its end.
    copy_artifacts_mb:
        Up to this size (MB) a logged file or folder is copied into the logs, so that an offline
        run can be sent after the original has changed; larger ones are read from their place.
    registry:
        Name of the W&B registry to which evaluate links the shipped model, for example ``model``;
        the collection there is called like the project.
    """

    mode: Mode = "auto"
    project: str = Field("cofilter", min_length=1)
    entity: str | None = None
    init_timeout: float = Field(20, gt=0)
    finish_timeout: float = Field(60, gt=0)
    copy_artifacts_mb: float = Field(256, ge=0)
    registry: str | None = Field(None, pattern="^[^/:]+$")

    @property
    def registry_target(self) -> str | None:
        """The collection to link to, as wandb names it."""
        return None if self.registry is None else f"wandb-registry-{self.registry}/{self.project}"

    @property
    def wanted_mode(self) -> Mode:
        """``mode``, or for ``auto`` what WANDB_MODE says, if anything."""
        if self.mode != "auto":
            return self.mode
        return _OF_VARIABLE.get(os.environ.get("WANDB_MODE", ""), "auto")
