"""Sees before a plan begins whether sudo lets the login do all of it: what is stopped and may not
be started again would stay stopped."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final

from lptui.actions.moves.move import Move
from lptui.actions.plan import Outcome, Plan, Result
from lptui.actions.privileged import missing_rule
from lptui.actions.root_commands import Argv, Needed
from lptui.actions.spec import Execution
from lptui.actions.sudoers import HostFacts
from lptui.actions.sudoers_asking import Missing, missing
from lptui.errors import LptuiError
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Host
from lptui.text import clean

_FACTS: Final = HostFacts("")
"""Programs have their usual paths: more is asked only for rules that are printed."""

_NOT_TOLD: Final = "a password is required"
"""What sudo says where it does not even tell its rules (`listpw`, sudoers(5)): nothing is known."""


async def refusal(
    plan: Plan, snapshot: Snapshot, execution: Execution, moves: Mapping[str, Move]
) -> Result | None:
    """Why the plan must not begin: a command of it, or of its undoing, that sudo does not allow.

    None where all are allowed, or where that cannot be told: the step itself will.
    """
    wanted: dict[str, dict[Argv, None]] = {}
    for step in plan.steps:
        for argv in moves[step.kind].as_root(step, snapshot):
            wanted.setdefault(step.value("host"), {})[argv] = None
    hosts = [execution.fleet.hosts[name] for name in wanted]
    asked = [_lacking(execution, host, tuple(wanted[host.name])) for host in hosts]
    for host, lacking in zip(hosts, await asyncio.gather(*asked), strict=True):
        if lacking:
            return _refused(plan, host, lacking)
    return None


async def _lacking(
    execution: Execution, host: Host, commands: tuple[Argv, ...]
) -> tuple[Missing, ...]:
    try:
        found = await missing(execution.reach, host, _FACTS, (Needed("this action", commands),))
    except LptuiError:
        return ()
    return tuple(one for one in found if _NOT_TOLD not in one.why)


def _refused(plan: Plan, host: Host, lacking: tuple[Missing, ...]) -> Result:
    first = " ".join(lacking[0].argv)
    more = f" and {len(lacking) - 1} more" if len(lacking) > 1 else ""
    why = (
        f"nothing was done: sudo on {host.name} does not allow `{clean(first, 160)}`{more},"
        f" which this needs or its undoing does ({lacking[0].why})"
    )
    return Result(plan, Outcome.REFUSED, why, remedy=missing_rule(host, lacking[0].argv))
