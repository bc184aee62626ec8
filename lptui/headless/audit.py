"""`lptui audit`: the record of actions, and whether it is as it was written."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from lptui.actions.audit import FILE
from lptui.actions.audit_reading import records, verify
from lptui.clock import SystemClock
from lptui.errors import LptuiError
from lptui.paths import record_dir
from lptui.report.audit import refuse_audit_format, render_record, render_records, render_verdict
from lptui.text import clean

NOT_WHOLE = 2


def audit(arguments: argparse.Namespace) -> int:
    """Prints the runs, one run or the chain's state; 2 when the chain is not whole."""
    words: list[str] = arguments.words[1:]
    refuse_audit_format(arguments.format)
    path = record_dir(demo=arguments.demo) / FILE
    if arguments.verify:
        if words:
            raise LptuiError("audit --verify", "takes no run", "it looks at the whole record")
        return _verify(path, arguments.format)
    if len(words) > 1:
        raise LptuiError("audit", "takes one run at most", "lptui audit lists them all")
    now, runs = SystemClock().now(), records(path)
    if not words:
        _out(render_records(runs, arguments.format, now))
        return 0
    found = next((run for run in runs if run.run == words[0]), None)
    if found is None:
        raise LptuiError(words[0], "the record has no such run", "lptui audit lists them all")
    _out(render_record(found, arguments.format, now))
    return 0


def _verify(path: Path, form: str) -> int:
    verdict = verify(path)
    _out(render_verdict(clean(str(path)), verdict, form, SystemClock().now()))
    return NOT_WHOLE if verdict.faults else 0


def _out(text: str) -> None:
    sys.stdout.write(f"{text}\n")
