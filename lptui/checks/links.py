"""Ways: from each orchestrator to its redeemer, from clients to the fleet, and that they stay."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lptui.checks.nodes import cause_at_node
from lptui.checks.view import View
from lptui.checks.words import listed
from lptui.errors import Problem, ProblemKind
from lptui.fleet.facts.balancer import BalancerState, Proxy
from lptui.fleet.facts.links import Attempt, Place, PublicAddresses, RedeemerLink
from lptui.fleet.finding import Finding, Metric, Severity
from lptui.fleet.places import HostPort, place
from lptui.fleet.pools import node_of
from lptui.fleet.processes import advertised
from lptui.fleet.reading import Reading
from lptui.fleet.topology import Balancer, Node, Role
from lptui.text import plural

REDEEMER: Final = "redeemer-link"
PUBLIC: Final = "public-address"
STICKY: Final = "balancer-sticky"

_STICKY_WORDS: Final = ("source", "hash", "ip_hash", "hdr", "url_param", "rdp-cookie", "sticky")
"""Algorithms that send a client where it was before, by their first words."""


def redeemer_link(view: View) -> Iterator[Finding]:
    """Can each orchestrator's winning tickets get to the redeemer?"""
    redeemers = [one for one in view.fleet.nodes_with(Role.REDEEMER) if not view.rest(one)]
    for node in view.fleet.nodes_with(Role.ORCHESTRATOR):
        reading = view.readings(RedeemerLink).get(node.name)
        if reading is None or view.rest(node):
            continue
        link = view.value(reading)
        if link is None:
            cause = view.blocker(node.host, reading)
            yield view.unknown(REDEEMER, "node", node.name, reading, cause=cause)
        elif link.attempt is not None:
            yield _linked(view, node, redeemers, reading, link, link.attempt)
        elif link.origin:
            yield _unlinked(view, node, redeemers, reading, link)


def _linked(
    view: View,
    node: Node,
    redeemers: list[Node],
    reading: Reading[RedeemerLink],
    link: RedeemerLink,
    tried: Attempt,
) -> Finding:
    problem = tried.problem
    metrics = () if tried.took_s is None else (Metric("connect", round(tried.took_s, 6), "s"),)
    severity, summary, remedy, cause = (
        Severity.OK,
        f"reaches its redeemer at {tried.address}",
        "",
        "",
    )
    if problem is not None and tried.is_dead:
        severity = Severity.CRITICAL
        summary = f"does not reach its redeemer at {tried.address} ({problem.why})"
        remedy = "bring the redeemer back, or open the way: tickets that win are not redeemed"
        silent = [one for one in redeemers if one.name != node.name]
        if len(silent) == 1:
            cause = cause_at_node(view, silent[0])
    elif problem is not None:
        severity, summary, remedy = Severity.UNKNOWN, f"not known: {problem}", problem.remedy
        cause = view.blocker(node.host, reading)
    return Finding(
        REDEEMER,
        severity,
        "node",
        node.name,
        summary,
        (view.says(reading, link.origin),),
        remedy,
        cause=cause,
        metrics=metrics,
    )


def _unlinked(
    view: View,
    node: Node,
    redeemers: list[Node],
    reading: Reading[RedeemerLink],
    link: RedeemerLink,
) -> Finding:
    """An orchestrator that names no redeemer cashes its tickets itself, with its own key."""
    own = Role.REDEEMER in node.roles
    others = [
        one.name
        for one in redeemers
        if one.name != node.name and one.recipient in (None, node.recipient)
    ]
    left_out = bool(others) and not own
    return Finding(
        REDEEMER,
        Severity.WARNING if left_out else Severity.OK,
        "node",
        node.name,
        f"redeems its tickets itself, though the fleet has {listed(others)}"
        if left_out
        else "redeems its tickets itself",
        (view.says(reading, link.origin),),
        "start it with -redeemerAddr: its own key pays for each ticket" if left_out else "",
    )


def public_address(view: View) -> Iterator[Finding]:
    """Does every address that clients are sent to answer, each of a name's by itself?"""
    reading = view.readings(PublicAddresses).get(view.fleet.name)
    if reading is None:
        return
    found = view.value(reading)
    if found is None:
        yield view.unknown(PUBLIC, "fleet", view.fleet.name, reading)
        return
    grouped: dict[tuple[str, str], list[Place]] = {}
    for one in found.places:
        grouped.setdefault(one.users[0], []).append(one)
    for (kind, name), places in grouped.items():
        judged = [*map(_answers, places), *_pinned(view.fleet.pinned_addresses, places)]
        severity = max((one[0] for one in judged), key=lambda level: level.rank)
        yield Finding(
            PUBLIC,
            severity,
            kind,
            name,
            "; ".join(words for level, words in judged if level == severity),
            tuple(view.says(reading, _told(one)) for one in places),
            "correct DNS or the balancer: what does not answer fails its share of the clients"
            if severity
            else "",
            metrics=(
                Metric("addresses", sum(len(one.attempts) for one in places)),
                Metric("addresses_dead", sum(len(_dead(one)) for one in places)),
            ),
        )


