"""The ways to and within the fleet, and its key files, in one line each."""

from __future__ import annotations

from lptui.checks.log_errors import lasting, times_of
from lptui.checks.log_files import log_words
from lptui.checks.words import listed, span
from lptui.errors import Problem
from lptui.fleet.facts.keystore import HostKeystores, KeyAtStart, NodeKeystore
from lptui.fleet.facts.links import Attempt, ClosedPorts, PublicAddresses, RedeemerLink
from lptui.fleet.facts.logs import HostLogs, LogErrors
from lptui.fleet.facts.safety import HostSafety
from lptui.fleet.units import format_bytes, short_address
from lptui.present.safety import login_words, update_words, volume_words


def redeemer(value: RedeemerLink) -> str:
    """From an orchestrator to its redeemer."""
    if value.attempt is None:
        return value.origin or "where its redeemer is, nobody tells"
    return f"redeemer {_attempt(value.attempt)} ({value.origin})"


def public(value: PublicAddresses) -> str:
    """Where clients are sent."""
    told = [
        f"{place.uri}: "
        + (", ".join(_attempt(one) for one in place.attempts) or _problem(place.problem))
        for place in value.places
    ]
    return "; ".join(told) or "clients are sent nowhere"


def closed(value: ClosedPorts) -> str:
    """Ports that must not answer from here."""
    opened = [one.address for one in value.tries if one.problem is None]
    silent = len(value.tries) - len(opened)
    return f"OPEN: {', '.join(opened)}" if opened else f"{silent} did not answer from here"


def safety(value: HostSafety) -> str:
    """Logins by SSH, updates that wait, what is encrypted."""
    waiting = update_words(value, None)
    return f"SSH {login_words(value)}; updates {waiting}; dm-crypt {volume_words(value)}"


def log_files(value: HostLogs) -> str:
    """The room that logs take."""
    journal = "unknown" if value.journal_size is None else format_bytes(value.journal_size)
    told = [f"journal {journal}", *(log_words(one, value.read_at) for one in value.logs)]
    if value.rotated_age_s is not None:
        told.append(f"logrotate ran {span(value.rotated_age_s)} ago")
    return "logs: " + "; ".join(told)


def log_errors(value: LogErrors) -> str:
    """What went wrong in the last hour, by kind."""
    told = ", ".join(f"{one.kind} {one.count}" for one in value.counts) or "no error"
    least = ", at least" * value.behind
    said = "; ".join((f"{told}{least}", *times_of(value)))
    return f"in its log in the last {lasting(value)}: {said}"


def keystores(value: HostKeystores) -> str:
    """Who may read the key files."""
    told = []
    for one in value.keystores:
        folder = "" if one.mode is None else f"{one.mode:03o} "
        files = " ".join(f"{mode:03o}" for mode in sorted(set(one.modes))) or "none"
        told.append(f"{one.path} {folder}files {files}" if one.seen else f"{one.path} not seen")
    return ", ".join(told) or "no place of keys is known"


def tried(value: NodeKeystore) -> str:
    """Which key files the empty passphrase opens."""
    words = {True: "OPENS WITHOUT A PASSPHRASE", False: "needs a passphrase", None: "not tried"}
    told = [f"{one.name} {words[one.blank]}" for one in value.keys]
    return f"{value.path}: {', '.join(told) or 'no key file'}"


def key_at_start(value: KeyAtStart) -> str:
    """What a node would find of its key."""
    where = f"key at its start: {value.path or 'not known where'}"
    if value.unknown:
        return f"{where}: {value.unknown}"
    names = [short_address(one.account) if one.account else one.name for one in value.keys]
    told = listed(names) if value.there else "not there"
    lost = [f"; {one.path} NOT THERE" for one in value.files if one.there is False]
    return f"{where}: {told or 'no key file'}{''.join(lost)}"


def _attempt(one: Attempt) -> str:
    if one.took_s is None:
        return f"{one.address} NO ANSWER: {_problem(one.problem)}"
    return f"{one.address} in {one.took_s * 1000:.0f} ms"


def _problem(problem: Problem | None) -> str:
    return problem.why if problem is not None else "unknown"
