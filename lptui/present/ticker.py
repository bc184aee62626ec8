"""The newest block of each RPC endpoint with a bar of its age, which grows between readings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from lptui.fleet.chains import head_age_limits
from lptui.fleet.facts.rpc import RpcHead
from lptui.fleet.topology import Rpc
from lptui.present.model import Line, Row, Span, Tone
from lptui.present.view import View
from lptui.present.words import age, bar, duration, grouped

LEAST_CHART: Final = 5
"""Lines that are left to the chart below."""

WIDEST_BAR: Final = 40
_USUAL_SCALE_S: Final = 60.0
"""Of chains that mine on demand: an old head means nothing there."""


def height(view: View, room: int) -> int:
    """How many lines the ticker takes of those that there are: one an endpoint, and no chart's."""
    return max(0, min(len(view.snapshot.fleet.rpcs), room - LEAST_CHART))


def ticker(view: View, width: int, lines: int) -> list[Line]:
    """A line for each endpoint, in the configuration's order; the last one counts what is left."""
    rpcs: Sequence[Rpc] = tuple(view.snapshot.fleet.rpcs.values())
    if lines <= 0 or not rpcs:
        return []
    shown = rpcs if len(rpcs) <= lines else rpcs[: lines - 1]
    name_width = min(16, max(len(rpc.name) for rpc in rpcs))
    drawn = [_line(view, rpc, width, name_width) for rpc in shown]
    if len(shown) < len(rpcs):
        drawn.append((Span(f" … {len(rpcs) - len(shown)} more endpoints", Tone.MUTED),))
    return drawn


def lines_of(view: View, row: Row) -> Iterator[Line]:
    """The same in an endpoint's detail."""
    rpc = view.snapshot.fleet.rpcs.get(row.subjects[0][1])
    if rpc is not None:
        yield (Span(" Newest block", Tone.ACCENT),)
        yield _line(view, rpc, 76, len(rpc.name))
        yield ()


def _line(view: View, rpc: Rpc, width: int, name_width: int) -> Line:
    """`nitro      300,000,123  ███████░░░  4s   of 2m`; what could not be read has no bar."""
    name = Span(f" {rpc.name[:name_width]:<{name_width}} ", Tone.STRONG)
    reading = view.reading(RpcHead, rpc.name)
    value, since = view.last(reading)
    if value is None:
        return (name, Span(f"{'?':>15}  its newest block is not known", Tone.UNKNOWN))
    limits = head_age_limits(view.snapshot.fleet.thresholds, value.chain_id)
    warn, most = limits or (_USUAL_SCALE_S, _USUAL_SCALE_S)
    old = max(0.0, view.now - value.head_time)
    word, tone = "new", Tone.OK
    if limits is None:
        word, tone = "mined on demand", Tone.MUTED
    elif old >= most:
        word, tone = "TOO OLD", Tone.CRITICAL
    elif old >= warn:
        word, tone = "late", Tone.WARN
    seen = "" if since is None else f"  read {age(view.now - since)} ago"
    tail = f" {duration(old):>6} of {duration(most)} {word}"
    room = width - name_width - 19 - len(tail) - len(seen)
    drawn = bar(old / most, max(0, min(WIDEST_BAR, room))) if most > 0 else ""
    return (
        name,
        Span(f"{grouped(value.head):>15}  ", Tone.NORMAL if since is None else Tone.MUTED),
        Span(drawn, tone),
        Span(tail, tone),
        Span(seen, Tone.WARN),
    )