def _pinned(pins: frozenset[str], places: list[Place]) -> Iterator[tuple[Severity, str]]:
    """What DNS answers against what its operator stated; an address that is written out is none."""
    for one in places:
        where = place(one.uri)
        answers = [found.host for tried in one.attempts if (found := place(tried.address))]
        if not pins or where is None or answers == [where.host]:
            continue
        strange = sorted(set(answers) - pins)
        if strange:
            told = f"DNS answers {listed(strange)} for {where.host}"
            yield Severity.CRITICAL, f"{told}, pinned: {listed(sorted(pins), 8)}"


def _answers(one: Place) -> tuple[Severity, str]:
    if one.problem is not None:
        is_known = one.problem.kind is ProblemKind.UNREACHABLE
        return (
            Severity.CRITICAL if is_known else Severity.UNKNOWN,
            f"{one.uri}: {one.problem.why}",
        )
    dead, open_ = _dead(one), [tried for tried in one.attempts if tried.problem is None]
    if dead:
        words = [f"{tried.address} ({_why(tried.problem)})" for tried in dead]
        return (
            Severity.CRITICAL,
            f"{len(dead)} of {plural(len(one.attempts), 'address', 'addresses')} of {one.uri} "
            f"{'does' if len(dead) == 1 else 'do'} not answer: {listed(words)}",
        )
    if not open_:
        why = _why(one.attempts[0].problem) if one.attempts else "it has no address"
        return Severity.UNKNOWN, f"{one.uri} cannot be tried from here: {why}"
    slowest = max(tried.took_s or 0.0 for tried in open_)
    where = plural(len(open_), "address", "addresses")
    return Severity.OK, f"{one.uri} answers at {where} within {slowest * 1000:.0f} ms"


def _dead(one: Place) -> list[Attempt]:
    return [tried for tried in one.attempts if tried.is_dead]


def _why(problem: Problem | None) -> str:
    return problem.why if problem is not None else ""


def _told(one: Place) -> str:
    users = listed([f"{kind} {name}" for kind, name in one.users])
    addresses = listed([tried.address for tried in one.attempts], 8)
    return f"{one.uri} ({users}): {addresses or 'no address'}"


def sticky(view: View) -> Iterator[Finding]:
    """Orchestrators that all send clients back to the balancer need it to know them again.

    What one signs is of no use to another (go-livepeer's ticket and session secrets are random
    for each process), so a client must come back to the one that it began with.
    """
    for balancer in view.fleet.balancers.values():
        reading = view.reading(BalancerState, balancer.name)
        state = view.value(reading)
        if state is None:
            continue  # said once, by the balancer's own check
        pools = [
            proxy
            for proxy in state.proxies
            if proxy.kind == "backend" and _sends_back(view, balancer, state, proxy.name)
        ]
        forgetful = [proxy for proxy in pools if _forgets(proxy, state)]
        if not pools:
            continue
        names = listed([f"{proxy.name} ({proxy.algorithm})" for proxy in forgetful])
        yield Finding(
            STICKY,
            Severity.WARNING if forgetful else Severity.OK,
            "balancer",
            balancer.name,
            f"clients may come back to another orchestrator: {names} keeps none"
            if forgetful
            else _kept(pools, state),
            (view.says(reading, "its orchestrators all advertise one address"),),
            "balance by source, add a stick table, or give each orchestrator its own -serviceAddr"
            if forgetful
            else "",
        )


def _kept(pools: list[Proxy], state: BalancerState) -> str:
    unsaid = [
        proxy.name for proxy in pools if not _keeps(proxy) and proxy.name not in _tables(state)
    ]
    if unsaid:
        return f"whether {listed(unsaid)} keeps clients is not told by the balancer"
    return "clients come back to the orchestrator that they began with"


def _tables(state: BalancerState) -> tuple[str, ...]:
    return state.tables or ()


def _keeps(proxy: Proxy) -> bool:
    return bool(proxy.cookie) or proxy.algorithm.startswith(_STICKY_WORDS)


def _forgets(proxy: Proxy, state: BalancerState) -> bool:
    """Whether it is certain that nothing keeps clients: a table may be another proxy's."""
    if not proxy.algorithm or _keeps(proxy):
        return False
    return state.tables == () or state.kind == "nginx"


def _sends_back(view: View, balancer: Balancer, state: BalancerState, backend: str) -> bool:
    """Whether two of a pool's orchestrators advertise the same address."""
    seen: set[HostPort] = set()
    for server in state.backend_servers(backend):
        node = view.fleet.nodes.get(node_of(balancer, server))
        if node is None or Role.ORCHESTRATOR not in node.roles:
            continue
        where = place(advertised(view.snapshot, node))
        if where in seen:
            return True
        if where is not None:
            seen.add(where)
    return False
