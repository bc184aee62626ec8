"""The header: fleet, marks, round and its time left, worst state with counts, clock."""

from __future__ import annotations

from collections.abc import Mapping

from lptui.fleet.chains import of_the_past
from lptui.fleet.deadline import pace_of
from lptui.fleet.facts.chain import ChainRound
from lptui.fleet.snapshot import Snapshot
from lptui.present.model import Line, Span, State, Tone
from lptui.present.words import age, duration

Parts = tuple[tuple[int, Line], ...]


def round_part(snapshot: Snapshot, now: float) -> Parts:
    """The round, initialised or not, and what is left of it. Ranks as `Header.show` wants."""
    chain = snapshot.fleet.chain
    if chain is None:
        return ()
    reading = snapshot.reading(ChainRound, chain.network)
    value, old = reading.value, reading.is_stale(now)
    if value is None and reading.last_good is not None:
        value, old, reading = reading.last_good.value, True, reading.last_good
    if value is None:
        return ((1, (Span("round ", Tone.MUTED), Span("?", Tone.UNKNOWN))),)
    still = of_the_past(snapshot)
    if old or still is not None:
        told = reading.age(now) if still is None else max(0.0, now - still)
        text = f"{value.round} seen {age(told)} ago"
        return ((1, (Span("round ", Tone.MUTED), Span(text, Tone.UNKNOWN))),)
    started = (
        Span(" initialised", Tone.OK)
        if value.initialized
        else Span(" NOT INITIALISED", Tone.CRITICAL)
    )
    locked = (Span(" locked", Tone.WARN),) if value.locked else ()
    left_s = value.blocks_left * pace_of(snapshot).seconds
    parts: Parts = (
        (1, (Span("round ", Tone.MUTED), Span(str(value.round), Tone.STRONG), started, *locked)),
        (2, (Span(f"~{duration(left_s)}", Tone.STRONG), Span(" left", Tone.MUTED))),
        (5, (Span(f"{value.blocks_left:,} blocks", Tone.MUTED),)),
    )
    if value.paused:
        parts += ((1, (Span("PAUSED ON CHAIN", Tone.CRITICAL),)),)
    return parts


def lock_part(words: str) -> Parts:
    """Who else is at the fleet; nothing when nobody is."""
    return ((0, (Span(words, Tone.WARN),)),) if words else ()


def fleet_part(name: str, *, demo: bool, read_only: bool, production: bool) -> Parts:
    """Whose fleet it is, and the marks that change what keys do."""
    parts: list[tuple[int, Line]] = [
        (4, (Span("lptui", Tone.MUTED),)),
        (0, (Span(name, Tone.STRONG),)),
    ]
    if demo:
        parts.append((1, (Span("DEMO", Tone.ACCENT),)))
    if production:
        parts.append((3, (Span("PRODUCTION", Tone.WARN),)))
    if read_only:
        parts.append((1, (Span("READ-ONLY", Tone.ACCENT),)))
    return tuple(parts)


def worst_part(
    counts: Mapping[State, int], *, checked: bool, acknowledged: int, age_s: float | None = None
) -> Parts:
    """The worst state in words, and how many findings there are of each.

    `age_s` is given when it was so then, and nobody knows whether it still is.
    """
    if not checked:
        return ((0, (Span("connecting", Tone.MUTED),)),)
    then = () if age_s is None else (Span(f" {age(age_s)} ago", Tone.WARN),)
    if not counts:
        tone = Tone.OK if age_s is None else Tone.UNKNOWN
        parts: Parts = ((0, (Span("all OK", tone), *then)),)
    else:
        spans: list[Span] = []
        for state in sorted(counts, reverse=True):
            spans.append(Span(f"{state.long_word} {counts[state]}", state.tone))
            spans.append(Span(" "))
        parts = ((0, (*spans[:-1], *then)),)
    if acknowledged:
        parts += ((6, (Span(f"{acknowledged} acknowledged", Tone.MUTED),)),)
    return parts
