"""What is left when the console fails: a report without values, and one line for the terminal."""

from __future__ import annotations

import traceback
from pathlib import Path

from lptui import __version__
from lptui.clock import iso
from lptui.errors import LptuiError
from lptui.paths import state_dir
from lptui.text import clean


def report(error: BaseException, now: float) -> LptuiError:
    """Writes the places in the code that the error passed through, never what they held.

    Messages of exceptions can hold what must stay secret: only the type is kept.
    """
    lines = [f"lptui {__version__} failed at {iso(now)}", ""]
    seen: BaseException | None = error
    while seen is not None and len(lines) < 400:
        lines.append(f"{type(seen).__module__}.{type(seen).__qualname__}")
        for frame in traceback.extract_tb(seen.__traceback__):
            lines.append(f"  {_short(frame.filename)}:{frame.lineno} in {frame.name}")
        seen = seen.__cause__ or seen.__context__
    where = _write("\n".join(lines) + "\n", now)
    what = f"the console failed ({clean(type(error).__name__, 60)})"
    return LptuiError(what, "this is a fault in lptui", f"the report is {where}")


def _short(filename: str) -> str:
    parts = Path(filename).parts
    return "/".join(parts[-3:])


def _write(content: str, now: float) -> str:
    folder = state_dir()
    path = folder / f"crash-{int(now)}.txt"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.write_text(content, encoding="utf-8")
        path.chmod(0o600)
    except OSError as error:
        return f"not written ({error.strerror})"
    return str(path)
