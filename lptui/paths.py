"""Where lptui keeps things; the only module that knows the operator's folders."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from lptui.errors import LptuiError

CONFIG_ENV: Final = "LPTUI_CONFIG"
LOCAL_CONFIG: Final = Path("lptui.yaml")


def config_dir() -> Path:
    """The operator's configuration folder (`$XDG_CONFIG_HOME/lptui`, or the platform's)."""
    import platformdirs

    return Path(platformdirs.user_config_dir("lptui", appauthor=False))


def state_dir() -> Path:
    """Where what lptui remembers is kept; `LPTUI_STATE` overrides it."""
    override = os.environ.get("LPTUI_STATE")
    if override:
        return Path(override)
    import platformdirs

    return Path(platformdirs.user_state_dir("lptui", appauthor=False))


def record_dir(*, demo: bool) -> Path:
    """Where the audit record and the journal are kept; a demo's actions are kept apart."""
    return state_dir() / "demo" if demo else state_dir()


def find_config(explicit: str | None) -> Path:
    """The configuration file to use: the argument, `LPTUI_CONFIG`, `./lptui.yaml`, the folder.

    The result need not exist: reading it tells the operator which path was tried. An empty
    argument is a variable that was not set, and never means another file. `~` is expanded:
    neither cron nor `--config=~/x` does it.
    """
    named = explicit if explicit is not None else os.environ.get(CONFIG_ENV) or None
    if named is not None:
        if not named.strip():
            raise LptuiError("--config", "its PATH is empty", "is a variable not set?")
        return Path(os.path.expanduser(named))  # noqa: PTH111 (raises where there is no home)
    # A dangling link is the operator's mistake, and no reason to read another file; a folder
    # that may not be searched has none.
    if os.path.lexists(LOCAL_CONFIG):
        return LOCAL_CONFIG
    return config_dir() / "lptui.yaml"


def example_config() -> Path:
    """The commented example, in the package or beside it."""
    package = Path(__file__).parent
    shipped = package / "config" / "config.example.yaml"
    return shipped if shipped.is_file() else package.parent / "config.example.yaml"


def theme_dirs() -> tuple[Path, ...]:
    """Folders with theme files, the shipped ones first; later ones win."""
    package = Path(__file__).parent
    shipped = package / "themes"
    if not shipped.is_dir():
        shipped = package.parent / "themes"
    return (shipped, config_dir() / "themes")
