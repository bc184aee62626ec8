"""The journal's runs, and what would become of one that is taken up again, or back."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final

from lptui.actions.comparing import Compared, Verb
from lptui.actions.journal import Entry
from lptui.clock import iso
from lptui.text import clean

SCHEMA_VERSION: Final = 1

CUT: Final = "cut"
RUNNING: Final = "running"


def state_of(entry: Entry, cut: Collection[str]) -> str:
    """How a run ended; `cut` are the ids of those that did not and that nobody is at."""
    if entry.ended is not None:
        return entry.outcome
    return CUT if entry.id in cut else RUNNING


def render_journal(entries: Sequence[Entry], cut: Collection[str], form: str, now: float) -> str:
    """The runs, the newest last: one line each, or JSON."""
    if form == "json":
        return _document("runs", now, {"runs": [_entry(entry, cut) for entry in entries]})
    lines = [_line(entry, cut) for entry in entries] or ["no runs yet"]
    if cut:
        lines.append("cut half-way: lptui --headless resume RUN goes on, undo RUN takes it back")
    return "\n".join(lines)


def render_comparison(
    entry: Entry, verb: Verb, compared: Sequence[Compared], form: str, now: float
) -> str:
    """What a dry run of `resume` or `undo` prints."""
    if form == "text":
        return "\n".join(comparison_lines(entry, verb, compared))
    steps = [
        {
            "number": one.number + 1,
            "title": one.step.title,
            "target": one.step.target,
            "call": one.step.call,
            "undo": one.step.undo,
            "standing": one.word.value,
            "seen": one.seen or None,
        }
        for one in compared
    ]
    told = {"verb": verb.value, "run": _entry(entry, (entry.id,)), "steps": steps}
    return _document("comparison", now, told)


def comparison_lines(entry: Entry, verb: Verb, compared: Sequence[Compared]) -> Iterable[str]:
    """The run, and a line a step in the order in which they come."""
    yield f"{verb} run {entry.id}: {entry.plan.summary} (plan {entry.plan.hash})"
    end = f"ended {iso(entry.ended)}: {entry.outcome}" if entry.ended is not None else "no end"
    yield f"  begun {iso(entry.started)} by {entry.who}, {end}"
    for one in compared:
        seen = f": {one.seen}" if one.seen else ""
        yield f"  {one.number + 1}. {one.step.title} ({one.step.target}): {one.word}{seen}"


def _line(entry: Entry, cut: Collection[str]) -> str:
    state = state_of(entry, cut)
    far = f"{len(entry.made)} of {len(entry.plan.steps)} steps made"
    words = entry.summary or far
    who = f"by {entry.who}, plan {entry.plan.hash}"
    return clean(
        f"{iso(entry.started)} {entry.id} {state}: {entry.plan.action} {entry.plan.target},"
        f" {who}: {words}"
    )


def _entry(entry: Entry, cut: Collection[str]) -> dict[str, Any]:
    return {
        "run": entry.id,
        "action": entry.plan.action,
        "target": entry.plan.target,
        "plan": entry.plan.hash,
        "who": entry.who,
        "started": iso(entry.started),
        "ended": iso(entry.ended) if entry.ended is not None else None,
        "state": state_of(entry, cut),
        "summary": entry.summary or None,
        "steps": [
            {
                "number": number,
                "title": step.title,
                "target": step.target,
                "standing": entry.standing[number - 1].value
                if number - 1 in entry.standing
                else None,
            }
            for number, step in enumerate(entry.plan.steps, 1)
        ],
    }


def _document(kind: str, now: float, told: dict[str, Any]) -> str:
    head = {"schema_version": SCHEMA_VERSION, "kind": kind, "collected_at": iso(now)}
    return json.dumps(head | told, indent=2)
