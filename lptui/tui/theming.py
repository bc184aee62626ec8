"""Themes: the one that is built in for the first frame, and those from files.

A theme file is YAML: a name, the base colours of Textual's themes, and optional `variables`. The
built-in one equals `themes/lptui-dark.yaml`; a test holds them together.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from textual.theme import Theme

from lptui.errors import LptuiError, ProblemKind
from lptui.text import clean

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT: Final = "lptui-dark"
SIXTEEN: Final = "lptui-ansi"
"""For terminals with sixteen colours: they have no others, and each has its own idea of these."""

SUFFIX: Final = ".yaml"
FILE_LIMIT: Final = 64 * 1024

COLOURS: Final = (
    "primary",
    "secondary",
    "warning",
    "error",
    "success",
    "accent",
    "foreground",
    "background",
    "surface",
    "panel",
    "boost",
)

VARIABLES: Final = {
    "lp-muted": "ansi_bright_black",
    "lp-strong": "ansi_default",
    "lp-unknown": "ansi_magenta",
    "lp-cursor": "ansi_blue",
    "lp-cursor-text": "ansi_white",
    "lp-band": "ansi_default",
    "lp-heading": "ansi_default",
}
"""lptui's own colours, and what they are in a theme that does not set them."""

BUILT_IN: Final = Theme(
    name=DEFAULT,
    primary="#5fa8d3",
    secondary="#8fb8de",
    warning="#e5b567",
    error="#f2777a",
    success="#8fbf7f",
    accent="#6cc4d8",
    foreground="#c8d0d8",
    background="#11151a",
    surface="#171c22",
    panel="#1e252d",
    dark=True,
    variables={
        "lp-muted": "#76828e",
        "lp-strong": "#f1f5f8",
        "lp-unknown": "#b99bdc",
        "lp-cursor": "#26384a",
        "lp-cursor-text": "#f1f5f8",
        "lp-band": "#1a2129",
        "lp-heading": "#11151a",
    },
)


def remembered() -> str | None:
    """The theme that was chosen last; None when none was, or nobody can tell."""
    try:
        name = _memory().read_text(encoding="utf-8")[:80].strip()
    except (OSError, UnicodeError):
        return None
    return name or None


def remember(name: str) -> None:
    """Keeps a choice for the next time. Raises OSError."""
    path = _memory()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.write_text(f"{name}\n", encoding="utf-8")


def _memory() -> Path:
    from lptui.paths import state_dir

    return state_dir() / "theme"


def load_file(path: Path) -> Theme:
    """A theme from a file; raises LptuiError that says what is wrong with it."""
    import yaml

    what = f"theme {path.name}"
    try:
        with path.open("rb") as stream:
            raw = stream.read(FILE_LIMIT + 1)
    except OSError as error:
        raise _bad(what, error.strerror or str(error)) from None
    if len(raw) > FILE_LIMIT:
        raise _bad(what, "larger than 64 KiB")
    try:
        content = yaml.safe_load(raw)
    except (yaml.YAMLError, UnicodeError, RecursionError) as error:
        raise _bad(what, clean(str(error), 160)) from None
    if not isinstance(content, dict):
        raise _bad(what, "not a mapping of colours")
    return _theme(content, path.stem, what)


def _theme(content: Mapping[Any, Any], stem: str, what: str) -> Theme:
    known = {"name", "dark", "ansi", "variables", "luminosity_spread", *COLOURS}
    strange = [clean(str(key), 40) for key in content if key not in known]
    if strange:
        raise _bad(what, f"unknown key {strange[0]!r}")
    if "primary" not in content:
        raise _bad(what, "it must set 'primary'")
    fields: dict[str, Any] = {}
    for name in COLOURS:
        if name in content:
            fields[name] = _colour(content[name], name, what)
    variables = content.get("variables") or {}
    if not isinstance(variables, dict):
        raise _bad(what, "'variables' is not a mapping")
    fields["variables"] = {
        clean(str(key), 40): _colour(value, str(key), what) for key, value in variables.items()
    }
    return Theme(
        name=clean(str(content.get("name") or stem), 40),
        dark=bool(content.get("dark", True)),
        ansi=bool(content.get("ansi", False)),
        **fields,
    )


def _colour(value: object, name: str, what: str) -> str:
    from textual.color import Color, ColorParseError

    text = str(value)
    try:
        Color.parse(text)
    except ColorParseError:
        raise _bad(what, f"{clean(name, 40)}: {clean(text, 40)!r} is not a colour") from None
    return text


def _bad(what: str, why: str) -> LptuiError:
    return LptuiError(
        what, why, "correct the file; the other themes still work", kind=ProblemKind.NOT_CONFIGURED
    )


def load_all(folders: Iterable[Path]) -> tuple[dict[str, Theme], list[LptuiError]]:
    """Every theme of the folders by its name, later folders winning, and what was wrong."""
    themes: dict[str, Theme] = {}
    mistakes: list[LptuiError] = []
    for folder in folders:
        try:
            paths = sorted(folder.glob(f"*{SUFFIX}"))
        except OSError:
            continue
        for path in paths:
            try:
                theme = load_file(path)
            except LptuiError as error:
                mistakes.append(error)
            else:
                themes[theme.name] = theme
    return themes, mistakes
