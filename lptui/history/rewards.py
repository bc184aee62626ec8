"""What was learnt of past rounds, stakes and tickets, kept between runs: cron starts anew each
time, and an endpoint gives old logs piece by piece.

The file is a hint: what cannot be read counts as never learnt, and the probe asks the chain
whether it still has the block that everything rests on.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from lptui.errors import Problem, ProblemKind
from lptui.fleet.facts.chain import RewardEvent, RewardHistory, RoundOutcome
from lptui.fleet.facts.reward import (
    Hindrance,
    L1Pace,
    RewardWatch,
    RoundNote,
    RoundSeen,
)
from lptui.fleet.facts.stake import StakeChange, StakeEvent, StakeHistory
from lptui.fleet.facts.tickets import RedeemedInRound, Redemption, Redemptions
from lptui.fleet.reading import Key, Reading
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Chain, Fleet
from lptui.fleet.units import Address, L1Block, L2Block, Lptu, Round, Wei
from lptui.history.files import LONGEST_FILE, replace_file
from lptui.text import clean

VERSION: Final = 1
MOST_ORCHESTRATORS: Final = 64
MOST_ITEMS: Final = 1000
"""Of anything that is listed: rounds, events, notes."""

Readings = dict[Key, Reading[object]]


def file_name(chain: Chain) -> str:
    """The file of a chain's contracts; fleets on the same contracts share it."""
    return f"rewards-{chain.chain_id}-{chain.controller[2:10]}.json"


def remembered(fleet: Fleet, path: Path) -> Readings:
    """Readings that were not read yet in this run, with what earlier runs knew as their last good
    value. Blocks; never raises for the file."""
    chain = fleet.chain
    document = _load(path)
    if chain is None or document is None:
        return {}
    found: Readings = {}
    pace = _read(_pace, document.get("pace"))
    if pace is not None:
        found[Key(L1Pace, chain.network)] = _past(pace, _time(document.get("pace_at")))
    kept = document.get("orchestrators")
    for item in chain.orchestrators:
        entry = kept.get(item.address) if isinstance(kept, dict) else None
        if not isinstance(entry, dict):
            continue
        at = _time(entry.get("at"))
        for topic, parse in _PARTS:
            value = _read(parse, entry.get(topic.__name__))
            if value is not None:
                found[Key(topic, item.name)] = _past(value, at)
    return found


def save(snapshot: Snapshot, path: Path) -> None:
    """Writes what a snapshot knows. Blocks; never raises for the file."""
    chain = snapshot.fleet.chain
    if chain is None:
        return
    document = _load(path) or {}
    kept = document.get("orchestrators")
    entries: dict[str, Any] = dict(kept) if isinstance(kept, dict) else {}
    for item in chain.orchestrators:
        history = snapshot.reading(RewardHistory, item.name)
        stakes = snapshot.reading(StakeHistory, item.name)
        watch = snapshot.reading(RewardWatch, item.name)
        redeemed = snapshot.reading(Redemptions, item.name)
        entry = dict(entries.pop(item.address, {}))
        if history.value is not None:
            entry |= {"at": history.taken_at, "RewardHistory": _history_json(history.value)}
        if stakes.value is not None:
            entry |= {"StakeHistory": _stakes_json(stakes.value)}
        if redeemed.value is not None:
            entry |= {"Redemptions": _redemptions_json(redeemed.value)}
        if watch.value is not None:
            entry |= {"RewardWatch": _watch_json(watch.value)}
        if entry:
            entries[item.address] = entry
    pace = snapshot.reading(L1Pace, chain.network)
    written = {
        "version": VERSION,
        "orchestrators": dict(list(entries.items())[-MOST_ORCHESTRATORS:]),
        "pace": pace.value.samples if pace.value else document.get("pace", []),
        "pace_at": pace.taken_at if pace.value else document.get("pace_at", 0.0),
    }
    text = json.dumps(written)
    if len(text) < LONGEST_FILE:
        with suppress(OSError):
            replace_file(path, text)


def _load(path: Path) -> dict[str, Any] | None:
    try:
        with path.open(encoding="utf-8") as file:
            found = json.loads(file.read(LONGEST_FILE))
    except (OSError, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) and found.get("version") == VERSION else None


