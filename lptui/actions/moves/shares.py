"""Move `shares`: sees a pool's new sessions go to its servers in proportion to their weights.

Told from the servers' counters of sessions. A share is as expected when it differs from the
weight's by no more than chance would have it, and by one session:

    3 * sqrt(p * (1 - p) / n) + 1 / n     (p the expected share, n the new sessions of the pool)

which by chance alone is exceeded once in some 370 looks; round robin keeps far closer. So many
sessions are waited for that the old shares could not be taken for the new ones, within bounds.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final

from lptui.actions.drivers.registry import driver_of
from lptui.actions.moves.move import Looking, Seen, Standing, balancer_sources
from lptui.actions.plan import Step
from lptui.actions.spec import Source
from lptui.fleet.facts.balancer import BalancerState, Server
from lptui.fleet.pools import serves
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Balancer

KIND: Final = "shares"

WAIT_S: Final = 60.0

FEWEST: Final = 50
MOST: Final = 2000
"""Bounds of how many new sessions are waited for."""

DEVIATIONS: Final = 3.0

EXACT: Final = ("roundrobin", "static-rr", "round robin")
"""Algorithms whose shares are those of the weights. The others look at sessions in flight, or at
the client."""


def step(balancer: Balancer, backend: str, was: Mapping[str, int], to: Mapping[str, int]) -> Step:
    """The step that sees new sessions of a pool go by its new weights.

    `was` and `to` are the weights, by server, of all that serve in it.
    """
    names = ", ".join(to)
    wanted = ", ".join(f"{name} {share:.1%}" for name, share in _shares(to).items())
    return Step(
        title="see the new shares",
        target=f"{backend}: {names}",
        call=f"reads {balancer.name}",
        precondition="the weights are in force",
        postcondition=f"new sessions of {backend} go to {wanted}, as near as chance lets them; "
        "without any traffic there is nothing to see",
        deadline_s=WAIT_S,
        undo="only looks",
        kind=KIND,
        given=(
            ("balancer", balancer.name),
            ("backend", backend),
            ("enough", str(enough(was, to))),
            *(("weight", f"{name}\n{weight}") for name, weight in to.items()),
        ),
        returns=True,
    )


def enough(was: Mapping[str, int], to: Mapping[str, int]) -> int:
    """How many sessions tell the new shares from the old ones, by the share that changes most."""
    before, after = _shares(was), _shares(to)
    name = max(after, key=lambda one: abs(after[one] - before[one]))
    differs = abs(after[name] - before[name]) / 2
    if not differs:
        return FEWEST
    needed = DEVIATIONS**2 * after[name] * (1 - after[name]) / differs**2
    return max(FEWEST, min(MOST, math.ceil(needed)))


def tolerance(share: float, sessions: int) -> float:
    """How far an observed share may be from the expected one; see the module."""
    return DEVIATIONS * math.sqrt(share * (1 - share) / sessions) + 1 / sessions


class SharesMove(Looking):
    """See the module."""

    kind = KIND

    def sources(self, step: Step) -> Sequence[Source]:
        return balancer_sources(step)

    def seen(self, step: Step, now: Snapshot, begun: Snapshot | None) -> Seen:
        weights = _weights(step)
        servers = _servers(step, now)
        not_so = _not_in_force(step, now, servers, weights)
        if not_so is not None:
            return not_so
        totals = {name: servers[name].total_sessions for name in weights}
        if None in totals.values():
            in_force = ", ".join(f"{name} {weight}" for name, weight in weights.items())
            kind = now.fleet.balancers[step.value("balancer")].kind
            words = f"{kind} counts no sessions of its servers; in force is {in_force}"
            return Seen(Standing.MADE, words)
        if begun is None:
            return Seen(Standing.BEFORE, "not looked at yet")
        earlier = _servers(step, begun)
        fresh = {
            name: (total or 0) - ((earlier[name].total_sessions if name in earlier else 0) or 0)
            for name, total in totals.items()
        }
        if min(fresh.values()) < 0:
            # It was reloaded, and has the weights all the same: its counters began anew.
            fresh = {name: total or 0 for name, total in totals.items()}
        return _judged(step, now, fresh, is_late=now.taken_at - begun.taken_at >= step.deadline_s)


def _judged(step: Step, now: Snapshot, fresh: Mapping[str, int], *, is_late: bool) -> Seen:
    """What the new sessions of each server say."""
    sessions, needed = sum(fresh.values()), int(step.value("enough"))
    if not sessions and is_late:
        words = f"no traffic to prove it by within {step.deadline_s:g} s; the weights are in force"
        return Seen(Standing.MADE, words)
    if not sessions or (sessions < needed and not is_late):
        return Seen(Standing.BEFORE, f"{sessions} of {needed} new sessions")
    wanted = _shares(_weights(step))
    got = {name: count / sessions for name, count in fresh.items()}
    words = ", ".join(f"{name} {got[name]:.1%} of {wanted[name]:.1%}" for name in wanted)
    words = f"of {sessions} new sessions: {words}"
    if sessions < needed:
        words += f" (too few to tell from before: {needed} would be needed)"
    algorithm = _algorithm(step, now)
    if not algorithm.startswith(EXACT):
        return Seen(Standing.MADE, f"{words}; {algorithm or 'its algorithm'} promises no shares")
    off = [n for n in wanted if abs(got[n] - wanted[n]) > tolerance(wanted[n], sessions)]
    if off:
        why = ": a stick table, cookies, or servers at their limit?" if is_late else ""
        return Seen(Standing.BEFORE, f"{words}; {', '.join(off)} not as expected{why}")
    return Seen(Standing.MADE, words)


def _not_in_force(
    step: Step, now: Snapshot, servers: Mapping[str, Server], weights: Mapping[str, int]
) -> Seen | None:
    """Why shares cannot be told from these weights now; None when they can."""
    balancer = now.fleet.balancers[step.value("balancer")]
    reading = now.reading(BalancerState, balancer.name)
    if reading.value is None:
        return Seen(Standing.UNKNOWN, str(reading.problem))
    for name, weight in weights.items():
        server = servers.get(name)
        if server is None:
            return Seen(Standing.OTHER, f"{step.value('backend')}/{name} is gone")
        if server.weight != weight:
            return Seen(Standing.OTHER, f"{name} has weight {server.weight}, not {weight}")
    unloaded = driver_of(balancer).unloaded(balancer, now)
    if unloaded:
        return Seen(Standing.BEFORE, unloaded)
    idle = [name for name in weights if not serves(servers[name])]
    if idle:
        return Seen(Standing.BEFORE, f"{', '.join(idle)} does not serve now")
    return None


def _servers(step: Step, snapshot: Snapshot) -> dict[str, Server]:
    state = snapshot.fresh(BalancerState, step.value("balancer"))
    found = state.backend_servers(step.value("backend")) if state is not None else ()
    return {server.name: server for server in found}


def _algorithm(step: Step, now: Snapshot) -> str:
    state = now.fresh(BalancerState, step.value("balancer"))
    proxy = state.backend(step.value("backend")) if state is not None else None
    return proxy.algorithm if proxy is not None else ""


def _weights(step: Step) -> dict[str, int]:
    pairs = [value.rsplit("\n", 1) for name, value in step.given if name == "weight"]
    return {server: int(weight) for server, weight in pairs}


def _shares(weights: Mapping[str, int]) -> dict[str, float]:
    whole = sum(weights.values())
    return {name: weight / whole for name, weight in weights.items()}
