"""What a go-livepeer process was told to be, read from its settings. Pure.

One process has one node type. Of several role flags the first of this order counts, whatever the
others say (go-livepeer cmd/livepeer/starter/starter.go); reward and round initialisation are
services beside it, or all there is.
"""

from __future__ import annotations

from enum import StrEnum
from fractions import Fraction
from typing import Final

from lptui.fleet.facts.host import LivepeerProcess
from lptui.fleet.places import place
from lptui.fleet.units import Address


class NodeType(StrEnum):
    """What a process is. `SERVICE`: it calls reward or initialises rounds, and nothing else."""

    REDEEMER = "redeemer"
    REMOTE_SIGNER = "remote signer"
    ORCHESTRATOR = "orchestrator"
    TRANSCODER = "transcoder"
    AI_WORKER = "AI worker"
    GATEWAY = "gateway"
    SERVICE = "service node"


TYPE_FLAGS: Final = (
    ("redeemer", NodeType.REDEEMER),
    ("remoteSigner", NodeType.REMOTE_SIGNER),
    ("orchestrator", NodeType.ORCHESTRATOR),
    ("transcoder", NodeType.TRANSCODER),
    ("aiWorker", NodeType.AI_WORKER),
    ("broadcaster", NodeType.GATEWAY),
    ("gateway", NodeType.GATEWAY),
)
"""The flags that make a process something, the strongest first."""

_CLI_PORTS: Final = {
    NodeType.ORCHESTRATOR: 7935,
    NodeType.TRANSCODER: 6935,
    NodeType.GATEWAY: 5935,
    NodeType.AI_WORKER: 4935,
    NodeType.REMOTE_SIGNER: 3935,
}
"""Where its CLI API listens when nothing is said; the others take port 80, everywhere."""

TRUE: Final = frozenset({"", "1", "t", "true"})
_FALSE: Final = frozenset({"0", "f", "false"})
_OFF_CHAIN: Final = "offchain"


def switch(process: LivepeerProcess, name: str) -> bool | None:
    """Whether a switch is on or off; None when it is not given, or as nonsense."""
    value = process.flag(name)
    if value is None:
        return None
    word = value.lower()
    return True if word in TRUE else False if word in _FALSE else None


def type_flags(process: LivepeerProcess) -> tuple[str, ...]:
    """The flags that make it something, as given, the one that counts first."""
    return tuple(name for name, _ in TYPE_FLAGS if switch(process, name))


def type_of(process: LivepeerProcess) -> NodeType | None:
    """What a process is; None when nothing that was read tells it."""
    for name, node_type in TYPE_FLAGS:
        if switch(process, name):
            return node_type
    if switch(process, "reward") or switch(process, "initializeRound"):
        return NodeType.SERVICE
    # Without any of these it would have ended at once: they are where nobody may look.
    return None


def is_on_chain(process: LivepeerProcess) -> bool | None:
    """Whether it has an Ethereum client; None when its network is not known."""
    network = process.flag("network")
    if network is not None:
        return network.lower() != _OFF_CHAIN
    if process.flag("ethUrl"):
        # It would not start with one unless it were.
        return True
    return None if process.unread else False


def account_of(process: LivepeerProcess) -> Address | None:
    """The account that it is told to act with; None for the first of its keystore."""
    return _address(process.flag("ethAcctAddr"))


def recipient_of(process: LivepeerProcess) -> Address | None:
    """The orchestrator that it is told to work for; None for its own account."""
    return _address(process.flag("ethOrchAddr"))


def cli_port(process: LivepeerProcess) -> int | None:
    """The port of its CLI API; None when that is not told."""
    written = process.flag("cliAddr")
    node_type = type_of(process)
    usual = _CLI_PORTS.get(node_type, 80) if node_type is not None else 0
    if not written:
        return usual or None
    where = place(written if not written.startswith(":") else f"localhost{written}", usual or 80)
    return where.port if where is not None else None


def price(process: LivepeerProcess) -> Fraction | None:
    """Wei a pixel that it starts with; None where that is not given, or in another currency."""
    per_unit, pixels = process.flag("pricePerUnit"), process.flag("pixelsPerUnit") or "1"
    try:
        return Fraction(per_unit) / Fraction(pixels) if per_unit else None
    except (ValueError, ZeroDivisionError, OverflowError):
        return None


def instances(process: LivepeerProcess) -> tuple[str, ...]:
    """The other instances that an orchestrator sends gateways to (`-nodes`)."""
    return tuple(word.strip() for word in (process.flag("nodes") or "").split(",") if word.strip())


def needs_transcoders(process: LivepeerProcess) -> bool:
    """Whether an orchestrator's work is done by transcoders that register with it: not where it
    transcodes itself, has AI workers or runners instead, or sends all work on (`-nodes`)."""
    own = any(switch(process, name) for name in ("transcoder", "aiWorker", "useLiveRunners"))
    sends_on = (process.flag("serviceAddr") or "").lower() == "none"
    return not own and not process.flag("aiModels") and not sends_on


def _address(word: str | None) -> Address | None:
    text = (word or "").strip().lower()
    return Address(text) if len(text) == 42 and text.startswith("0x") else None
