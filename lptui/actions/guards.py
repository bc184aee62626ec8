"""What holds for every plan: looked at when it is made, and again before it runs."""

from __future__ import annotations

from collections.abc import Sequence

from lptui.actions.audit import Audit
from lptui.actions.journal import Journal
from lptui.actions.on_disk import remedy_for
from lptui.actions.plan import Plan, Precondition
from lptui.clock import Clock, iso
from lptui.fleet.guards import Window
from lptui.fleet.topology import Fleet
from lptui.text import clean


def no_call_under_way(
    plan: Plan, audit: Audit, clock: Clock, lasts_s: float
) -> Sequence[Precondition]:
    """A node may still be at an earlier call: a second one may cost gas for nothing."""
    name, account = "no earlier call under way", dict(plan.facts).get("account")
    try:
        calls = audit.open_calls(clock.now() - lasts_s)
    except OSError as error:
        why = f"the record cannot be read: {clean(str(error))}"
        return (Precondition(name, None, why, remedy_for(error)),)
    for call in calls:
        if account != call.account and (plan.action, plan.target) != (call.action, call.target):
            continue
        why = (
            f"another action is under way: {call.action} for {call.target}, called at"
            f" {iso(call.at)} by process {call.pid}; if that is gone,"
            " the node may still be at it"
        )
        until = iso(call.at + lasts_s)
        return (Precondition(name, False, why, f"wait until the chain shows it, or until {until}"),)
    return ()


def of_changes(plan: Plan, fleet: Fleet, journal: Journal, clock: Clock) -> Sequence[Precondition]:
    """What a change of the fleet must wait for; only what stands in the way is named."""
    try:
        return (
            *_nothing_cut(plan, fleet, journal),
            *_cooled_down(plan, fleet, journal, clock),
            *_in_window(fleet, clock),
        )
    except OSError as error:
        why = f"the journal cannot be read: {clean(str(error))}"
        return (Precondition("journal read", None, why, remedy_for(error)),)


def _nothing_cut(plan: Plan, fleet: Fleet, journal: Journal) -> Sequence[Precondition]:
    """A run that was cut half-way may be what this one would trip over."""
    for entry in journal.unfinished(fleet.name):
        if not entry.begun or entry.went_with(fleet):
            continue
        why = (
            f"{entry.plan.action} for {entry.plan.target} (run {entry.id}), begun at"
            f" {iso(entry.started)} by {entry.who}, has no end"
        )
        how = f"take it up (resume {entry.id}) or back (undo {entry.id}) first"
        return (Precondition("no earlier run cut half-way", False, why, how),)
    return ()


def _cooled_down(
    plan: Plan, fleet: Fleet, journal: Journal, clock: Clock
) -> Sequence[Precondition]:
    pause = fleet.guards.cool_down_s
    if not pause:
        return ()
    for entry in journal.newest(fleet.name):
        ended = entry.ended
        if ended is None or not entry.events or clock.now() - ended >= pause:
            continue
        if set(entry.plan.request.targets) & set(plan.request.targets):
            why = f"{entry.plan.action} for {entry.plan.target} ended at {iso(ended)}"
            until = iso(ended + pause)
            return (Precondition("cooled down", False, why, f"wait until {until}"),)
    return ()


def _in_window(fleet: Fleet, clock: Clock) -> Sequence[Precondition]:
    windows: tuple[Window, ...] = fleet.guards.windows
    if not windows or any(window.holds(clock.now()) for window in windows):
        return ()
    when = ", ".join(map(str, windows))
    return (
        Precondition(
            "inside a maintenance window", False, f"now is outside of {when}", "wait for it"
        ),
    )
