"""RPC endpoints, judged in this order: answers, right chain, moving, level with the others, on the
same chain of blocks, synced, connected. What they give besides a head is judged in `rpc_service`.

`eth_syncing` false is not health: a stalled client says so too. A verdict later in the order that
follows from an earlier one names it as its cause.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from math import isnan
from typing import Final

from lptui.checks.view import SILENCE, View
from lptui.checks.words import span
from lptui.errors import ProblemKind
from lptui.fleet.chains import AHEAD_S, L1_CHAINS, ROLLUPS, head_age_limits, is_too_old
from lptui.fleet.facts.rpc import NOT_OFFERED, RpcHead
from lptui.fleet.finding import Finding, Metric, Severity
from lptui.fleet.reading import Reading
from lptui.fleet.topology import Rpc
from lptui.text import plural

REACHABLE: Final = "rpc-reachable"
CHAIN: Final = "rpc-chain"
STALLED: Final = "rpc-stalled"
LAGGING: Final = "rpc-lagging"
DISAGREES: Final = "rpc-disagree"
SYNCING: Final = "rpc-syncing"
PEERS: Final = "rpc-peers"

_WRONG_CHAIN_REMEDY: Final = (
    "point it at a node of the right chain before anything is sent through it"
)

Verdict = tuple[Severity, str, str]
"""Severity, summary, remedy."""


def reachable(view: View) -> Iterator[Finding]:
    """Does it answer at all?"""
    for rpc in view.fleet.rpcs.values():
        reading = view.reading(RpcHead, rpc.name)
        head = view.value(reading)
        if head is not None:
            slow = tuple(f"{method}: {error}" for method, error in head.errors)
            yield Finding(
                REACHABLE,
                Severity.OK,
                "rpc",
                rpc.name,
                f"{head.client} {head.version} answers in {head.latency_s * 1000:.0f} ms",
                (view.says(reading, f"block {head.head}"), *slow),
                metrics=(Metric("latency", round(head.latency_s, 6), "s"),),
            )
            continue
        cause = view.blocker(rpc.via)
        if reading.problem is not None and reading.problem.kind is ProblemKind.WRONG_CHAIN:
            cause = f"{CHAIN}@{rpc.name}"
        finding = view.unknown(REACHABLE, "rpc", rpc.name, reading, cause=cause)
        problem = reading.problem
        if not cause and problem is not None and problem.kind in SILENCE:
            severity = Severity.WARNING if rpc.reference else Severity.CRITICAL
            finding = Finding(
                REACHABLE,
                severity,
                "rpc",
                rpc.name,
                f"does not answer: {problem}",
                finding.evidence,
                problem.remedy or "see whether the client runs, and its log",
                action="" if rpc.reference or rpc.node is None else "restart",
            )
        yield finding


def heads(
    view: View, check: str, judge: Callable[[Rpc, RpcHead, Reading[RpcHead]], Finding | None]
) -> Iterator[Finding]:
    """Judges each endpoint that answered; the others are unknown because they did not."""
    for rpc in view.fleet.rpcs.values():
        reading = view.reading(RpcHead, rpc.name)
        head = view.value(reading)
        problem = reading.problem
        if problem is not None and problem.kind is ProblemKind.WRONG_CHAIN:
            wrong: Verdict = (Severity.CRITICAL, problem.why or str(problem), _WRONG_CHAIN_REMEDY)
            if check == CHAIN:
                yield finding(view, check, rpc, reading, wrong, "another chain's answers")
            else:
                yield view.unknown(check, "rpc", rpc.name, reading, cause=f"{CHAIN}@{rpc.name}")
            continue
        if head is None:
            cause = view.blocker(rpc.via) or f"{REACHABLE}@{rpc.name}"
            yield view.unknown(check, "rpc", rpc.name, reading, cause=cause)
            continue
        found = judge(rpc, head, reading)
        if found is not None:
            yield found


def finding(
    view: View,
    check: str,
    rpc: Rpc,
    reading: Reading[RpcHead],
    verdict: Verdict,
    fact: str,
    metrics: tuple[Metric, ...] = (),
    cause: str = "",
) -> Finding:
    severity, summary, remedy = verdict
    if rpc.reference and severity is Severity.CRITICAL:
        # It is only there to be compared with: the fleet lives without it.
        severity = Severity.WARNING
    evidence = (view.says(reading, fact),)
    cause = cause if severity else ""
    return Finding(
        check, severity, "rpc", rpc.name, summary, evidence, remedy, metrics=metrics, cause=cause
    )


def expected_chain(view: View, rpc: Rpc) -> int | None:
    chain = view.fleet.chain
    if rpc.chain_id is None and chain is not None and rpc.name in chain.rpcs:
        return chain.chain_id
    return rpc.chain_id


def on_wrong_chain(view: View, rpc: Rpc, head: RpcHead) -> bool:
    return expected_chain(view, rpc) not in (None, head.chain_id)


def right_chain(view: View) -> Iterator[Finding]:
    """Endpoints get mixed up after a failover; contracts of another chain are not ours."""

    def judge(rpc: Rpc, head: RpcHead, reading: Reading[RpcHead]) -> Finding | None:
        expected = expected_chain(view, rpc)
        if expected is None:
            return None
        verdict: Verdict = (Severity.OK, f"chain {head.chain_id}", "")
        if head.chain_id != expected:
            verdict = (
                Severity.CRITICAL,
                f"serves chain {head.chain_id}, expected {expected}",
                _WRONG_CHAIN_REMEDY,
            )
        return finding(view, CHAIN, rpc, reading, verdict, f"eth_chainId {head.chain_id}")

    return heads(view, CHAIN, judge)


def stalled(view: View) -> Iterator[Finding]:
    """The head's own time stamp is the best sign of a client that has stopped."""

    def judge(rpc: Rpc, head: RpcHead, reading: Reading[RpcHead]) -> Finding:
        exact = reading.taken_at - head.head_time
        # A head that is a little ahead of this machine's clock is no older than none.
        age = 0.0 if exact < 0 else exact
        ages = head_age_limits(view.limits, head.chain_id)
        metric = Metric("head_age", round(age, 3), "s")
        verdict: Verdict = (Severity.OK, f"development chain at block {head.head}", "")
        if ages is not None:
            warn, critical = ages
            metric = replace(metric, warn=f"{warn:g}", critical=f"{critical:g}")
            verdict = _age_verdict(head, exact, warn, critical)
        cause = f"{CHAIN}@{rpc.name}" if on_wrong_chain(view, rpc, head) else ""
        return finding(view, STALLED, rpc, reading, verdict, f"block {head.head}", (metric,), cause)

    return heads(view, STALLED, judge)