def _time(value: object) -> float:
    """When it was read; 0 when the file does not tell."""
    return _read(_number, value) or 0.0


def _past(value: object, at: float) -> Reading[object]:
    words = "what earlier runs learnt"
    problem = Problem(ProblemKind.NOT_READ, words, "not read yet in this run")
    return Reading(None, problem, words, 0.0, last_good=Reading(value, None, words, at))


def _read(parse: Callable[[Any], Any], value: object) -> Any:  # noqa: ANN401
    """What a part of the file holds; None for what is not plainly such a part."""
    try:
        return parse(value)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError):
        return None


# Histories


def _history_json(value: RewardHistory) -> Mapping[str, object]:
    return {
        "rounds": [[number, outcome.value] for number, outcome in value.rounds],
        "events": [[e.round, e.block, e.tx, str(e.amount), e.caller, e.at] for e in value.events],
        "since": value.since_block,
        "upto": value.upto_block,
        "complete": value.complete,
        "starts": value.starts,
        "window": value.window,
        "begun_at": value.begun_at,
        "begun_by": value.begun_by,
        "anchor": value.anchor,
    }


def _history(value: Any) -> RewardHistory:  # noqa: ANN401
    # Without its anchor nobody can tell whether the chain still has what it is about.
    number, digest = value["anchor"]
    return RewardHistory(
        rounds=tuple((Round(_whole(n)), RoundOutcome(o)) for n, o in _items(value["rounds"])),
        events=tuple(_event(item) for item in _items(value["events"])),
        since_block=L2Block(_whole(value["since"])),
        upto_block=L2Block(_whole(value["upto"])),
        complete=value["complete"] is True,
        starts=tuple((Round(_whole(n)), L2Block(_whole(b))) for n, b in _items(value["starts"])),
        window=_whole(value["window"]),
        begun_at=_maybe(_number, value["begun_at"]),
        begun_by=_maybe(_account, value.get("begun_by")),
        anchor=(L2Block(_whole(number)), _hex(digest, 64)),
    )


def _account(value: Any) -> Address:  # noqa: ANN401
    return Address(_hex(value, 40))


def _event(item: Any) -> RewardEvent:  # noqa: ANN401
    number, block, tx, amount, caller, at = item
    return RewardEvent(
        None if number is None else Round(_whole(number)),
        L2Block(_whole(block)),
        _hex(tx, 64),
        Lptu(_whole(int(amount), 2**256)),
        _maybe(_account, caller),
        _maybe(_number, at),
    )


# Stakes


def _stakes_json(value: StakeHistory) -> Mapping[str, object]:
    return {
        "events": [
            [
                *(e.change.value, e.round, e.block, e.index, e.tx),
                *(None if e.amount is None else str(e.amount), e.who, e.lock, e.effective),
                *(e.reward_cut, e.fee_share),
            ]
            for e in value.events
        ],
        "since": value.since_block,
        "upto": value.upto_block,
        "complete": value.complete,
        "most": [[number, str(stake)] for number, stake in value.most],
    }


def _stakes(value: Any) -> StakeHistory:  # noqa: ANN401
    return StakeHistory(
        events=tuple(_stake_event(item) for item in _items(value["events"])),
        since_block=L2Block(_whole(value["since"])),
        upto_block=L2Block(_whole(value["upto"])),
        complete=value["complete"] is True,
        most=tuple(
            (Round(_whole(number)), Lptu(_whole(int(stake), 2**256)))
            for number, stake in _items(value["most"])
        ),
    )


def _stake_event(item: Any) -> StakeEvent:  # noqa: ANN401
    change, number, block, index, tx, amount, who, lock, effective, cut, share = item
    return StakeEvent(
        StakeChange(change),
        _maybe(lambda one: Round(_whole(one)), number),
        L2Block(_whole(block)),
        _whole(index),
        _hex(tx, 64),
        _maybe(lambda one: Lptu(_whole(int(one), 2**256)), amount),
        _maybe(lambda one: Address(_hex(one, 40)), who),
        _maybe(_whole, lock),
        _maybe(lambda one: Round(_whole(one)), effective),
        _maybe(_whole, cut),
        _maybe(_whole, share),
    )


