"""Plans and results of actions, for people and for scripts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from lptui.actions.plan import Cost, Plan, Result, StepResult
from lptui.clock import iso

SCHEMA_VERSION = 1

Run = tuple[Plan, Result | None]


def render_runs(runs: Sequence[Run], now: float, form: str) -> str:
    """All runs of one command; `form` is text or json."""
    if form == "json":
        return json.dumps(_document(runs, now), indent=2, ensure_ascii=False)
    lines: list[str] = []
    for plan, result in runs:
        lines += plan_lines(plan) if result is None else result_lines(result)
    return "\n".join(lines)


def plan_lines(plan: Plan) -> tuple[str, ...]:
    """A plan as the confirm screen and the dry run show it."""
    return tuple(_plan_lines(plan))


def _plan_lines(plan: Plan) -> Iterable[str]:
    yield f"plan {plan.hash}: {plan.summary}"
    yield f"  effect: {plan.effect}"
    if plan.blast:
        yield f"  affects: {plan.blast}"
    yield f"  cost: {plan.cost}"
    if plan.lock is not None:
        yield f"  lock: {plan.lock}"
    for warning in plan.warnings:
        yield f"  warning: {warning}"
    for item in plan.preconditions:
        word = {True: "ok", False: "NO", None: "??"}[item.met]
        yield f"  [{word}] {item.name}: {item.evidence}"
        if item.met is not True and item.remedy:
            yield f"       {item.remedy}"
    for number, step in enumerate(plan.steps, 1):
        yield f"  {number}. {step.title} ({step.target}): {step.call}"
        if step.precondition:
            yield f"     first: {step.precondition}"
        yield f"     then: {step.postcondition}; within {step.deadline_s:.0f} s; undo: {step.undo}"
    if plan.done:
        yield f"  nothing to do: {plan.done}"
    elif plan.refusals:
        yield "  refused: not every precondition holds"


def result_lines(result: Result) -> tuple[str, ...]:
    """A result: outcome, what proves it, what to do next."""
    lines = [f"{result.outcome.value}: {result.plan.action} {result.plan.target}: {result.summary}"]
    lines += [f"  {step.outcome.value}: {step.title}: {step.detail}" for step in result.steps]
    lines += [f"  {name}: {value}" for name, value in result.proof]
    if result.remedy:
        lines.append(f"  next: {result.remedy}")
    return tuple(lines)


def _document(runs: Sequence[Run], now: float) -> dict[str, Any]:
    documents = [one_run(plan, result) for plan, result in runs]
    whole: dict[str, Any] = {"schema_version": SCHEMA_VERSION, "collected_at": iso(now)}
    if len(documents) == 1:
        whole |= documents[0]
    return whole | {"runs": documents}


def one_run(plan: Plan, result: Result | None) -> dict[str, Any]:
    """One plan with its result as JSON has them."""
    return {"plan": _plan(plan, result), "result": _result(result)}


def _plan(plan: Plan, result: Result | None) -> dict[str, Any]:
    outcomes = _outcomes(plan, result)
    return {
        "hash": plan.hash,
        "action": plan.action,
        "target": plan.target,
        "summary": plan.summary,
        "effect": plan.effect,
        "blast": plan.blast or None,
        "on_failure": plan.on_failure.value,
        "cost": plan.cost,
        **_cost(plan.exact_cost),
        "done": plan.done or None,
        "may_run": not plan.why_not,
        "preconditions": [asdict(item) for item in plan.preconditions],
        "lock": asdict(plan.lock) if plan.lock else None,
        "warnings": list(plan.warnings),
        "facts": dict(plan.facts),
        "steps": [
            {
                **asdict(step),
                "outcome": outcomes[number].outcome.value if number in outcomes else None,
                "detail": outcomes[number].detail if number in outcomes else None,
            }
            for number, step in enumerate(plan.steps)
        ],
    }


def _outcomes(plan: Plan, result: Result | None) -> dict[int, StepResult]:
    """What became of the steps, by their place in the plan."""
    places = {step.title: number for number, step in enumerate(plan.steps)}
    found = {}
    for step in result.steps if result else ():
        number = step.number if step.number is not None else places.get(step.title)
        if number is not None:
            found[number] = step
    return found


def _cost(cost: Cost | None) -> dict[str, Any]:
    """In wei, as strings; null where it could not be told."""
    return {
        "gas": cost.gas if cost else None,
        "gas_price_wei": str(cost.price) if cost else None,
        "gas_cap_wei": str(cost.cap) if cost else None,
        "cost_wei": str(cost.likely) if cost else None,
        "cost_at_most_wei": str(cost.most) if cost else None,
    }


def _result(result: Result | None) -> dict[str, Any] | None:
    if result is None:
        return None
    return {
        "outcome": result.outcome.value,
        "exit_code": result.outcome.exit_code,
        "summary": result.summary,
        "proof": dict(result.proof),
        "remedy": result.remedy or None,
    }