def _age_verdict(head: RpcHead, age: float, warn: float, critical: float) -> Verdict:
    text = f"head {head.head} is {span(abs(age))} old"
    remedy = "restart the client, or send its users to another endpoint"
    if isnan(age):
        return Severity.UNKNOWN, "not known: the head has no time", ""
    if age < -AHEAD_S:
        # With this machine's clock behind, a head that stands still would look young for long.
        text = f"not known: head {head.head} is {span(-age)} ahead of this machine's clock"
        return Severity.UNKNOWN, text, "see this machine's time service, and the chain's time"
    if age > critical:
        seen = head.head_time + age
        if head.advanced_at is not None and seen - head.advanced_at < warn:
            text += ", though it moves: it is catching up, or this machine's clock is ahead"
            return Severity.CRITICAL, text, "see rpc-syncing, and this machine's time service"
        return Severity.CRITICAL, f"stalled: {text}", remedy
    if age > warn:
        return Severity.WARNING, text, remedy
    return Severity.OK, f"head {head.head} is {span(max(0.0, age))} old", ""


def lagging(view: View) -> Iterator[Finding]:
    """Behind the highest head that any endpoint of the same chain shows."""
    best: dict[int, tuple[int, str]] = {}
    known = fresh_heads(view)
    for name, head in known.items():
        if head.chain_id not in best or head.head > best[head.chain_id][0]:
            best[head.chain_id] = (head.head, name)
    limits = view.limits

    def judge(rpc: Rpc, head: RpcHead, reading: Reading[RpcHead]) -> Finding | None:
        if not _has_peers_to_compare(view, rpc):
            return None
        others = [n for n, h in known.items() if n != rpc.name and h.chain_id == head.chain_id]
        if not others:
            return _no_comparison(view, LAGGING, rpc, head, reading)
        height, name = best[head.chain_id]
        later = max(0.0, view.reading(RpcHead, name).taken_at - reading.taken_at)
        lag = max(0, height - head.head - _grown(head, known[name], later))
        verdict: Verdict = (Severity.OK, f"{plural(lag, 'block')} behind the highest head", "")
        remedy = "see its peers and its log; send its users to another endpoint"
        text = f"{plural(lag, 'block')} behind {name}"
        if lag > limits.head_lag_critical_blocks:
            verdict = (Severity.CRITICAL, text, remedy)
        elif lag > limits.head_lag_warn_blocks:
            verdict = (Severity.WARNING, text, remedy)
        metric = Metric(
            "head_lag",
            lag,
            "",
            str(limits.head_lag_warn_blocks),
            str(limits.head_lag_critical_blocks),
        )
        cause = earlier(view, rpc, head, reading)
        fact = f"block {head.head}, highest {height} at {name}"
        fact += f" {span(later)} later" if later >= 1 else ""
        return finding(view, LAGGING, rpc, reading, verdict, fact, (metric,), cause)

    return heads(view, LAGGING, judge)


