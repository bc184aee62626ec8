"""What is wrong with a configuration, for people and for editors.

The JSON's schema is `schemas/validate.schema.json`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Final

from lptui import __version__
from lptui.clock import iso
from lptui.config import Mistake
from lptui.errors import LptuiError
from lptui.report.json_report import SCHEMA_VERSION, dump

MISTAKE_FORMATS: Final = ("text", "json")


def refuse_mistake_format(form: str) -> None:
    """Raises LptuiError for a format that mistakes are not told in."""
    if form not in MISTAKE_FORMATS:
        known = " or ".join(MISTAKE_FORMATS)
        raise LptuiError("validate", f"has no format {form}", f"use {known}")


def render_mistakes(name: str, mistakes: Sequence[Mistake], form: str, now: float) -> str:
    """One line a mistake, or JSON with all that is known of each."""
    if form == "text":
        return "\n".join(map(str, mistakes)) or f"{name}: no mistakes"
    return dump(
        {
            "schema_version": SCHEMA_VERSION,
            "kind": "validate",
            "lptui_version": __version__,
            "collected_at": iso(now),
            "path": name,
            "mistakes": [asdict(found) for found in mistakes],
        }
    ).rstrip("\n")
