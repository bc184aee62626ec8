"""The backends of a balancer that the operator named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from lptui.fleet.facts.balancer import BalancerState
from lptui.text import clean


def only(state: BalancerState, backends: Sequence[str]) -> BalancerState:
    """The state with only the backends of interest; all when none is named. Frontends stay."""
    if not backends:
        return state
    missing = [name for name in backends if state.backend(name) is None]
    notes = tuple(f"backend {clean(name, 60)!r} is not known to the balancer" for name in missing)
    return replace(
        state,
        proxies=tuple(p for p in state.proxies if p.kind == "frontend" or p.name in backends),
        servers=tuple(server for server in state.servers if server.backend in backends),
        notes=state.notes + notes,
    )
