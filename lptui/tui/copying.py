"""What `c` copies and where `S` saves."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lptui.tui.app import LptuiApp

COPY_LIMIT = 64 * 1024
"""Terminals drop longer OSC 52 sequences."""


def text_to_copy(app: LptuiApp) -> str:
    """The selected row as `title: text` lines, or what the open screen shows."""
    screen = app.screen
    if screen is not app.overview:
        plain = getattr(screen, "plain_text", None)
        return str(plain())[:COPY_LIMIT] if plain is not None else ""
    pane = app.overview.focused_pane
    row = pane.selected
    if row is None:
        return ""
    section = next((part for part in pane.sections if row in part.rows), None)
    if section is None:
        return ""
    pairs = zip(section.columns, row.cells, strict=True)
    told = [(c.title, cell.text.strip()) for c, cell in pairs if c.key != "age"]
    lines = [f"{title}: {text}" for title, text in told if text]
    return "\n".join(lines)[:COPY_LIMIT]


def save_screen(app: LptuiApp) -> Path:
    """Writes the screen as SVG into the current folder, else into the state folder.

    Raises OSError when neither can be written.
    """
    from datetime import UTC, datetime

    stamp = datetime.fromtimestamp(app.clock.now(), UTC).strftime("%Y%m%d-%H%M%S")
    name = f"lptui-{stamp}.svg"
    content = app.export_screenshot(title="lptui")
    folder = Path.cwd()
    if not os.access(folder, os.W_OK):
        from lptui.paths import state_dir

        folder = state_dir()
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / name
    path.write_text(content, encoding="utf-8")
    return path
