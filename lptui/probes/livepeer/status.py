"""Reads `/status` and `/currentBlock` (go-livepeer server/handlers.go, common/types.go)."""

from __future__ import annotations

import json
import re
from fractions import Fraction
from typing import Any, Final, NoReturn

from lptui.errors import BadAnswerError
from lptui.fleet.facts.livepeer import ConnectedTranscoder, NodeBlock, NodeStatus
from lptui.fleet.units import L2Block
from lptui.text import clean

BLOCK_BYTES: Final = 32
"""Longest body of `/currentBlock`: a 256-bit integer."""

_BLOCK_CEILING: Final = 2**36
"""No chain with four blocks a second gets there in five centuries; text read as bytes does."""

_BRACKET: Final = re.compile(rb"[\[\]{}]")
_DEEPEST: Final = 100
_MANY: Final = 2_000
"""Most list entries kept of one answer."""

_RATIONAL: Final = re.compile(r"(\d{1,80})(?:/(\d{1,80}))?", re.ASCII)


def parse_status(raw: bytes, latency_s: float = 0.0) -> NodeStatus:
    """The answer of `/status`; `latency_s` is how long it took. Raises BadAnswerError."""
    what = "/status"
    document = json_object(raw, what)
    version = document.get("Version")
    if not isinstance(version, str):
        raise BadAnswerError(what, "no Version in it: is this a go-livepeer CLI API?")
    transcoders = _transcoders(document.get("RegisteredTranscoders"))
    number = document.get("RegisteredTranscodersNumber")
    if number is not None and count(number) is None:
        shown = clean(repr(number), 40)
        raise BadAnswerError(what, f"not a number of transcoders: {shown}")
    manifests = document.get("Manifests")
    return NodeStatus(
        version=clean(version, 80),
        transcoders=transcoders,
        transcoders_number=len(transcoders) if number is None else number,
        local_transcoding=document.get("LocalTranscoding") is True,
        prices=_prices(document.get("BroadcasterPrices")),
        streams=len(manifests) if isinstance(manifests, dict) else 0,
        latency_s=latency_s,
    )


def parse_block(raw: bytes) -> NodeBlock:
    """The answer of `/currentBlock`: raw big-endian bytes, none at all for block 0.

    Raises BadAnswerError for what is too long or too large to be a block's number, which is
    what any text turns into.
    """
    what = "/currentBlock"
    if len(raw) > BLOCK_BYTES:
        raise BadAnswerError(what, f"{len(raw)} bytes, at most {BLOCK_BYTES} are a number")
    block = int.from_bytes(raw, "big")
    if block > _BLOCK_CEILING or raw in (b"null", b"true"):
        shown = clean(raw, 40) if raw.isascii() else raw.hex()
        raise BadAnswerError(what, f"not a block's number: {shown}")
    return NodeBlock(L2Block(block))


def json_object(raw: bytes, what: str) -> dict[str, Any]:
    """A JSON object. Raises BadAnswerError for anything else, an empty body included."""
    if not raw.strip():
        raise BadAnswerError(what, "an empty answer where JSON is promised")
    if _is_deep(raw):
        raise BadAnswerError(what, f"nested without end ({clean(raw[:400], 60)})")
    try:
        document = json.loads(raw, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        why = "HTML" if raw.lstrip()[:1] == b"<" else "not JSON"
        raise BadAnswerError(what, f"{why} ({clean(raw[:400], 60)})") from error
    if not isinstance(document, dict):
        raise BadAnswerError(what, f"JSON, but no object ({clean(raw[:400], 60)})")
    return document


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _is_deep(raw: bytes) -> bool:
    """More brackets open at once than any answer has, those within texts counted too.

    Asked before parsing: the parser recurses in C, and how far that goes is up to a limit that
    any imported library may have raised.
    """
    depth = 0
    if raw.count(b"[") + raw.count(b"{") > _DEEPEST:
        for match in _BRACKET.finditer(raw):
            depth += 1 if match[0] in b"[{" else -1
            if depth > _DEEPEST:
                return True
    return False


def count(value: object) -> int | None:
    """A number of things that fits in 63 bits, None for anything else."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63:
        return value
    return None


def rational(value: object) -> Fraction | None:
    """A price as Go writes big rationals: `"a"` or `"a/b"`; None for anything else."""
    match = _RATIONAL.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return None
    below = int(match[2]) if match[2] else 1
    return Fraction(int(match[1]), below) if below else None


def _transcoders(value: object) -> tuple[ConnectedTranscoder, ...]:
    """Go gives null for an empty list."""
    if not isinstance(value, list):
        return ()
    return tuple(
        ConnectedTranscoder(clean(str(item.get("Address", "")), 100), count(item["Capacity"]) or 0)
        for item in value[:_MANY]
        if isinstance(item, dict) and count(item.get("Capacity")) is not None
    )


def _prices(value: object) -> tuple[tuple[str, Fraction], ...]:
    if not isinstance(value, dict):
        return ()
    priced = ((clean(name, 60), rational(text)) for name, text in list(value.items())[:_MANY])
    return tuple((name, price) for name, price in priced if price is not None)
