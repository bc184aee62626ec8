"""One word for each RPC endpoint: the first thing that is wrong with it, in the order in which the
one explains the other. `eth_syncing` false decides nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from lptui.checks import rpc, rpc_service
from lptui.fleet.finding import Finding, Severity

ORDER: Final = (
    (rpc.REACHABLE, "down"),
    (rpc.CHAIN, "wrong chain"),
    (rpc.STALLED, "stalled"),
    (rpc.LAGGING, "behind"),
    (rpc.DISAGREES, "forked"),
    (rpc.SYNCING, "syncing"),
    (rpc.PEERS, "alone"),
    (rpc_service.L1_VIEW, "old L1"),
    (rpc_service.LOGS, "incomplete"),
    (rpc_service.FROM_NODES, "cut off"),
    (rpc_service.ANSWERS, "slow"),
)
"""Checks in their order, and the word for an endpoint that each finds something wrong with."""

WELL: Final = "well"
UNKNOWN: Final = "unknown"


@dataclass(frozen=True, slots=True)
class RpcVerdict:
    """What to think of an endpoint. `because` is the finding that says so; None when all is well,
    or nothing was judged."""

    word: str
    severity: Severity
    because: Finding | None = None


def verdict(name: str, findings: Iterable[Finding]) -> RpcVerdict:
    """The verdict on an endpoint. What is critical comes before what is only a warning; where
    nothing is wrong, something that is not known makes all of it unknown."""
    own = {
        found.check: found for found in findings if (found.subject, found.target) == ("rpc", name)
    }
    for severity in (Severity.CRITICAL, Severity.WARNING):
        for check, word in ORDER:
            found = own.get(check)
            if found is not None and found.severity is severity:
                return RpcVerdict(word, severity, found)
    for check, _ in ORDER:
        found = own.get(check)
        if found is not None and found.severity is Severity.UNKNOWN:
            return RpcVerdict(UNKNOWN, Severity.UNKNOWN, found)
    if rpc.REACHABLE not in own:
        return RpcVerdict(UNKNOWN, Severity.UNKNOWN)
    return RpcVerdict(WELL, Severity.OK)
