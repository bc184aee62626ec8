"""What a node's route answered, as text and as JSON; all of it is safe to print."""

from __future__ import annotations

from lptui.present.inspected import Inspected, laid_out
from lptui.report.encode import time
from lptui.report.json_report import SCHEMA_VERSION


def render(found: Inspected, form: str) -> str:
    """`form` is text or json. JSON that a node gives is laid out; its text is cleaned."""
    if form == "json":
        document = {
            "schema_version": SCHEMA_VERSION,
            "kind": "get",
            "collected_at": time(found.at),
            "node": found.node,
            "route": found.route,
            "http_status": found.status,
            "took_seconds": round(found.took_s, 6),
            "notes": list(found.notes),
            "body": found.value if found.value is not None else "\n".join(found.lines),
        }
        return laid_out(document) + "\n"
    head = "" if found.status == 200 else f"HTTP {found.status}\n"
    text = "\n".join(found.lines)
    return f"{head}{text}\n" if text else head or "(an empty answer)\n"
