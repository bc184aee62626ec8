"""Where lptui keeps things; the only module that knows the operator's folders."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

CONFIG_ENV: Final = "LPTUI_CONFIG"
LOCAL_CONFIG: Final = Path("lptui.yaml")


def config_dir() -> Path:
    """The operator's configuration folder (`$XDG_CONFIG_HOME/lptui`, or the platform's)."""
    import platformdirs

    return Path(platformdirs.user_config_dir("lptui", appauthor=False))


def state_dir() -> Path:
    """Where the audit record and the journal are kept; `LPTUI_STATE` overrides it."""
    override = os.environ.get("LPTUI_STATE")
    if override:
        return Path(override)
    import platformdirs

    return Path(platformdirs.user_state_dir("lptui", appauthor=False))


def find_config(explicit: str | None) -> Path:
    """The configuration file to use: the argument, `LPTUI_CONFIG`, `./lptui.yaml`, the folder.

    The result need not exist: reading it tells the operator which path was tried.
    """
    if explicit:
        return Path(explicit)
    from_env = os.environ.get(CONFIG_ENV)
    if from_env:
        return Path(from_env)
    if LOCAL_CONFIG.exists():
        return LOCAL_CONFIG
    return config_dir() / "lptui.yaml"


def theme_dirs() -> tuple[Path, ...]:
    """Folders with theme files, the shipped ones first; later ones win."""
    package = Path(__file__).parent
    shipped = package / "themes"
    if not shipped.is_dir():
        shipped = package.parent / "themes"
    return (shipped, config_dir() / "themes")
