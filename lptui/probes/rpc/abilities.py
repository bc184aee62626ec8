"""What an endpoint gives besides its head: logs, old state, receipts. Asked along with the head, at
a slow pace, so that it takes no request of its own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from lptui.errors import LptuiError, ProblemKind, RpcError
from lptui.fleet.facts.chain import RewardHistory
from lptui.fleet.facts.rpc import RpcAbilities
from lptui.fleet.snapshot import Snapshot
from lptui.probes.rpc.values import given, quantity, record, shown
from lptui.text import clean
from lptui.transport.protocols import Call

LOGS: Final = "logs of a block"
STATE: Final = "state of an old block"
RECEIPT: Final = "receipt of a transaction"

_NOBODY: Final = "0x" + "0" * 40
_BEGINNINGS: Final = {42161: 22_207_818}
"""First block after the genesis where that is not the first block of all: Arbitrum One's state
before Nitro is in another client."""

_PRUNED: Final = re.compile(
    r"prun|missing trie node|not available|unavailable|no state|historical|archive", re.IGNORECASE
)
"""Words of geth, Nitro, Nethermind, Erigon, Besu, Reth and of providers for state that is gone."""


def calls(chain_id: int, contract: str, mined: str) -> dict[str, Call]:
    """What to ask: logs of the newest block, of `contract` where one is known; a balance at the
    chain's beginning; the receipt of a `mined` transaction where one is known."""
    who = contract or _NOBODY
    newest = {"fromBlock": "latest", "toBlock": "latest", "address": who}
    asked = {
        LOGS: Call("eth_getLogs", (newest,)),
        STATE: Call("eth_getBalance", (who, hex(_BEGINNINGS.get(chain_id, 1)))),
    }
    if mined:
        asked[RECEIPT] = Call("eth_getTransactionReceipt", (mined,))
    return asked


def parse(results: Mapping[str, Any], mined: str, now: float) -> RpcAbilities | None:
    """What it gives, from the results by what was asked; None when it was not asked."""
    if LOGS not in results:
        return None
    archive, why = _archive(results[STATE])
    is_asked = RECEIPT in results
    return RpcAbilities(
        read_at=now,
        logs=_logs(results[LOGS]),
        archive=archive,
        archive_error=why,
        receipt_of=mined if is_asked else "",
        receipt=_receipt(results[RECEIPT]) if is_asked else None,
    )


def newest_mined(snapshot: Snapshot) -> str:
    """The newest transaction that logs show to be mined; "" for none known."""
    histories = [reading.value for _, reading in snapshot.all(RewardHistory)]
    events = [event for found in histories if found is not None for event in found.events]
    newest = max(events, key=lambda event: event.block, default=None)
    return newest.tx if newest is not None else ""


def _logs(result: object) -> str | None:
    """Why there are no logs; an endpoint that asks too much patience says nothing of them."""
    if isinstance(result, RpcError):
        return None if result.kind is ProblemKind.RATE_LIMITED else clean(result.why, 120)
    return "" if isinstance(result, list) else f"not a list: {shown(result)}"


def _archive(result: object) -> tuple[bool | None, str]:
    if result is None:
        # Besu's answer for state that it does not have.
        return False, ""
    try:
        quantity(given(result), "eth_getBalance")
    except LptuiError as error:
        why = clean(error.why or error.what, 120)
        is_gone = error.kind is not ProblemKind.RATE_LIMITED and _PRUNED.search(why) is not None
        return (False, "") if is_gone else (None, why)
    return True, ""


def _receipt(result: object) -> bool | None:
    if result is None:
        return False
    try:
        record(given(result), "eth_getTransactionReceipt")
    except LptuiError:
        return None
    return True
