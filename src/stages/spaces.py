"""What hyper-parameters may vary, for the apps that search: every conf/<family>/search.yaml."""

from __future__ import annotations

from hydra.core.config_store import ConfigStore

from stages.drift import CONF


def offer_spaces(group: str) -> None:
    """Store ``<group>_spaces``, which gives ``<group>.space.<family>`` for each family with one."""
    families = sorted(path.parent.name for path in CONF.glob("*/search.yaml"))
    spaces = [{f"{family}@{group}.space.{family}": "search"} for family in families]
    ConfigStore.instance().store(f"{group}_spaces", {"defaults": spaces})