# Tickets


def _redemptions_json(value: Redemptions) -> Mapping[str, object]:
    new = value.newest
    return {
        "rounds": [_redeemed_json(part) for part in value.rounds],
        "partial": None if value.partial is None else _redeemed_json(value.partial),
        "newest": None if new is None else [new.payer, str(new.value), new.block, new.tx, new.at],
        "since": value.since_block,
        "upto": value.upto_block,
        "read_at": value.read_at,
        "missing": value.missing,
        "anchor": value.anchor,
    }


def _redeemed_json(part: RedeemedInRound) -> list[object]:
    return [part.round, part.begun, part.count, str(part.value)]


def _redemptions(value: Any) -> Redemptions:  # noqa: ANN401
    # Without its anchor nobody can tell whether the chain still has what was counted.
    number, digest = value["anchor"]
    return Redemptions(
        rounds=tuple(_redeemed(item) for item in _items(value["rounds"])),
        newest=_maybe(_redemption, value["newest"]),
        since_block=L2Block(_whole(value["since"])),
        upto_block=L2Block(_whole(value["upto"])),
        read_at=_number(value["read_at"]),
        missing=clean(str(value["missing"]), 300),
        anchor=(L2Block(_whole(number)), _hex(digest, 64)),
        partial=_maybe(_redeemed, value["partial"]),
    )


def _redeemed(item: Any) -> RedeemedInRound:  # noqa: ANN401
    number, begun, count, amount = item
    worth = Wei(_whole(int(amount), 2**256))
    block = L2Block(_whole(begun))
    return RedeemedInRound(Round(_whole(number)), block, _whole(count), worth)


def _redemption(item: Any) -> Redemption:  # noqa: ANN401
    payer, amount, block, tx, at = item
    return Redemption(
        Address(_hex(payer, 40)),
        Wei(_whole(int(amount), 2**256)),
        L2Block(_whole(block)),
        _hex(tx, 64),
        _maybe(_number, at),
    )


# Watches


def _watch_json(value: RewardWatch) -> Mapping[str, object]:
    return {
        "notes": [[n.round, n.kind.value, n.text, n.since_at, n.until_at] for n in value.notes],
        "seen": [[s.round, s.since_at, s.until_at, s.blocks_into] for s in value.seen],
        "errors": value.errors,
        "caller": value.caller,
    }


def _watch(value: Any) -> RewardWatch:  # noqa: ANN401
    return RewardWatch(
        notes=tuple(
            RoundNote(
                Round(_whole(number)),
                Hindrance(kind),
                clean(str(text), 300),
                _number(since),
                _number(until),
            )
            for number, kind, text, since, until in _items(value["notes"])
        ),
        seen=tuple(
            RoundSeen(Round(_whole(number)), _number(since), _number(until), _whole(into))
            for number, since, until, into in _items(value["seen"])
        ),
        errors=tuple((clean(str(node), 64), _whole(n)) for node, n in _items(value["errors"])),
        caller=_maybe(lambda one: Address(_hex(one, 40)), value["caller"]),
    )


_PARTS: Final[tuple[tuple[type, Callable[[Any], Any]], ...]] = (
    (RewardHistory, _history),
    (StakeHistory, _stakes),
    (Redemptions, _redemptions),
    (RewardWatch, _watch),
)


def _pace(value: Any) -> L1Pace:  # noqa: ANN401
    return L1Pace(tuple((_number(at), L1Block(_whole(block))) for at, block in _items(value)))


# Values


def _items(value: object) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError("not a list")
    return value[-MOST_ITEMS:]


def _whole(value: object, limit: int = 2**63) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < limit:
        raise ValueError("not a count")
    return value


def _number(value: object) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        raise ValueError("not a number")
    return float(value)


def _hex(value: object, digits: int) -> str:
    if not isinstance(value, str) or len(value) != digits + 2 or not value.startswith("0x"):
        raise ValueError("not hexadecimal")
    int(value, 16)
    return value.lower()


def _maybe(parse: Callable[[Any], Any], value: object) -> Any:  # noqa: ANN401
    return None if value is None else parse(value)
