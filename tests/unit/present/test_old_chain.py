"""A chain that stands still: what was read of it just now is shown as old as its head."""

from __future__ import annotations

from lptui.checks import run_checks
from lptui.fleet.facts.chain import ChainRound
from lptui.history.series import History
from lptui.present.catalog import PRESENTERS
from lptui.present.header import round_part
from lptui.present.model import State, text_of
from lptui.present.view import Findings, Memo, View
from lptui.report import render_check
from tests.snapshots import NETWORK, NOW, REGISTERED, ROUND, FleetBuilder

OLD = FleetBuilder().change(ChainRound, NETWORK, head_time=NOW - 7200.0)


def test_the_panes_show_of_when_it_is() -> None:
    snapshot = OLD.snapshot()
    view = View(snapshot, NOW, Findings(run_checks(snapshot)), History(), Memo())
    rounds = PRESENTERS["rounds"](view)
    assert text_of(rounds.lead[0]) == f"round {ROUND}, seen 2h ago: its head is old"
    (row,) = rounds.sections[0].rows
    assert row.state is State.UNKNOWN
    assert row.cells[2].text == "called"
    assert row.cells[2].since == NOW - 7200.0
    balances = PRESENTERS["balances"](view)
    held = balances.row(f"signer:{REGISTERED}")
    assert held is not None
    assert any(cell.since == NOW - 7200.0 for cell in held.cells)


def test_the_header_counts_nothing_down() -> None:
    parts = round_part(OLD.snapshot(), NOW)
    assert [text_of(line) for _, line in parts] == [f"round {ROUND} seen 2h ago"]


def test_the_first_line_of_a_check_tells_no_blocks_left() -> None:
    snapshot = OLD.snapshot()
    first = render_check(snapshot, run_checks(snapshot), "text").splitlines()[0]
    assert "blocks left" not in first.partition("|")[0]
