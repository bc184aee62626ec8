"""Themes: the shipped ones, and what a bad file costs."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.color import Color

from lptui.errors import LptuiError
from lptui.paths import theme_dirs
from lptui.tui import theming

SHIPPED = sorted(theme_dirs()[0].glob("*.yaml"))


def test_the_shipped_themes_are_there() -> None:
    assert {path.stem for path in SHIPPED} >= {
        "lptui-dark",
        "lptui-light",
        "lptui-contrast",
        "lptui-deuteranopia",
        "lptui-ansi",
    }


@pytest.mark.parametrize("path", SHIPPED, ids=lambda p: p.stem)
def test_each_shipped_theme_sets_every_colour(path: Path) -> None:
    theme = theming.load_file(path)
    assert theme.name == path.stem
    assert theming.VARIABLES.keys() <= theme.variables.keys()


@pytest.mark.parametrize("path", [p for p in SHIPPED if "ansi" not in p.stem], ids=lambda p: p.stem)
def test_text_stands_out_from_what_is_behind_it(path: Path) -> None:
    theme = theming.load_file(path)
    behind = [theme.background, theme.variables["lp-band"]]
    texts = [theme.foreground, theme.success, theme.warning, theme.error, theme.accent]
    texts += [theme.variables["lp-unknown"], theme.variables["lp-strong"]]
    for back in behind:
        for text in texts:
            assert contrast(str(text), str(back)) >= 4.5, (text, back)
        assert contrast(theme.variables["lp-muted"], str(back)) >= 3.0
    assert contrast(theme.variables["lp-cursor-text"], theme.variables["lp-cursor"]) >= 4.5


def contrast(one: str, other: str) -> float:
    """The ratio of WCAG 2."""
    lights = []
    for text in (one, other):
        parts = [v / 255 for v in Color.parse(text).rgb]
        linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in parts]
        lights.append(0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2])
    return (max(lights) + 0.05) / (min(lights) + 0.05)


def test_the_built_in_theme_equals_its_file() -> None:
    path = next(path for path in SHIPPED if path.stem == theming.DEFAULT)
    assert theming.load_file(path) == theming.BUILT_IN


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "not a mapping"),
        (b"- a", "not a mapping"),
        (b"a: [", "a.yaml"),
        (b"\xff\xfe\x00", "a.yaml"),
        (b"name: x", "'primary'"),
        (b"primary: nocolour", "is not a colour"),
        (b"primary: red\nvariables: 3", "'variables'"),
        (b"primary: red\nvariables: {lp-muted: '[/]'}", "is not a colour"),
        (b"primary: red\nborder: thick", "unknown key 'border'"),
        (b"primary: red\n" + b"#" * 70_000, "64 KiB"),
        (b"a: &a [*a]", "a.yaml"),
    ],
)
def test_a_bad_file_is_a_mistake_with_a_reason(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(content)
    with pytest.raises(LptuiError, match=r"theme a\.yaml") as caught:
        theming.load_file(path)
    assert words in str(caught.value)


def test_a_bad_file_costs_the_others_nothing(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("primary: 7 7")
    (tmp_path / "mine.yaml").write_text("name: mine\nprimary: '#ff0000'\n")
    themes, mistakes = theming.load_all([*theme_dirs(), tmp_path, tmp_path / "nowhere"])
    assert "mine" in themes
    assert "lptui-light" in themes
    assert len(mistakes) == 1
