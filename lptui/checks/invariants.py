"""What must hold of the fleet as a whole: who redeems, who serves, for whom, at what price."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Final

from lptui.checks.nodes import cause_at_node
from lptui.checks.roles import MISMATCH
from lptui.checks.view import SILENCE, View
from lptui.checks.words import listed
from lptui.fleet import settings
from lptui.fleet.facts.balancer import BalancerState, Server
from lptui.fleet.facts.chain import OrchestratorRecord
from lptui.fleet.facts.host import HostProcesses
from lptui.fleet.facts.livepeer import NodeStatus
from lptui.fleet.finding import Finding, Metric, Severity
from lptui.fleet.pools import Place, servers_by_node, serves
from lptui.fleet.processes import process_of
from lptui.fleet.roles import observe
from lptui.fleet.topology import Node, Orchestrator, Role
from lptui.fleet.units import Address, short_address
from lptui.text import plural

REDEEMER: Final = "redeemer-serving"
SERVING: Final = "orchestrators-serving"
RECIPIENTS: Final = "recipients-agree"
PRICES: Final = "prices-agree"
DRIFT: Final = "price-drift"

USUAL: Final = "default"
"""Whom a node's price is for when it is for all gateways."""


def redeemer_serving(view: View) -> Iterator[Finding]:
    """Does exactly one redeemer cash the winning tickets of each registered orchestrator?

    Orchestrators need it when they start; later its absence costs tickets without a word.
    """
    for registered in view.fleet.chain.orchestrators if view.fleet.chain else ():
        declared = [
            node
            for node in view.fleet.nodes_with(Role.REDEEMER)
            if node.recipient in (None, registered.address) and not view.rest(node)
        ]
        named = _redeemers_named(view, registered)
        if not declared and not named:
            continue  # every orchestrator cashes its own
        yield _redeemed(view, registered, declared, named)


def _redeemers_named(view: View, registered: Orchestrator) -> dict[str, str]:
    """Where orchestrators send their winning tickets, by orchestrator."""
    found = {}
    for node in view.fleet.nodes_with(Role.ORCHESTRATOR):
        process = process_of(view.snapshot, node)
        address = process.flag("redeemerAddr") if process is not None else None
        if address and node.recipient in (None, registered.address):
            found[node.name] = address
    return found


def _redeemed(
    view: View, registered: Orchestrator, declared: list[Node], named: dict[str, str]
) -> Finding:
    states = {node.name: _redeems(view, node) for node in declared}
    well = [name for name, (yes, _) in states.items() if yes]
    unsure = [name for name, (yes, _) in states.items() if yes is None]
    dead = [name for name, (yes, _) in states.items() if yes is False]
    severity, remedy, cause = Severity.OK, "", ""
    if not declared:
        severity = Severity.WARNING
        summary = f"{listed(list(named))} name a redeemer that the configuration does not know"
        remedy = "declare the redeemer as a node, so that it is watched"
    elif len(well) > 1:
        severity = Severity.WARNING
        summary = f"{len(well)} redeemers serve: {listed(well)}"
        remedy = "stop all but one, unless each orchestrator was given one of its own"
    elif well:
        summary = f"{well[0]} redeems the winning tickets"
    elif unsure:
        severity, summary = Severity.UNKNOWN, f"not known: whether {listed(unsure)} serves"
        cause = cause_at_node(view, view.fleet.nodes[unsure[0]])
        remedy = "see why it cannot be asked"
    else:
        severity = Severity.CRITICAL
        summary = f"no redeemer serves: {'; '.join(states[name][1] for name in dead)}"
        remedy = f"bring {dead[0]} back: tickets that win are not cashed, and expire"
        cause = cause_at_node(view, view.fleet.nodes[dead[0]])
        if not cause:
            cause = f"{MISMATCH}@{dead[0]}"
    readings = [view.says(view.reading(NodeStatus, node.name), node.name) for node in declared]
    sent = [f"{name} has -redeemerAddr {address}" for name, address in named.items()]
    return Finding(
        REDEEMER,
        severity,
        "orchestrator",
        registered.name,
        summary,
        (*readings, *sent[:8]),
        remedy,
        metrics=(Metric("redeemers", len(well), "", "1:1", "1:"),),
        cause=cause,
    )


