"""The fleet's transactions that are not settled, kept between runs: one that a client drops is
missed by the next run of cron.

The file is a hint: what cannot be read counts as never seen.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from lptui.errors import Problem, ProblemKind
from lptui.fleet.facts.rpc import SentTransaction, SentTransactions
from lptui.fleet.reading import Reading
from lptui.fleet.units import Address
from lptui.history.files import LONGEST_FILE, replace_file
from lptui.text import clean

MOST: Final = 64
_HASH: Final = re.compile(r"0x[0-9a-f]{64}")
_ACCOUNT: Final = re.compile(r"0x[0-9a-f]{40}")


def remembered(path: Path, told: Iterable[SentTransaction] = ()) -> Reading[object] | None:
    """What earlier runs left, and what lptui was `told` besides, as the last good value of a
    reading; None for nothing. Blocks; never raises for the file."""
    before = load(path)
    known = {item.hash: item for item in told} | {item.hash: item for item in before.sent}
    sent = [item for item in known.values() if item.hash not in before.settled]
    if not sent and not before.settled:
        return None
    newest = max((item.seen_at for item in sent), default=1.0)
    sent.sort(key=lambda item: item.seen_at)
    value = SentTransactions(tuple(sent), before.settled)
    past: Reading[object] = Reading(value, None, "an earlier run", newest)
    problem = Problem(ProblemKind.NOT_READ, "transactions", "not read yet")
    return Reading(None, problem, "an earlier run", 0.0, last_good=past)


def load(path: Path) -> SentTransactions:
    """What a file holds; whatever is not plainly a transaction is left out."""
    try:
        with path.open(encoding="utf-8") as file:
            found = json.loads(file.read(LONGEST_FILE))
    except (OSError, ValueError, RecursionError):
        return SentTransactions()
    document = found if isinstance(found, dict) else {}
    sent = [_read(item) for item in _items(document.get("sent"))]
    settled = [tx for tx in _items(document.get("settled")) if isinstance(tx, str)]
    return SentTransactions(
        tuple(item for item in sent if item is not None),
        tuple(tx for tx in settled if _HASH.fullmatch(tx)),
    )


def _items(value: object) -> list[object]:
    return value[:MOST] if isinstance(value, list) else []


def save(path: Path, followed: SentTransactions) -> None:
    """Writes a file whole or not at all; raises nothing."""
    sent = [asdict(item) for item in followed.sent]
    with suppress(OSError, ValueError):
        if sent or followed.settled or path.exists():
            replace_file(path, json.dumps({"sent": sent, "settled": list(followed.settled)}))


def _read(item: Any) -> SentTransaction | None:  # noqa: ANN401 (any JSON)
    match item:
        case {"hash": str(tx), "seen_at": int(at) | float(at), "known_to": str(who)} if (
            _HASH.fullmatch(tx) and _is_time(at)
        ):
            sender, pooled = item.get("sender"), item.get("pooled_at")
            known = isinstance(sender, str) and _ACCOUNT.fullmatch(sender) is not None
            return SentTransaction(
                tx,
                float(at),
                clean(who, 80),
                Address(sender) if known else None,
                _nonce(item.get("nonce")),
                float(pooled) if isinstance(pooled, (int, float)) and _is_time(pooled) else None,
                _nonce(item.get("looked_nonce")),
            )
    return None


def _nonce(value: object) -> int | None:
    return value if type(value) is int and 0 <= value < 2**63 else None


def _is_time(value: float) -> bool:
    return math.isfinite(value) and 0 <= value < 1e11
