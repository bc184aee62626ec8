"""The calls for what gas has cost of late and was paid, and what their results mean. Pure.

Both are asked for now and then, in the batch that is sent anyway.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from lptui.errors import BadAnswerError, LptuiError
from lptui.fleet.facts.gas import FeeTrend, FeeWindow, PaidCall
from lptui.fleet.units import L2Block, Wei
from lptui.probes.rpc.values import PRICE, block_number, given, quantity, record
from lptui.transport.protocols import Call

EVERY_S: Final = 300.0
"""Between two readings of base fees, in seconds."""

BLOCKS: Final = 256
MOST_WINDOWS: Final = 288
"""A day's."""

_HISTORY: Final = "eth_feeHistory"
_RECEIPT: Final = "eth_getTransactionReceipt"
_SMALL: Final = 2**63


def history_call() -> Call:
    """Base fees of the newest blocks."""
    return Call(_HISTORY, (hex(BLOCKS), "latest", []))


def is_due(before: FeeTrend | None, now: float) -> bool:
    """Whether base fees are to be asked for again."""
    return before is None or not 0 <= now - before.tried_at < EVERY_S


def parse_history(result: Any, before: FeeTrend | None, now: float) -> FeeTrend:  # noqa: ANN401
    """The trend with one more window; an endpoint that has no such history adds nothing."""
    known = before or FeeTrend((), L2Block(0), 0)
    try:
        window, upto, blocks = _window(given(result), now)
    except LptuiError:
        return replace(known, tried_at=now)
    return FeeTrend((*known.windows, window)[-MOST_WINDOWS:], upto, blocks, now)


def _window(result: object, now: float) -> tuple[FeeWindow, L2Block, int]:
    found = record(result, _HISTORY)
    first = block_number(found.get("oldestBlock"), _HISTORY)
    fees = found.get("baseFeePerGas")
    if not isinstance(fees, list) or not 1 < len(fees) <= BLOCKS + 1:
        raise BadAnswerError(_HISTORY, "no base fees in it")
    # The last one is of a block that is not there yet.
    told = sorted(quantity(fee, _HISTORY, PRICE) for fee in fees[:-1])
    window = FeeWindow(now, Wei(told[0]), Wei(told[len(told) // 2]), Wei(told[-1]))
    return window, L2Block(first + len(told) - 1), len(told)


def receipt_call(tx: str) -> Call:
    """A mined transaction's receipt."""
    return Call(_RECEIPT, (tx,))


def parse_receipt(result: Any, tx: str) -> PaidCall:  # noqa: ANN401
    """What a transaction has cost. Raises RpcError or BadAnswerError."""
    found = record(given(result), _RECEIPT)
    if found.get("transactionHash") != tx:
        raise BadAnswerError(_RECEIPT, "the receipt of another transaction")
    return PaidCall(
        tx,
        L2Block(block_number(found.get("blockNumber"), _RECEIPT)),
        quantity(found.get("gasUsed"), _RECEIPT, _SMALL),
        Wei(quantity(found.get("effectiveGasPrice"), _RECEIPT, PRICE)),
    )
