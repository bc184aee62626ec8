"""When lptui calls reward by itself: what the operator allows, and what follows from it now."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from lptui.fleet.units import Wei


@dataclass(frozen=True, slots=True)
class RewardRetry:
    """What is allowed. The node itself tries once a round (go-livepeer eth/rewardservice.go).

    Attributes:
        tries: most calls in a round, whoever makes them.
        spacing_s: least time between the beginnings of two.
        after_s: none so soon after the round's start: the node's own try comes first.
        last_blocks: none when no more L1 blocks are left: it would be mined too late.
        max_gas_price: none while gas costs more; None leaves it to the node's own cap.
    """

    tries: int = 3
    spacing_s: float = 1200.0
    after_s: float = 1800.0
    last_blocks: int = 20
    max_gas_price: Wei | None = None


class Standing(StrEnum):
    """How things stand with the next call."""

    IDLE = "nothing to do"
    WAITING = "waiting"
    HINDERED = "hindered"
    DUE = "due"


@dataclass(frozen=True, slots=True)
class Decision:
    """What follows for one orchestrator.

    Attributes:
        why: in words.
        at: when the next call may come (UTC seconds), as far as that is known.
        tries: calls made in this round, of `most`.
    """

    orchestrator: str
    standing: Standing
    why: str
    at: float | None = None
    tries: int = 0
    most: int = 0
