"""Lines of logs for people and for scripts, one a line."""

from __future__ import annotations

import json

from lptui.clock import iso
from lptui.fleet.logs import LogLine, Stream, TimeKind


def render(stream: Stream, line: LogLine, form: str, *, named: bool) -> str:
    """`form` is text (time in UTC, the node where there are several, the line) or json."""
    if form == "json":
        return json.dumps(
            {
                "time": None if line.time_kind is TimeKind.UNKNOWN else iso(line.at),
                "time_is": line.time_kind.value,
                "node": stream.name,
                "host": stream.host,
                "log": str(stream.source).strip(),
                "level": line.level.word.lower() or None,
                "text": line.text,
            }
        )
    time = {
        TimeKind.WRITTEN: iso(line.at),
        TimeKind.SEEN: f"~{iso(line.at)}",
        TimeKind.UNKNOWN: "?",
    }[line.time_kind]
    name = f"{stream.name} " if named else ""
    return f"{time} {name}{line.text}"
