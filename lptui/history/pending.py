"""Since when transactions have been pending, kept between runs: cron looks once each time, and
misses those that are pending no more though their nonce is unused.

The file is a hint and nothing more: what cannot be read counts as never seen, what cannot be
written is seen anew by the next run.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import cast

from lptui.fleet.facts.chain import ChainRound, SignerAccount
from lptui.fleet.reading import Key, Reading
from lptui.fleet.snapshot import Snapshot
from lptui.history.files import LONGEST_FILE, replace_file

Wait = tuple[int, float, str]
"""The nonce that waits to be mined, when it was first seen waiting (UTC s), and at which endpoint:
what one has pending, another need not know of."""

Seen = dict[str, Wait]
"""By account."""


def continued(snapshot: Snapshot, seen: Mapping[str, Wait]) -> tuple[Snapshot, Seen]:
    """The snapshot with the waits that earlier runs saw begin, and what the next run must know.

    An account that could not be read, or is another fleet's, keeps what was known of it.
    """
    readings: dict[Key, Reading[object]] = dict(snapshot.readings)
    kept: Seen = dict(seen)
    chain = snapshot.fleet.chain
    clock = snapshot.value(ChainRound, chain.network) if chain is not None else None
    rpc = clock.rpc if clock is not None else ""
    for address, reading in snapshot.all(SignerAccount):
        account = reading.value
        if account is None or not account.pending_known:
            continue
        before = kept.pop(address, None)
        since = account.pending_since
        if before is not None and before[0] == account.nonce:
            if account.pending and since is not None:
                since = min(since, before[1])
            elif not account.pending and before[2] == rpc:
                # It waited at this endpoint, waits no more, and was not mined.
                since = before[1]
        if since is None:
            continue
        kept[address] = (account.nonce, since, rpc)
        told = replace(reading, value=replace(account, pending_since=since))
        readings[Key(SignerAccount, address)] = cast("Reading[object]", told)
    return replace(snapshot, readings=MappingProxyType(readings)), kept


def carry_on(snapshot: Snapshot, path: Path) -> Snapshot:
    """`continued` with what the file holds; writes it back. Blocks; never raises for the file."""
    before = load(path)
    snapshot, now = continued(snapshot, before)
    if now != before:
        with suppress(OSError):
            save(path, now)
    return snapshot


def load(path: Path) -> Seen:
    """What a file holds; whatever is not plainly such a record is left out."""
    try:
        with path.open(encoding="utf-8") as file:
            found = json.loads(file.read(LONGEST_FILE))
    except (OSError, ValueError, RecursionError):
        return {}
    result: Seen = {}
    for address, item in found.items() if isinstance(found, dict) else ():
        match item:
            case [int(nonce), int(since) | float(since), str(rpc)] if 0 <= since < float("inf"):
                result[address] = (nonce, float(since), rpc)
    return result


def save(path: Path, seen: Seen) -> None:
    """Writes a file whole or not at all. Raises OSError."""
    replace_file(path, json.dumps(seen))