def _grown(head: RpcHead, best: RpcHead, seconds: float) -> int:
    """Blocks by which the chain grew while the one head was read so much later than the other."""
    between = best.head_time - head.head_time
    if not between > 0:
        return 0
    return int(seconds * (best.head - head.head) / between)


def fresh_heads(view: View) -> dict[str, RpcHead]:
    found = {}
    for name in view.fleet.rpcs:
        head = view.fresh(RpcHead, name)
        if head is not None:
            found[name] = head
    return found


def _has_peers_to_compare(view: View, rpc: Rpc) -> bool:
    expected = expected_chain(view, rpc)
    return any(
        other.name != rpc.name and expected_chain(view, other) in (expected, None)
        for other in view.fleet.rpcs.values()
    )


def _no_comparison(
    view: View, check: str, rpc: Rpc, head: RpcHead, reading: Reading[RpcHead]
) -> Finding:
    others = [name for name in view.fleet.rpcs if name != rpc.name]
    silent = next((name for name in others if view.fresh(RpcHead, name) is None), None)
    astray = next((name for name in others if view.is_astray(name)), None)
    cause = "" if astray is None else f"{CHAIN}@{astray}"
    if on_wrong_chain(view, rpc, head):
        cause = f"{CHAIN}@{rpc.name}"
    elif silent is not None:
        cause = view.blocker(view.fleet.rpcs[silent].via) or f"{REACHABLE}@{silent}"
    return Finding(
        check,
        Severity.UNKNOWN,
        "rpc",
        rpc.name,
        "not known: no other endpoint of this chain answers to compare with",
        (view.seen(reading),),
        "add a reference endpoint that answers",
        cause=cause,
    )


def earlier(view: View, rpc: Rpc, head: RpcHead, reading: Reading[RpcHead]) -> str:
    """The verdict earlier in the order that explains a later one."""
    if on_wrong_chain(view, rpc, head):
        return f"{CHAIN}@{rpc.name}"
    if is_too_old(reading.taken_at - head.head_time, view.limits, head.chain_id):
        return f"{STALLED}@{rpc.name}"
    return ""


def _has_anchor_of(other: RpcHead, head: RpcHead) -> bool:
    return bool(head.anchor is not None and head.anchor == other.anchor and other.anchor_hash)


