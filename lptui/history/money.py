"""What balances, fees and stakes did round by round, kept between runs: cron looks once each time.

The file is a hint: what cannot be read counts as never seen.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from lptui.errors import Problem, ProblemKind
from lptui.fleet.facts.gas import PaidCall
from lptui.fleet.facts.money import AccountFlow, EarningsFlow, Flow, RoundFlow
from lptui.fleet.flows import MOST_ROUNDS
from lptui.fleet.reading import Key, Reading
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Chain, Fleet
from lptui.fleet.units import L2Block, Round, Wei
from lptui.history.files import LONGEST_FILE, replace_file

VERSION: Final = 1
MOST: Final = 256
"""Accounts and orchestrators, the latest ones."""

TOPICS: Final = (AccountFlow, EarningsFlow, PaidCall)

Readings = dict[Key, Reading[object]]


def file_name(chain: Chain) -> str:
    """The file of a chain's contracts; fleets on the same contracts share it."""
    return f"money-{chain.chain_id}-{chain.controller[2:10]}.json"


def remembered(fleet: Fleet, path: Path) -> Readings:
    """Readings that were not read yet in this run, with what earlier runs knew as their last good
    value. Blocks; never raises for the file."""
    names = {item.address: item.name for item in fleet.chain.orchestrators} if fleet.chain else {}
    found: Readings = {}
    for topic, parse in _PARTS:
        entries = _load(path).get(topic.__name__)
        for subject, entry in entries.items() if isinstance(entries, dict) else ():
            target = subject if topic is AccountFlow else names.get(subject)
            try:
                at, value = _number(entry["at"]), parse(entry)
            except (KeyError, TypeError, ValueError, IndexError):
                continue
            if target is not None:
                found[Key(topic, target)] = _past(value, at)
    return found


def save(snapshot: Snapshot, path: Path) -> None:
    """Writes what a snapshot knows. Blocks; never raises for the file."""
    chain = snapshot.fleet.chain
    if chain is None:
        return
    document = _load(path)
    addresses = {item.name: item.address for item in chain.orchestrators}
    written: dict[str, Any] = {"version": VERSION}
    for topic in TOPICS:
        before = document.get(topic.__name__)
        entries: dict[str, Any] = dict(before) if isinstance(before, dict) else {}
        for target, reading in snapshot.all(topic):
            subject = target if topic is AccountFlow else addresses.get(target)
            if reading.value is None or subject is None:
                continue
            entries.pop(subject, None)
            entries[subject] = {"at": reading.taken_at, **_json(reading.value)}
        written[topic.__name__] = dict(list(entries.items())[-MOST:])
    text = json.dumps(written)
    if len(text) < LONGEST_FILE and written != document:
        with suppress(OSError):
            replace_file(path, text)


def _load(path: Path) -> dict[str, Any]:
    try:
        with path.open(encoding="utf-8") as file:
            found = json.loads(file.read(LONGEST_FILE))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) and found.get("version") == VERSION else {}


def _past(value: object, at: float) -> Reading[object]:
    words = "what earlier runs learnt"
    problem = Problem(ProblemKind.NOT_READ, words, "not read yet in this run")
    return Reading(None, problem, words, 0.0, last_good=Reading(value, None, words, at))


def _json(value: object) -> Mapping[str, object]:
    if isinstance(value, AccountFlow):
        return {"balance": _flow_json(value.balance)}
    if isinstance(value, EarningsFlow):
        return {"fees": _flow_json(value.fees), "stake": _flow_json(value.stake)}
    assert isinstance(value, PaidCall)  # noqa: S101 (one of TOPICS)
    return {"paid": [value.tx, value.block, value.gas, str(value.price)]}


def _flow_json(flow: Flow | None) -> object:
    if flow is None:
        return None
    rounds = [
        [
            *(r.round, str(r.down), str(r.up), round(r.seconds, 1)),
            *(r.transactions, r.hidden, str(r.moved)),
        ]
        for r in flow.rounds
    ]
    return [str(flow.amount), flow.nonce, flow.round, flow.at, rounds]


def _flow(value: Any) -> Flow:  # noqa: ANN401
    amount, nonce, number, at, rounds = value
    if not isinstance(rounds, list) or not rounds:
        raise ValueError("no rounds")
    parts = tuple(
        RoundFlow(
            Round(_whole(one)),
            _amount(down),
            _amount(up),
            _number(seconds),
            _whole(sent),
            _whole(hidden),
            # Earlier versions did not tell it apart.
            _amount(moved[0]) if moved else 0,
        )
        for one, down, up, seconds, sent, hidden, *moved in rounds[-MOST_ROUNDS:]
    )
    return Flow(_amount(amount), _whole(nonce), Round(_whole(number)), _number(at), parts)


def _maybe_flow(value: Any) -> Flow | None:  # noqa: ANN401
    return None if value is None else _flow(value)


def _paid(entry: Any) -> PaidCall:  # noqa: ANN401
    tx, block, gas, price = entry["paid"]
    if not isinstance(tx, str) or len(tx) != 66 or int(tx, 16) < 0:
        raise ValueError("not a hash")
    return PaidCall(tx, L2Block(_whole(block)), _whole(gas), Wei(_amount(price)))


_PARTS: Final[tuple[tuple[type, Callable[[Any], object]], ...]] = (
    (AccountFlow, lambda entry: AccountFlow(_flow(entry["balance"]))),
    (
        EarningsFlow,
        lambda entry: EarningsFlow(_maybe_flow(entry["fees"]), _maybe_flow(entry["stake"])),
    ),
    (PaidCall, _paid),
)


def _amount(value: object) -> int:
    if not isinstance(value, str) or not value.isascii() or not value.isdecimal():
        raise ValueError("not an amount")
    return _whole(int(value[:80]), 2**256)


def _whole(value: object, limit: int = 2**63) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < limit:
        raise ValueError("not a count")
    return value


def _number(value: object) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        raise ValueError("not a number")
    return float(value)