def _redeems(view: View, node: Node) -> tuple[bool | None, str]:
    """Whether a redeemer serves, None when that is not known; and why not."""
    reading = view.reading(NodeStatus, node.name)
    if view.is_fresh(reading) or node.cli is None:
        if observe(view.snapshot, node).does.get(Role.REDEEMER) is False:
            return False, f"{node.name} runs, but is no redeemer"
        return (True, "") if view.is_fresh(reading) else (None, "")
    blocked = view.blocker(node.cli.via)
    if blocked or reading.problem is None or reading.problem.kind not in SILENCE:
        return None, ""
    return False, f"{node.name} is down ({reading.problem.why})"


def orchestrators_serving(view: View) -> Iterator[Finding]:
    """Do as many orchestrators take work as the fleet is meant to have at least?"""
    nodes = [n for n in view.fleet.nodes_with(Role.ORCHESTRATOR) if n.standby_for is None]
    if not nodes:
        return
    least = view.limits.min_orchestrators
    places = servers_by_node(view.snapshot)
    states = {node.name: _takes_work(view, node, places.get(node.name, ())) for node in nodes}
    well = [name for name, (yes, _) in states.items() if yes]
    unsure = [name for name, (yes, _) in states.items() if yes is None]
    severity, cause = Severity.OK, ""
    summary = f"{len(well)} of {plural(len(nodes), 'orchestrator')} take work"
    if len(well) < least:
        summary += f", at least {least} are to"
        severity = Severity.CRITICAL
        if len(well) + len(unsure) >= least:
            severity = Severity.UNKNOWN
            summary = f"not known: {summary}; {listed(unsure)} cannot be asked"
        first = (unsure if severity is Severity.UNKNOWN else [n for n in states if n not in well])[
            0
        ]
        if len(nodes) - len(well) == 1 or severity is Severity.UNKNOWN:
            cause = cause_at_node(view, view.fleet.nodes[first])
    yield Finding(
        SERVING,
        severity,
        "fleet",
        view.fleet.name,
        summary,
        tuple(f"{name}: {why}" for name, (_, why) in states.items()),
        "bring one back: gateways find nobody to work for them" if severity else "",
        metrics=(Metric("orchestrators", len(well), "", "", f"{least}:"),),
        cause=cause,
    )


def _takes_work(
    view: View, node: Node, places: Sequence[tuple[Place, Server | None]]
) -> tuple[bool | None, str]:
    """Whether an orchestrator takes work from gateways, and what says so."""
    reading = view.reading(NodeStatus, node.name)
    if view.rest(node):
        return False, view.rest(node)
    if not view.is_fresh(reading):
        if node.cli is None or view.blocker(node.cli.via) or reading.problem is None:
            return None, view.why(reading)
        known = reading.problem.kind in SILENCE
        return (False if known else None), view.why(reading)
    if observe(view.snapshot, node).does.get(Role.ORCHESTRATOR) is False:
        return False, "answers, but is no orchestrator"
    if places and all(server is not None and not serves(server) for _, server in places):
        name = places[0][0].balancer
        return False, view.says(view.reading(BalancerState, name), f"no traffic from {name}")
    return True, view.seen(reading)


def recipients_agree(view: View) -> Iterator[Finding]:
    """Do all orchestrators work for an orchestrator that is registered, and is this fleet's?"""
    chain = view.fleet.chain
    if chain is None or not chain.orchestrators:
        return
    ours = {item.address: item for item in chain.orchestrators}
    told: dict[Address, list[str]] = {}
    evidence = []
    for node in view.fleet.nodes_with(Role.ORCHESTRATOR):
        seen = observe(view.snapshot, node)
        if seen.recipient is None or seen.process is None:
            continue
        told.setdefault(seen.recipient, []).append(node.name)
        how = "-ethOrchAddr" if settings.recipient_of(seen.process) else "its own account"
        reading = view.reading(HostProcesses, node.host)
        evidence.append(view.says(reading, f"{node.name}: {how} {seen.recipient}"))
    if not told:
        return
    strange = {to: names for to, names in told.items() if to not in ours}
    lost = [
        (to, names) for to, names in told.items() if to in ours and _is_unregistered(view, ours[to])
    ]
    severity, summary = Severity.OK, ""
    if strange:
        severity = Severity.CRITICAL
        summary = "; ".join(
            f"{listed(names)} work{'s' if len(names) == 1 else ''} for {short_address(to)}, which "
            "is no orchestrator of this fleet"
            for to, names in strange.items()
        )
    elif lost:
        severity = Severity.CRITICAL
        to, names = lost[0]
        summary = f"{listed(names)} work for {short_address(to)}, which is not registered on chain"
    else:
        parts = [f"{plural(len(n), 'node')} for {ours[to].name}" for to, n in told.items()]
        summary = f"all work for the fleet's own: {listed(parts)}"
    yield Finding(
        RECIPIENTS,
        severity,
        "fleet",
        view.fleet.name,
        summary,
        tuple(evidence[:16]),
        "correct -ethOrchAddr: winning tickets are paid to that account" if severity else "",
    )


