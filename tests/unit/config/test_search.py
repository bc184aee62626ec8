"""Which configuration file is read."""

from __future__ import annotations

from pathlib import Path

import pytest

from lptui.errors import LptuiError
from lptui.paths import example_config, find_config


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home, which is also the current folder."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    monkeypatch.delenv("LPTUI_CONFIG", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_order(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_config(None) == home / "xdg" / "lptui" / "lptui.yaml"
    (home / "lptui.yaml").touch()
    assert find_config(None) == Path("lptui.yaml")
    monkeypatch.setenv("LPTUI_CONFIG", "from-env.yaml")
    assert find_config(None) == Path("from-env.yaml")
    assert find_config("given.yaml") == Path("given.yaml")


def test_a_home_that_no_shell_has_expanded(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_config("~/a.yaml") == home / "a.yaml"
    monkeypatch.setenv("LPTUI_CONFIG", "~/b.yaml")
    assert find_config(None) == home / "b.yaml"


def test_a_dangling_link_is_not_passed_over(home: Path) -> None:
    (home / "lptui.yaml").symlink_to("elsewhere.yaml")
    assert find_config(None) == Path("lptui.yaml")


@pytest.mark.usefixtures("home")
def test_an_empty_path_is_no_other_file() -> None:
    for empty in ("", "  "):
        with pytest.raises(LptuiError, match="empty"):
            find_config(empty)


def test_an_empty_variable_is_as_if_it_were_not_set(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LPTUI_CONFIG", "")
    assert find_config(None).is_relative_to(home)


def test_the_example_is_there() -> None:
    assert example_config().read_text(encoding="utf-8").startswith("# lptui")
