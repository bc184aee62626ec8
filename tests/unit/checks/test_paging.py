"""What is worth a page at three in the morning, and what can wait."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lptui.checks import CHECKS, overall, run_checks
from lptui.checks.paging import refuse_unknown, worth_a_page
from lptui.config.windows import local_window
from lptui.errors import LptuiError
from lptui.fleet.facts.chain import ChainRound, OrchestratorRecord, SignerAccount
from lptui.fleet.facts.host import HostVitals
from lptui.fleet.finding import Finding, Page, Severity
from lptui.fleet.paging import Paging
from lptui.fleet.units import L1Block, Round, Wei
from lptui.history.events import EventLog
from lptui.present.events import event_line
from lptui.report.json_report import check_document
from lptui.report.text import render
from tests.snapshots import NETWORK, NOW, ROUND, ROUND_LENGTH, FleetBuilder
from tests.unit.checks.verdicts import CRITICAL, OK, WARNING, finding

NIGHT = Paging((local_window("05:00-12:00"),), "Europe/Berlin")
"""It is nine in the morning there: three hours are left of it."""
DAY = replace(NIGHT, quiet=(local_window("22:00-07:00"),))
HOUR_BLOCKS = 300


def fleet(paging: Paging = NIGHT) -> FleetBuilder:
    return FleetBuilder().configure(paging=paging)


def page(builder: FleetBuilder, identifier: str) -> Page:
    found = finding(builder, identifier).page
    assert found is not None
    return found


def loaded(builder: FleetBuilder) -> FleetBuilder:
    """A harmless warning: load@edge-1."""
    return builder.change(HostVitals, "edge-1", load_5m=99.0)


def uncalled(builder: FleetBuilder, blocks_left: int) -> FleetBuilder:
    """The round's reward has not been called, and so many L1 blocks are left."""
    clock = builder.value(ChainRound, NETWORK)
    block = L1Block(clock.start_block + ROUND_LENGTH - blocks_left)
    builder.change(ChainRound, NETWORK, block=block)
    return builder.change(OrchestratorRecord, "main", last_reward_round=Round(ROUND - 1))


def test_without_quiet_hours_nothing_is_said_of_pages() -> None:
    assert finding(loaded(FleetBuilder()), "load@edge-1").page is None


def test_what_is_well_is_no_page() -> None:
    assert finding(fleet(), "load@edge-1").page is None


def test_by_day_everything_pages_and_by_night_a_warning_waits_for_the_morning() -> None:
    assert page(loaded(fleet(DAY)), "load@edge-1").now
    waiting = page(loaded(fleet()), "load@edge-1")
    assert waiting == Page(False, "can wait until Fri 12:00 Europe/Berlin", NOW + 3 * 3600)


def test_what_is_critical_or_not_known_pages_by_night() -> None:
    lost = page(fleet().lose_host("edge-1"), "host-up@edge-1")
    assert (lost.now, lost.why) == (True, "CRITICAL pages in quiet hours")


def test_the_operator_s_own_words_count() -> None:
    calm = replace(NIGHT, can_wait=frozenset({"host-up"}), always=frozenset({"load"}))
    assert not page(fleet(calm).lose_host("edge-1"), "host-up@edge-1").now
    assert page(loaded(fleet(calm)), "load@edge-1").now
    deaf = replace(DAY, severities=frozenset({CRITICAL}))
    assert page(loaded(fleet(deaf)), "load@edge-1") == Page(False, "WARNING is not worth a page")


@pytest.mark.parametrize(
    ("hours_left", "pages"), [(2, True), (8, False)], ids=["before the morning", "after it"]
)
def test_a_reward_that_is_lost_before_the_morning_cannot_wait(hours_left: int, pages: bool) -> None:
    builder = uncalled(fleet(), hours_left * HOUR_BLOCKS)
    builder.limit(reward_critical_blocks=1)
    found = finding(builder, "reward-due@main")
    assert (found.severity, found.page is not None and found.page.now) == (WARNING, pages)
    calm = builder.configure(paging=replace(NIGHT, can_wait=frozenset({"reward-due"})))
    assert page(calm, "reward-due@main").now is pages, "whatever the operator lets wait"
    if pages:
        assert "before the quiet hours end" in page(builder, "reward-due@main").why


