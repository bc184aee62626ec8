"""Services: systemd units and containers, and their open files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lptui.checks.limits import over
from lptui.checks.view import View
from lptui.checks.words import listed, span
from lptui.fleet.facts.host import HostUnits, Unit, UnitLoad
from lptui.fleet.finding import Finding, Metric, Severity
from lptui.fleet.topology import Node
from lptui.text import plural

_LOADS: Final = {
    UnitLoad.MASKED: ("is masked: it cannot be started", "unmask it if it is meant to run"),
    UnitLoad.OTHER: (
        "has a unit file that systemd cannot load",
        "systemctl status tells what is wrong with it; then systemctl daemon-reload",
    ),
}

STATE: Final = "unit-state"
FAILED: Final = "units-failed"
FILES: Final = "fd"
PROMISED: Final = "fd-limit"
POLICY: Final = "restart-policy"

_LASTING: Final = frozenset({"always", "unless-stopped"})
"""Policies that start a process again whatever it ended with."""


def unit_of(view: View, node: Node) -> Unit | None:
    """The unit or container of a node, if it is known now."""
    if node.service is None:
        return None
    units = view.fresh(HostUnits, node.host)
    return units.find(node.service.name) if units is not None else None


def unit_state(view: View) -> Iterator[Finding]:
    """Does the service run, and does it stay up?"""
    for node in view.fleet.nodes.values():
        if node.service is None:
            continue
        reading = view.reading(HostUnits, node.host)
        units = view.value(reading)
        if units is None:
            cause = view.blocker(node.host, reading)
            yield view.unknown(STATE, "node", node.name, reading, cause=cause)
            continue
        unit = units.find(node.service.name)
        if unit is None:
            yield Finding(
                STATE,
                Severity.UNKNOWN,
                "node",
                node.name,
                f"not known: the host says nothing of {node.service.name}",
                (view.seen(reading), *units.problems),
                "see whether the login may ask the service manager",
            )
            continue
        why = view.rest(node)
        if why:
            severity, summary, remedy = _at_rest(node, unit, why)
        else:
            severity, summary, remedy = _judged(unit, view.limits.restarts_warn)
        restartable = severity is Severity.CRITICAL and unit.load is UnitLoad.LOADED
        yield Finding(
            STATE,
            severity,
            "node",
            node.name,
            f"{unit.name} {summary}",
            (view.seen(reading),) if not severity else _unit_evidence(view.seen(reading), unit),
            remedy,
            "restart" if restartable else "",
            (Metric("restarts", unit.restarts),),
        )


def _judged(unit: Unit, restarts_warn: int) -> tuple[Severity, str, str]:
    """Severity, what is said of it, and the remedy."""
    if unit.load is UnitLoad.NOT_FOUND:
        remedy = "correct its name in the configuration, or install it"
        return Severity.CRITICAL, "does not exist", remedy
    broken = _LOADS.get(unit.load)
    if broken is not None:
        text, remedy = broken
        if unit.is_running:
            return Severity.WARNING, f"runs, but {text}: it would not start again", remedy
        return Severity.CRITICAL, text, remedy
    return _state(unit) or _running(unit, restarts_warn)


def _at_rest(node: Node, unit: Unit, why: str) -> tuple[Severity, str, str]:
    """The same of a node that is to be stopped: it must be able to start, but not by itself."""
    other = node.standby_for or "its stand-by"
    by_itself = unit.container is not None and unit.restart_policy == "always"
    if by_itself or unit.enabled.startswith("enabled"):
        text = f"{why}, but starts at the host's next boot, beside {other}"
        return Severity.WARNING, text, "disable it: one key, one active process"
    live = [trigger.name for trigger in unit.triggers if trigger.is_live]
    if live:
        text = f"{why}, but {listed(live)} would start it, beside {other}"
        return Severity.WARNING, text, "stop and disable that: one key, one active process"
    if node.standby_for is None:
        return Severity.OK, why, ""
    if unit.load is not UnitLoad.LOADED:
        text, remedy = _judged(unit, 0)[1:]
        return Severity.WARNING, f"{why}, but {text}", remedy
    if unit.active == "failed":
        text = f"{why}, but has failed: it may not be able to take over"
        return Severity.WARNING, text, "read its log; systemctl reset-failed when it is well"
    return Severity.OK, why, ""


def _state(unit: Unit) -> tuple[Severity, str, str] | None:
    """A unit that does not run; None of one that does."""
    critical = Severity.CRITICAL
    result = f" ({unit.result})" if unit.result not in ("", "success") else ""
    if unit.active == "failed":
        return critical, f"has failed{result}", "read its log, then restart it"
    if "auto-restart" in unit.sub:
        times = f", {plural(unit.restarts, 'restart')} so far" if unit.restarts is not None else ""
        return critical, f"keeps restarting{result}{times}", "read its log: it does not stay up"
    if unit.active in ("activating", "deactivating"):
        return Severity.WARNING, f"is {unit.active} ({unit.sub})", "wait, then look again"
    if unit.sub == "paused":
        return critical, "is paused", "unpause it"
    if not unit.is_running and unit.active not in ("active", "reloading"):
        return critical, f"is {unit.active or 'in an unknown state'}{result}", "start it"
    if not unit.is_running and unit.sub in ("dead", "failed"):
        return critical, f"is {unit.active} ({unit.sub}){result}", "read its log, then restart it"
    return None


def _running(unit: Unit, restarts_warn: int) -> tuple[Severity, str, str]:
    since = f" for {span(unit.since_s)}" if unit.since_s is not None else ""
    text = f"runs{since}"
    if unit.needs_reload:
        text += " (its file has changed since: systemctl daemon-reload)"
    if unit.result == "unhealthy":
        return Severity.WARNING, f"{text}, but its own health check fails", "read its log"
    if unit.restarts is not None and unit.restarts >= restarts_warn:
        text += f", but was restarted {plural(unit.restarts, 'time')} by its supervisor"
        return Severity.WARNING, text, "read its log for why it ends"
    return Severity.OK, text, ""


def _unit_evidence(seen: str, unit: Unit) -> tuple[str, ...]:
    state = f"{unit.load}, {unit.active} ({unit.sub})"
    if unit.exit_status is not None:
        state += f", last exit status {unit.exit_status}"
    return (f"{state} ({seen})",)


def restart_policy(view: View) -> Iterator[Finding]:
    """Does the supervisor start a node again, however it ended?

    go-livepeer ends with status 0 after fatal errors, which "on-failure" takes for success.
    """
    for node in view.fleet.nodes.values():
        unit = unit_of(view, node)
        if unit is None or not unit.restart_policy or not node.is_livepeer or view.rest(node):
            continue
        lasts = unit.restart_policy in _LASTING
        yield Finding(
            POLICY,
            Severity.OK if lasts else Severity.WARNING,
            "node",
            node.name,
            f"is started again when it ends ({unit.restart_policy})"
            if lasts
            else f"is not started again after every end: its policy is {unit.restart_policy}",
            (view.seen(view.reading(HostUnits, node.host)),),
            "set Restart=always in its unit (a container: --restart unless-stopped)"
            if not lasts
            else "",
        )


def units_failed(view: View) -> Iterator[Finding]:
    """Failed units of the host that belong to no node of the fleet."""
    for name in view.fleet.hosts:
        reading = view.readings(HostUnits).get(name)
        if reading is None:
            # Without units to watch, a host need not be asked for them.
            continue
        units = view.value(reading)
        if units is None:
            yield view.unknown(FAILED, "host", name, reading, cause=view.blocker(name, reading))
            continue
        if units.failed is None:
            if units.problems:
                why = f"not known: {'; '.join(units.problems)}"
                seen = (view.seen(reading),)
                remedy = "see whether the login may ask systemd"
                yield Finding(FAILED, Severity.UNKNOWN, "host", name, why, seen, remedy)
            continue
        watched = {unit.name for unit in units.units}
        others = [unit for unit in units.failed if unit not in watched]
        yield Finding(
            FAILED,
            Severity.WARNING if others else Severity.OK,
            "host",
            name,
            f"{plural(len(others), 'failed unit')}: {listed(others)}"
            if others
            else "no other unit has failed",
            (view.seen(reading),),
            "read their logs; systemctl reset-failed when they do not matter" if others else "",
            metrics=(Metric("failed_units", len(others)),),
        )


def open_files(view: View) -> Iterator[Finding]:
    """Open files of a service's main process against the limit that it really has."""
    warn, critical = view.limits.fd_warn, view.limits.fd_critical
    warn_text, critical_text = f"{warn:g}", f"{critical:g}"
    for node in view.fleet.nodes.values():
        if node.service is None or view.rest(node):
            continue
        reading = view.reading(HostUnits, node.host)
        unit = unit_of(view, node)
        if not view.is_fresh(reading):
            cause = view.blocker(node.host, reading) or f"{STATE}@{node.name}"
            yield view.unknown(FILES, "node", node.name, reading, cause=cause)
            continue
        if unit is None or not unit.is_running:
            why = "does not run" if unit else "is not told of"
            yield Finding(
                FILES,
                Severity.UNKNOWN,
                "node",
                node.name,
                f"not known: {node.service.name} {why}",
                (view.seen(reading),),
                cause=f"{STATE}@{node.name}",
            )
            continue
        if unit.fd_used is None or unit.fd_limit is None or unit.fd_limit <= 0:
            # Not to be had without privileges on older kernels, and not for containers.
            continue
        used = 100.0 * unit.fd_used / unit.fd_limit
        severity = over(used, warn, critical)
        yield Finding(
            FILES,
            severity,
            "node",
            node.name,
            f"{unit.fd_used} of {unit.fd_limit} files open",
            (view.seen(reading),),
            "raise LimitNOFILE of its unit, or find what it leaks" if severity else "",
            metrics=(Metric("fd_used", round(used, 2), "%", warn_text, critical_text),),
        )


def fd_limit(view: View) -> Iterator[Finding]:
    """Does a running process have the limit of open files that its unit asks for?

    A unit that was changed counts from the next start on; a wrapper, PAM or `ulimit` may take the
    limit away again (systemd.exec(5), /proc/PID/limits).
    """
    for node in view.fleet.nodes.values():
        unit = unit_of(view, node)
        if unit is None or not unit.is_running or unit.fd_limit is None or unit.fd_promised is None:
            continue
        is_less = unit.fd_limit < unit.fd_promised
        yield Finding(
            PROMISED,
            Severity.WARNING if is_less else Severity.OK,
            "node",
            node.name,
            f"may have {unit.fd_limit} files open, its unit asks for {unit.fd_promised}"
            if is_less
            else f"may have {unit.fd_limit} files open, as its unit asks",
            (
                view.says(
                    view.reading(HostUnits, node.host),
                    f"/proc/{unit.main_pid}/limits: {unit.fd_limit}; "
                    f"LimitNOFILESoft of {unit.name}: {unit.fd_promised}",
                ),
            ),
            "restart it; where it stays so, a wrapper or PAM takes the limit away"
            if is_less
            else "",
        )