def disagrees(view: View) -> Iterator[Finding]:
    """Two endpoints with different blocks at one height are not on the same chain.

    Compared well below the heads, where nothing is replaced any more; at the heads otherwise.
    """
    known = fresh_heads(view)

    def judge(rpc: Rpc, head: RpcHead, reading: Reading[RpcHead]) -> Finding | None:
        if not _has_peers_to_compare(view, rpc):
            return None
        others = {n: h for n, h in known.items() if n != rpc.name and h.chain_id == head.chain_id}
        if not others:
            return _no_comparison(view, DISAGREES, rpc, head, reading)
        deep = {n: h for n, h in others.items() if _has_anchor_of(h, head)}
        forked = [n for n, h in deep.items() if h.anchor_hash != head.anchor_hash]
        level = {n: h for n, h in others.items() if h.head == head.head}
        against = [n for n, h in level.items() if h.head_hash != head.head_hash]
        verdict: Verdict = (Severity.OK, "no contradiction seen: heads differ in height", "")
        if forked:
            text = f"follows another chain than {', '.join(forked)}: block {head.anchor} differs"
            verdict = (Severity.CRITICAL, text, "find out which is right before anything is sent")
            theirs = [f"{known[name].anchor_hash} at {name}" for name in forked]
            seen = f"hash of block {head.anchor} is {head.anchor_hash}, {', '.join(theirs)}"
            return finding(view, DISAGREES, rpc, reading, verdict, seen)
        if against:
            # At the head of the main chain two blocks may compete for a slot; rollups have none.
            severity = Severity.WARNING if head.chain_id in L1_CHAINS else Severity.CRITICAL
            text = f"block {head.head} differs from that of {', '.join(against)}"
            verdict = (severity, text, "find out which is right before anything is sent")
        elif deep:
            verdict = (Severity.OK, f"same block {head.anchor} as {', '.join(deep)}", "")
        elif level:
            verdict = (Severity.OK, f"same block {head.head} as {', '.join(level)}", "")
        theirs = [f", {level[name].head_hash} at {name}" for name in against]
        seen = f"hash {head.head_hash}{''.join(theirs)}"
        return finding(view, DISAGREES, rpc, reading, verdict, seen)

    return heads(view, DISAGREES, judge)


def syncing(view: View) -> Iterator[Finding]:
    """Anything but false is syncing; at the head it is indexing, which serves already."""

    def judge(rpc: Rpc, head: RpcHead, reading: Reading[RpcHead]) -> Finding | None:
        progress = head.syncing
        error = head.error_of("eth_syncing")
        if error == NOT_OFFERED:
            # Providers leave it out; its head's age and its lag tell then.
            return None
        if error:
            unknown: Verdict = (Severity.UNKNOWN, f"not known: {error}", "see the client's log")
            fact = "eth_syncing gave an error"
            cause = earlier(view, rpc, head, reading)
            return finding(view, SYNCING, rpc, reading, unknown, fact, cause=cause)
        verdict: Verdict = (Severity.OK, "not syncing", "")
        remaining = None
        if progress is not None:
            current, highest = progress.current, progress.highest
            if current is not None and highest is not None:
                remaining = max(0, highest - current)
            if progress.indexing and not remaining:
                verdict = (Severity.WARNING, "at the head, still indexing", "let it finish")
            else:
                left = "" if remaining is None else f", {plural(remaining, 'block')} to go"
                verdict = (
                    Severity.CRITICAL,
                    f"syncing{left}",
                    "send its users to another endpoint until it is done",
                )
        fact = "eth_syncing false" if progress is None else "eth_syncing is an object"
        metrics = (Metric("sync_remaining", 0 if progress is None else remaining),)
        cause = earlier(view, rpc, head, reading)
        return finding(view, SYNCING, rpc, reading, verdict, fact, metrics, cause)

    return heads(view, SYNCING, judge)


def peers(view: View) -> Iterator[Finding]:
    """A client without peers hears of no new block.

    Clients without the method are left out, and rollups (which name the L1 block in theirs):
    Nitro gets its blocks from the sequencer and has no peers.
    """
    least = view.limits.min_peers

    def judge(rpc: Rpc, head: RpcHead, reading: Reading[RpcHead]) -> Finding | None:
        if head.peers is None or head.l1_block is not None or head.chain_id in ROLLUPS:
            return None
        verdict: Verdict = (Severity.OK, plural(head.peers, "peer"), "")
        remedy = "see its network, its port forwarding and its clock"
        if head.peers == 0:
            verdict = (Severity.CRITICAL, "no peers", remedy)
        elif head.peers < least:
            verdict = (Severity.WARNING, f"{plural(head.peers, 'peer')}, wanted {least}", remedy)
        metric = Metric("peers", head.peers, "", f"{least}:", "1:")
        cause = earlier(view, rpc, head, reading)
        return finding(
            view, PEERS, rpc, reading, verdict, f"net_peerCount {head.peers}", (metric,), cause
        )

    return heads(view, PEERS, judge)