def test_a_deadline_that_is_not_known_is_no_reason_to_sleep() -> None:
    builder = fleet(replace(NIGHT, quiet_severities=frozenset({CRITICAL})))
    builder.fail(ChainRound, NETWORK)
    unknown = page(builder, "reward-due@main")
    assert (unknown.now, unknown.why) == (True, "when the round ends is not known")


def test_a_key_that_runs_dry_before_the_morning_cannot_wait() -> None:
    calls = replace(NIGHT, quiet_severities=frozenset({Severity.UNKNOWN}))
    assert page(_with_calls(fleet(calls), 0), "runway@redeemer").now
    assert not page(_with_calls(fleet(calls), 2), "runway@redeemer").now


def _with_calls(builder: FleetBuilder, number: int) -> FleetBuilder:
    """The redeemer's balance lasts for so many calls, each a round."""
    a_call = 10_000_000 * builder.fleet.thresholds.reward_gas
    balance = Wei(a_call * number + a_call // 2)
    return builder.change(SignerAccount, builder.fleet.signers[1].address, balance=balance)


def test_only_what_is_worth_a_page_counts_for_the_exit_code() -> None:
    snapshot = loaded(fleet()).snapshot()
    found = run_checks(snapshot)
    assert overall(found) is WARNING
    assert overall(worth_a_page(found)) is OK
    text = render(snapshot, found, page_only=True)
    assert text.startswith("OK - ")
    assert "; no page for load@edge-1" in text.partition("|")[0]
    assert "WARNING" not in text
    assert "(no page: can wait until Fri 12:00 Europe/Berlin)" in render(snapshot, found)


def test_scripts_get_all_findings_with_their_marks() -> None:
    snapshot = loaded(fleet()).snapshot()
    document = check_document(snapshot, run_checks(snapshot), page_only=True)
    assert (document["status"], document["exit_code"], document["page_only"]) == ("OK", 0, True)
    marks = {f["id"]: f["page"] for f in document["findings"]}  # type: ignore[index,union-attr,call-overload]
    assert marks["load@edge-1"]["now"] is False  # type: ignore[index,call-overload]
    assert marks["load@edge-1"]["waits_until"] == "2027-01-15T11:00:00.000Z"  # type: ignore[index,call-overload]
    assert marks["load@edge-2"] is None


def test_the_strip_says_so_and_stops_saying_so_in_the_morning() -> None:
    log = EventLog()
    log.observe(NOW, run_checks(loaded(fleet()).snapshot()))
    assert "no page now" in _strip(log)
    log.observe(NOW, run_checks(loaded(fleet(DAY)).snapshot()))
    assert "no page now" not in _strip(log)
    assert len(log) == 1, "it is the same event"


def _strip(log: EventLog) -> str:
    return "".join(span.text for event in log for span in event_line(event, NOW))


def test_a_check_that_there_is_not_is_refused_with_the_one_that_was_meant() -> None:
    known = [check.id for check in CHECKS]
    refuse_unknown(None, known)
    refuse_unknown(replace(NIGHT, always=frozenset({"reward-due"})), known)
    with pytest.raises(LptuiError) as caught:
        refuse_unknown(replace(NIGHT, can_wait=frozenset({"reward-deu"})), known)
    assert "reward-due" in caught.value.remedy


def test_every_cost_is_of_a_check_that_there_is() -> None:
    from lptui.checks.paging import _COSTS

    assert set(_COSTS) <= {check.id for check in CHECKS}


def test_marks_do_not_change_what_is_found() -> None:
    def bare(builder: FleetBuilder) -> list[Finding]:
        return [replace(f, page=None) for f in run_checks(builder.snapshot())]

    assert bare(loaded(fleet())) == bare(loaded(FleetBuilder()))
