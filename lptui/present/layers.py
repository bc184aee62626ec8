"""Is a node healthy? Layer by layer, from the clients' side in.

Each layer is what a check has found, so that it says the same as everywhere else. A Livepeer
node's own `/healthz` answers 200 whatever is wrong inside, so it is the balancer's to ask for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from lptui.checks import balancers, links, nodes, transcoders
from lptui.checks.about import about
from lptui.fleet.finding import Finding
from lptui.fleet.pools import places_of
from lptui.fleet.topology import Node
from lptui.present.model import Line, Row, Span, Tone
from lptui.present.view import STATE_OF, View

BALANCER: Final = "balancer's check"

LAYERS: Final[tuple[tuple[str, str], ...]] = (
    ("address, TLS", links.PUBLIC),
    (BALANCER, balancers.SERVER),
    ("CLI /status", nodes.UP),
    ("follows blocks", nodes.WATCHER),
    ("room for sessions", transcoders.SESSIONS),
)


def layer_lines(view: View, row: Row) -> Iterator[Line]:
    """Of a node's detail; nothing for what no client reaches."""
    node = view.snapshot.fleet.nodes.get(dict(row.subjects).get("node", ""))
    if node is None or not node.is_livepeer:
        return
    told = [(name, worst) for name, check in LAYERS if (worst := _worst(view, node, check))]
    if not told:
        return
    yield (Span(" Layers", Tone.ACCENT), Span("  from the clients' side in", Tone.MUTED))
    failing = next((found for _, found in told if found.severity and not found.cause), None)
    for name, found in told:
        state = STATE_OF[found.severity]
        mend = "  to be mended first" if found is failing else ""
        yield (
            Span(f"   {state.word:<6}", state.tone),
            Span(f"{name:<18}", Tone.MUTED),
            Span(found.summary),
            Span(mend, Tone.WARN),
        )
    yield ()


def _worst(view: View, node: Node, check: str) -> Finding | None:
    """What a check found of a node, of its places behind balancers for the balancers' check."""
    found: Sequence[Finding]
    if check == balancers.SERVER:
        places = {f"{place.balancer}/{place.path}" for place in places_of(view.snapshot, node.name)}
        found = [one for one in view.findings.all if one.check == check and one.target in places]
    else:
        of_check = (one for one in view.findings.all if one.check == check)
        found = about(view.snapshot.fleet, node, of_check)
    return max(found, key=lambda one: one.severity.rank, default=None)
