"""Transactions that nodes named when they were asked to send something, from the record."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from lptui.fleet.facts.rpc import SentTransaction
from lptui.fleet.units import Address
from lptui.text import clean

_NAMED: Final = re.compile(r"tx_?hash\W{0,3}(0x[0-9a-f]{64})\b", re.IGNORECASE)
"""go-livepeer: `timed out waiting for transaction receipt txHash=0x…` (eth/client.go)."""

_ACCOUNT: Final = re.compile(r"0x[0-9a-f]{40}")


def sent(lines: Iterable[Mapping[str, Any]], since: float) -> tuple[SentTransaction, ...]:
    """What was sent since then (UTC seconds) and not seen to take effect, oldest first."""
    found: dict[str, SentTransaction] = {}
    for line in lines:
        if line.get("event") != "ended" or line.get("outcome") == "done":
            continue
        at = _time(line.get("at"))
        if at is None or at < since:
            continue
        facts = line.get("facts")
        account = str(facts.get("account", "")).lower() if isinstance(facts, dict) else ""
        sender = Address(account) if _ACCOUNT.fullmatch(account) else None
        who = f"the reply to {clean(str(line.get('action')), 40)}"
        for tx in _NAMED.findall(str(line.get("summary"))):
            found[tx.lower()] = SentTransaction(tx.lower(), at, who, sender)
    return tuple(found.values())


def _time(value: object) -> float | None:
    try:
        return datetime.fromisoformat(str(value)).timestamp()
    except (ValueError, OverflowError, OSError):
        return None
