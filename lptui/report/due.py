"""What was decided about automatic calls of reward, and what became of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from lptui.actions.plan import Plan, Result
from lptui.clock import iso
from lptui.fleet.retry import Decision, Standing
from lptui.report.actions import SCHEMA_VERSION, one_run, plan_lines, result_lines

Due = tuple[Plan, Decision, Result | None]


def render_due(found: Sequence[Due], now: float, form: str) -> str:
    """All of one command; `form` is text or json."""
    if form == "json":
        runs = [{"decision": _decision(d), **one_run(plan, result)} for plan, d, result in found]
        whole = {"schema_version": SCHEMA_VERSION, "collected_at": iso(now), "runs": runs}
        return json.dumps(whole, indent=2, ensure_ascii=False)
    lines: list[str] = []
    for plan, decision, result in found:
        lines.append(line_of(decision))
        if result is not None:
            lines += result_lines(result)
        elif decision.standing is Standing.DUE:
            lines += plan_lines(plan)
    return "\n".join(lines)


def line_of(decision: Decision) -> str:
    """One decision in a line."""
    when = ""
    if decision.standing is Standing.WAITING and decision.at is not None:
        when = f"; next try from {iso(decision.at)}"
    tries = f" ({decision.tries} of {decision.most} tries of this round made)"
    return f"{decision.standing}: {decision.orchestrator}: {decision.why}{when}{tries}"


def _decision(decision: Decision) -> dict[str, Any]:
    return {
        "orchestrator": decision.orchestrator,
        "standing": decision.standing.name.lower(),
        "why": decision.why,
        "next_try_at": None if decision.at is None else iso(decision.at),
        "tries": decision.tries,
        "most_tries": decision.most,
    }