def _is_unregistered(view: View, item: Orchestrator) -> bool:
    record = view.fresh(OrchestratorRecord, item.name)
    return record is not None and not record.registered


def prices_agree(view: View) -> Iterator[Finding]:
    """Do orchestrators behind one address ask the same price? Gateways see one at random."""
    groups: dict[object, list[Node]] = {}
    for node in view.fleet.nodes_with(Role.ORCHESTRATOR):
        if not view.rest(node):
            groups.setdefault(node.recipient, []).append(node)
    names = (
        {item.address: item.name for item in view.fleet.chain.orchestrators}
        if (view.fleet.chain)
        else {}
    )
    for recipient, nodes in groups.items():
        if len(nodes) < 2:
            continue
        asked: dict[Fraction, list[str]] = {}
        for node in nodes:
            price = _asked(view, node)
            if price is not None:
                asked.setdefault(price, []).append(node.name)
        if not asked:
            continue
        target = names.get(recipient) or view.fleet.name  # type: ignore[call-overload]
        differ = len(asked) > 1
        usual = max(asked, key=lambda price: len(asked[price]))
        others = [(price, who) for price, who in asked.items() if price != usual]
        alone = others[0][1] if len(others) == 1 else []
        yield Finding(
            PRICES,
            Severity.WARNING if differ else Severity.OK,
            "orchestrator" if target in names.values() else "fleet",
            target,
            f"prices differ: {', '.join(_asking(*one) for one in [(usual, asked[usual]), *others])}"
            if differ
            else f"all ask {wei_a_pixel(usual)}",
            tuple(
                view.says(view.reading(NodeStatus, name), f"{name}: {wei_a_pixel(price)}")
                for price, who in asked.items()
                for name in who
            ),
            "give all the same -pricePerUnit: a price set over HTTP is lost at the next restart"
            if differ
            else "",
            cause=f"{DRIFT}@{alone[0]}" if len(alone) == 1 else "",
        )


def _asking(price: Fraction, names: list[str]) -> str:
    return f"{listed(names)} {wei_a_pixel(price)}"


def price_drift(view: View) -> Iterator[Finding]:
    """Does an orchestrator ask what it was started with? What was set since is lost with it."""
    for node in view.fleet.nodes_with(Role.ORCHESTRATOR):
        process, asked = process_of(view.snapshot, node), _asked(view, node)
        started = settings.price(process) if process is not None else None
        if started is None or asked is None:
            continue
        drifted = started != asked
        yield Finding(
            DRIFT,
            Severity.WARNING if drifted else Severity.OK,
            "node",
            node.name,
            f"asks {wei_a_pixel(asked)}, but starts with {wei_a_pixel(started)}"
            if drifted
            else f"asks {wei_a_pixel(asked)}, as it starts with",
            (
                view.says(view.reading(NodeStatus, node.name), f"price {wei_a_pixel(asked)}"),
                view.says(
                    view.reading(HostProcesses, node.host), f"-pricePerUnit {wei_a_pixel(started)}"
                ),
            ),
            "write the price that it asks into its -pricePerUnit, or set it back"
            if drifted
            else "",
        )


def _asked(view: View, node: Node) -> Fraction | None:
    """The price for all gateways, in wei a pixel."""
    status = view.fresh(NodeStatus, node.name)
    return dict(status.prices).get(USUAL) if status is not None else None


def wei_a_pixel(price: Fraction) -> str:
    """`620 wei/pixel`; a fraction to three places, never rounded to zero."""
    if price.denominator == 1:
        return f"{price.numerator} wei/pixel"
    shown = f"{float(price):.3f}".rstrip("0")
    return f"{shown if float(shown) else '<0.001'} wei/pixel"
