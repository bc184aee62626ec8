"""What an endpoint gives besides a head: a fresh view of L1, logs, answers in time, and all that to
the hosts that use it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lptui.checks.rpc import (
    LAGGING,
    REACHABLE,
    earlier,
    expected_chain,
    finding,
    fresh_heads,
    heads,
)
from lptui.checks.view import SILENCE, View
from lptui.checks.words import span
from lptui.fleet.chains import PARENTS
from lptui.fleet.facts.rpc import RpcAbilities, RpcHead, RpcUsage, RpcVantage, RpcWay
from lptui.fleet.finding import Finding, Metric, Severity
from lptui.fleet.reading import Reading
from lptui.fleet.topology import Rpc
from lptui.text import plural

L1_VIEW: Final = "rpc-l1-view"
LOGS: Final = "rpc-logs"
FROM_NODES: Final = "rpc-from-nodes"
ANSWERS: Final = "rpc-answers"

FEWEST: Final = 10
"""Requests from which a share of failures, or a usual time, can be told."""

Verdict = tuple[Severity, str, str]


def l1_view(view: View) -> Iterator[Finding]:
    """Rounds count L1 blocks, so a rollup's node that no longer follows L1 tells the wrong round.

    Compared with the other endpoints of its chain and with endpoints of L1 itself, each as far as
    there are any; and with when it was last seen to move.
    """
    known = fresh_heads(view)

    def judge(rpc: Rpc, head: RpcHead, reading: Reading[RpcHead]) -> Finding | None:
        own = head.l1_block
        if own is None:
            return None
        seen = _l1_heights(known, rpc.name, head)
        stands = _stands_still(view, head, reading)
        if not seen and stands is None:
            return None
        height, name = max(seen, default=(own, ""))
        later = max(0.0, view.reading(RpcHead, name).taken_at - reading.taken_at) if name else 0.0
        chain = view.fleet.chain
        lag = max(0, height - own - int(later / (chain.block_seconds if chain else 12.0)))
        warn, critical = view.limits.l1_lag_warn_blocks, view.limits.l1_lag_critical_blocks
        severity = _severity(lag > warn, lag > critical)
        text = f"sees L1 at {own}, {plural(lag, 'block')} behind {name}"
        if not name:
            text = f"sees L1 at {own}"
        if not severity and stands is not None and stands > warn * 12.0:
            severity = Severity.WARNING
            text = f"has seen L1 at {own} for {span(stands)}"
        verdict = (severity, text, "see its L1 endpoint, and its log" if severity else "")
        fact = f"l1BlockNumber {own}" + (f", {height} at {name}" if name else "")
        metric = Metric("l1_lag", lag, "", str(warn), str(critical))
        cause = earlier(view, rpc, head, reading) or _of_lag(view, rpc, head, known)
        return finding(view, L1_VIEW, rpc, reading, verdict, fact, (metric,), cause)

    return heads(view, L1_VIEW, judge)


def _l1_heights(known: dict[str, RpcHead], own: str, head: RpcHead) -> list[tuple[int, str]]:
    """L1 heights that other endpoints of this chain, and those of L1, show."""
    parent = PARENTS.get(head.chain_id)
    found = []
    for name, other in known.items():
        if name != own and other.chain_id == head.chain_id and other.l1_block is not None:
            found.append((int(other.l1_block), name))
        elif parent is not None and other.chain_id == parent:
            found.append((int(other.head), name))
    return found


def _stands_still(view: View, head: RpcHead, reading: Reading[RpcHead]) -> float | None:
    """For how long (s) its L1 height has not moved; None where it was never seen to."""
    if head.l1_advanced_at is None or head.chain_id not in PARENTS:
        return None
    return max(0.0, reading.taken_at - head.l1_advanced_at)


def _of_lag(view: View, rpc: Rpc, head: RpcHead, known: dict[str, RpcHead]) -> str:
    """A node that is behind on its own chain is behind on L1 as well."""
    best = max((h.head for h in known.values() if h.chain_id == head.chain_id), default=head.head)
    behind = best - head.head > view.limits.head_lag_warn_blocks
    return f"{LAGGING}@{rpc.name}" if behind else ""


def _severity(warns: bool, is_critical: bool) -> Severity:
    if is_critical:
        return Severity.CRITICAL
    return Severity.WARNING if warns else Severity.OK


def logs(view: View) -> Iterator[Finding]:
    """go-livepeer sees new rounds in logs, and rewards are proved by them and by receipts."""
    users = {node.rpc for node in view.fleet.nodes.values() if node.is_livepeer}

    def judge(rpc: Rpc, head: RpcHead, reading: Reading[RpcHead]) -> Finding | None:
        found = head.abilities
        if found is None:
            return None
        verdict = _logs(found, is_used=rpc.name in users)
        cause = earlier(view, rpc, head, reading)
        return finding(view, LOGS, rpc, reading, verdict, _abilities(found), cause=cause)

    return heads(view, LOGS, judge)


def _logs(found: RpcAbilities, *, is_used: bool) -> Verdict:
    if found.logs is None:
        return Severity.UNKNOWN, "not known: it limits how often it is asked", "ask it less often"
    if found.logs:
        severity = Severity.CRITICAL if is_used else Severity.WARNING
        remedy = "use another endpoint: nodes see new rounds in logs"
        return severity, f"gives no logs: {found.logs}", remedy
    if found.receipt is False:
        text = f"does not know {found.receipt_of}, which is mined"
        return (
            Severity.WARNING,
            text,
            "see how far back it keeps receipts, and which chain it follows",
        )
    return Severity.OK, "gives logs" + (" and receipts" if found.receipt else ""), ""


def _abilities(found: RpcAbilities) -> str:
    state = "archive or not: unknown"
    if found.archive is not None:
        state = "has old state, as archives do" if found.archive else "pruned: no old state"
    logs = "did not say" if found.logs is None else found.logs or "answered"
    return f"eth_getLogs of the newest block {logs}; {state}"


def from_nodes(view: View) -> Iterator[Finding]:
    """What works from here may be out of reach for those who need it."""
    vantages = view.readings(RpcVantage)
    for rpc in view.fleet.rpcs.values():
        own = {t: r for t, r in vantages.items() if t.rpartition("/")[0] == rpc.name}
        judged = [told for target, r in own.items() if (told := _seen(view, rpc, target, r))]
        if not judged:
            continue
        (severity, text, remedy), _, cause = max(judged, key=lambda told: told[0][0].rank)
        if rpc.reference and severity is Severity.CRITICAL:
            severity = Severity.WARNING
        silent = view.reading(RpcHead, rpc.name).problem
        is_down = silent is not None and silent.kind in SILENCE
        yield Finding(
            FROM_NODES,
            severity,
            "rpc",
            rpc.name,
            text if severity else f"answers {', '.join(told[0][1] for told in judged)}",
            tuple(told[1] for told in judged),
            remedy,
            cause=f"{REACHABLE}@{rpc.name}" if severity and is_down else cause,
        )


def _seen(
    view: View, rpc: Rpc, target: str, reading: Reading[RpcVantage]
) -> tuple[Verdict, str, str] | None:
    """The verdict on one way, its evidence and its cause; None where nothing was tried."""
    host = target.rpartition("/")[2]
    seen = view.value(reading)
    if seen is None:
        problem = reading.problem
        lost = view.blocker(host, reading)
        if problem is not None and problem.kind in SILENCE and not lost:
            text = f"does not answer {host}, whose nodes use it: {problem}"
            remedy = problem.remedy or "see the way from there: routes, firewalls, its own limits"
            return (Severity.CRITICAL, text, remedy), view.seen(reading), ""
        text = f"not known from {host}: {view.why(reading)}"
        unknown: Verdict = (Severity.UNKNOWN, text, problem.remedy if problem else "")
        return unknown, view.seen(reading), lost
    if not seen.address:
        return None
    took = seen.latency_s or 0.0
    fact = view.says(reading, f"block {seen.head} in {took * 1000:.0f} ms at {seen.address}")
    wanted = expected_chain(view, rpc)
    if wanted is not None and seen.chain_id != wanted:
        text = f"{host} reaches chain {seen.chain_id} there, expected {wanted}"
        return (Severity.CRITICAL, text, "see where that address leads from there"), fact, ""
    head = view.fresh(RpcHead, rpc.name)
    lag = head.head - seen.head if head is not None and seen.head is not None else 0
    if lag > view.limits.watcher_lag_blocks:
        text = f"{host} is shown a head {plural(lag, 'block')} older"
        return (Severity.WARNING, text, "see which node answers it: is a pool between?"), fact, ""
    if took > view.limits.rpc_slow_s:
        return (
            (Severity.WARNING, f"takes {span(took)} for {host}", "see the way from there"),
            fact,
            "",
        )
    return (Severity.OK, f"{host} in {took * 1000:.0f} ms", ""), fact, ""


def answers(view: View) -> Iterator[Finding]:
    """Answers that come late or not at all make a node miss rounds long before it is down."""
    for rpc in view.fleet.rpcs.values():
        reading = view.reading(RpcUsage, rpc.name)
        usage = view.value(reading)
        ways = [way for way in usage.ways if way.recent >= FEWEST] if usage is not None else []
        if not ways:
            continue
        worst = max((_way(view, way) for way in ways), key=lambda told: told[0].rank)
        severity, text, remedy = worst
        failed = sum(way.recent_failed for way in ways) / sum(way.recent for way in ways)
        silent = view.reading(RpcHead, rpc.name).problem is not None
        yield Finding(
            ANSWERS,
            severity,
            "rpc",
            rpc.name,
            text,
            tuple(way_words(way) for way in ways),
            remedy,
            metrics=(
                Metric("failed_requests", round(100 * failed, 2), "%"),
                Metric("usual_latency", ways[0].median_s, "s"),
            ),
            cause=f"{REACHABLE}@{rpc.name}" if severity and silent else "",
        )


def _way(view: View, way: RpcWay) -> Verdict:
    where = f" from {way.host}" if way.host else ""
    failed = 100 * way.recent_failed / way.recent
    if failed > view.limits.rpc_failed_warn:
        text = f"{failed:.0f} % of the last {way.recent} requests{where} failed: {way.last_failure}"
        return Severity.WARNING, text, "see its log and its limits; use another endpoint"
    if way.median_s is not None and way.median_s > view.limits.rpc_slow_s:
        text = f"usually takes {span(way.median_s)}{where}"
        return Severity.WARNING, text, "see its load, and the way to it"
    return Severity.OK, f"{failed:.0f} % of the last {way.recent} requests{where} failed", ""


def way_words(way: RpcWay) -> str:
    """What was asked over one way and how it went, in a line."""
    times = ""
    if way.median_s is not None and way.slow_s is not None:
        times = f", usually {way.median_s * 1000:.0f} ms, 95 % within {way.slow_s * 1000:.0f} ms"
    where = f"from {way.host}" if way.host else "from here"
    return (
        f"{where}: {way.recent_failed} of {plural(way.recent, 'request')} failed in 15 min{times}"
    )
