"""What a node's route answered: laid out, cleaned, and with what is to be known of it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NoReturn

from lptui.errors import LptuiError
from lptui.present.model import Line, Span, Tone
from lptui.present.words import age, seconds, size
from lptui.text import clean, clean_lines, plural

MOST_LINES: Final = 20_000
"""Of a text."""

LONGEST: Final = 4_000
"""Characters of a line of text, and of each line on a screen."""

MOST_ON_SCREEN: Final = 5_000
"""Lines on a screen…"""

MOST_CHARACTERS: Final = 200_000
"""…of about so many characters in all: to wrap more takes longer than a key may."""

MOST_LAID_OUT: Final = 16_000_000
"""Characters of JSON: what is nested deeply is mostly white space."""

BLOCK: Final = "/currentBlock"
"""Its answer is a number as big-endian bytes (go-livepeer server/handlers.go)."""

_LONGEST_BLOCK: Final = 32

EMPTY: Final = {
    "/maxGasPrice": "it has no cap",
    "/rewardCaller": "no other key may call its reward",
}
"""What an empty answer stands for; elsewhere go-livepeer answers so after a fault of its own."""

HINTS: Final = {
    401: "something in front of the node wants a login: check its address, and the secret of `cli`",
    403: "something in front of the node forbids it: check its address",
    404: "no such route: an older version, or what answers there is not its CLI API (-cliAddr)",
    405: "it wants another method here, and is asked by GET alone",
    429: "it is asked too often: wait a moment",
}

_KEY: Final = re.compile(r'(\s*)("(?:[^"\\]|\\.)*")(: ?)')


@dataclass(frozen=True, slots=True)
class Inspected:
    """An answer. All texts are safe to show.

    Attributes:
        size: bytes of the answer.
        at: when it had come, UTC seconds.
        value: what its JSON, or its number, means; None for text.
        lines: the answer, laid out where it is JSON.
        notes: what is to be known besides, and what to do.
    """

    node: str
    route: str
    status: int
    size: int
    took_s: float
    at: float
    value: object
    lines: tuple[str, ...]
    notes: tuple[str, ...] = ()


def inspected(
    node: str, route: str, status: int, body: bytes, *, took_s: float, at: float
) -> Inspected:
    """Takes an answer apart; long ones take a moment."""
    notes = list(_status_notes(status, body))
    value: object = None
    lines: tuple[str, ...] = ()
    if route == BLOCK and status == 200 and len(body) <= _LONGEST_BLOCK:
        value = int.from_bytes(body, "big")
        lines = (str(value),)
    elif body.strip():
        try:
            value = json.loads(body, parse_constant=_no_number)
            lines = tuple(laid_out(value, MOST_LAID_OUT).split("\n"))
        except (ValueError, RecursionError) as error:
            value = None
            if body.lstrip()[:1] in (b"{", b"["):
                notes.append(f"it begins like JSON and is shown as text: {clean(str(error), 120)}")
    elif status == 200:
        notes.append(EMPTY.get(route, "it says nothing, as after a fault: see the node's log"))
    if value is None:
        lines = clean_lines(body, MOST_LINES, LONGEST)
    return Inspected(node, route, status, len(body), took_s, at, value, lines, tuple(notes))


def laid_out(value: object, most: int | None = None) -> str:
    """JSON in ASCII: what a terminal would obey is escaped.

    Raises ValueError for what JSON has not, or what is longer than `most` characters.
    """
    encoder = json.JSONEncoder(ensure_ascii=True, allow_nan=False, indent=2)
    parts: list[str] = []
    length = 0
    for part in encoder.iterencode(value):
        length += len(part)
        if most is not None and length > most:
            raise ValueError("too much of it to be laid out")
        parts.append(part)
    return "".join(parts)


def title(
    node: str, route: str, found: Inspected | None, failure: LptuiError | None, now: float
) -> Line:
    """What was asked, how it went, and when; `found` is older than a failure."""
    line: Line = (Span(f" {node} ", Tone.STRONG), Span(route, Tone.ACCENT))
    if failure is not None:
        line += (Span("   NO ANSWER", Tone.CRITICAL),)
    if found is None:
        return line
    before = "   before that:" if failure is not None else ""
    return (
        *line,
        Span(before, Tone.WARN),
        Span(f"   HTTP {found.status}", Tone.OK if found.status == 200 else Tone.WARN),
        Span(f"   {size(found.size)} in {seconds(found.took_s)}", Tone.MUTED),
        Span(f"   {age(max(0.0, now - found.at))} ago", Tone.MUTED),
    )


def page(found: Inspected | None, failure: LptuiError | None) -> list[Line]:
    """The answer on a screen, under what is to be known of it."""
    lines: list[Line] = []
    if failure is not None:
        lines.append((Span(" ! ", Tone.CRITICAL), Span(str(failure))))
        if failure.remedy:
            lines.append((Span("   → ", Tone.ACCENT), Span(failure.remedy)))
    if found is None:
        return lines
    lines += [(Span(" ! ", Tone.WARN), Span(note)) for note in found.notes]
    if lines:
        lines.append(())
    lines += _answer(found)
    return lines


def _answer(found: Inspected) -> Iterator[Line]:
    is_json = found.value is not None
    room, shown = MOST_CHARACTERS, 0
    for text in found.lines[:MOST_ON_SCREEN]:
        if room <= 0:
            break
        cut = text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
        room, shown = room - len(cut), shown + 1
        yield _of_json(cut) if is_json else (Span(f" {cut}"),)
    if not found.lines:
        yield (Span(" (an empty answer)", Tone.MUTED),)
    more = len(found.lines) - shown
    if more > 0:
        whole = f"lptui --headless get {found.node} {found.route}"
        yield (Span(f" … {plural(more, 'line')} more; all of it: {whole}", Tone.WARN),)


def _of_json(text: str) -> Line:
    key = _KEY.match(text)
    if key is None:
        return (Span(f" {text}"),)
    return (Span(f" {key[1]}"), Span(key[2], Tone.ACCENT), Span(key[3] + text[key.end() :]))


def _status_notes(status: int, body: bytes) -> Iterator[str]:
    if status == 200:
        return
    if status == 500 and b"missing eth client" in body[:400].lower():
        yield "it runs without a chain, and has no answer here"
    elif status >= 500:
        yield "the node failed at it: see its log, and its RPC node"
    elif status in HINTS:
        yield HINTS[status]


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{clean(word, 20)} is not JSON")
