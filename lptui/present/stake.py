"""An orchestrator's place in the pool, and its rates, in the pane of rounds."""

from __future__ import annotations

from lptui.fleet.facts.chain import ChainRound, OrchestratorRecord
from lptui.fleet.facts.stake import TranscoderPool
from lptui.fleet.reading import Reading
from lptui.fleet.standing import standing
from lptui.fleet.topology import Orchestrator
from lptui.fleet.units import format_units
from lptui.present.model import EMPTY_CELL, UNKNOWN_CELL, Cell, Span, Tone, spans_cell
from lptui.present.view import View


def place_cells(view: View, it: Orchestrator, pool: Reading[TranscoderPool]) -> tuple[Cell, Cell]:
    """`54/100`, and how much stake it has above the last place."""
    value, since = view.last(pool)
    if value is None:
        return UNKNOWN_CELL, UNKNOWN_CELL
    found = standing(value, it.address)
    if found.place is None or found.margin is None or not found.stake:
        return Cell("none", Tone.CRITICAL, found.size + 1, since), EMPTY_CELL
    share = 100.0 * found.margin / found.stake
    near = bool(found.is_full) and share < view.snapshot.fleet.thresholds.stake_margin_warn
    tone = Tone.WARN if near else Tone.NORMAL
    where = f"{found.place}/{found.most if found.most is not None else '?'}"
    return (
        Cell(where, tone, found.place, since),
        Cell(format_units(found.margin, 2), tone, found.margin, since),
    )


def rates_cell(view: View, record: Reading[OrchestratorRecord], clock: Reading[ChainRound]) -> Cell:
    """Reward cut and fee share; `locked` while the contract refuses to change them."""
    value, since = view.last(record)
    if value is None:
        return UNKNOWN_CELL
    text = f"{value.reward_cut / 1e4:g}/{value.fee_share / 1e4:g}%"
    now, clock_since = view.last(clock)
    if now is None or not now.locked or clock_since is not None or since is not None:
        return Cell(text, Tone.NORMAL, value.reward_cut, since)
    return spans_cell((Span(f"{text} "), Span("locked", Tone.WARN)), value.reward_cut)
