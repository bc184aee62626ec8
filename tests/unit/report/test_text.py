"""The monitoring-plugin format."""

from __future__ import annotations

import re
from itertools import cycle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lptui.checks import run_checks
from lptui.errors import LptuiError
from lptui.fleet.facts.chain import OrchestratorRecord, RewardHistory, SignerAccount
from lptui.fleet.finding import Finding, Metric, Severity
from lptui.fleet.units import Round
from lptui.report import CHECK_FORMATS, STATUS_FORMATS, render_check, render_status
from lptui.report.text import perfdata, plain
from tests.snapshots import REDEEMER, ROUND, FleetBuilder
from tests.unit.report.hostile import INTEGERS, NUMBERS, TEXTS, hostile

DATUM = re.compile(r"'(?:[^'=|]|'')+'=(?:U|-?[0-9]+(?:\.[0-9]+)?(?:s|%|B|c)?(?:;[0-9.:~@-]*){0,2})")

SNAPSHOT = FleetBuilder().snapshot()
CHECKED = len(run_checks(SNAPSHOT))


def report(fleet: FleetBuilder, took_s: float | None = None) -> list[str]:
    snapshot = fleet.snapshot()
    text = render_check(snapshot, run_checks(snapshot), "text", took_s=took_s)
    assert text.endswith("\n")
    return text.splitlines()


def data_of(lines: list[str]) -> list[str]:
    """The performance data of a report: after the first line's `|`, and after the last text's."""
    found = lines[0].partition("|")[2]
    for at, line in enumerate(lines[1:], 1):
        if "|" in line:
            found += " " + " ".join([line.partition("|")[2], *lines[at + 1 :]])
            break
    return DATUM.findall(found)


def check_format(lines: list[str]) -> None:
    """What holds for every report."""
    assert all(line.isascii() and line.isprintable() for line in lines)
    assert re.match(r"(OK|WARNING|CRITICAL|UNKNOWN) - ", lines[0])
    assert max(map(len, lines)) <= 4300
    assert len(lines[0]) < 4096
    assert lines[0].count("|") <= 1
    head, _, data = lines[0].partition("|")
    assert head
    assert DATUM.sub("", data).strip() == ""
    assert sum("|" in line for line in lines[1:]) <= 1


def test_all_well() -> None:
    lines = report(FleetBuilder())
    check_format(lines)
    assert lines[0].startswith(f"OK - {CHECKED} checks well, round 4121, 3189 blocks left|")
    assert not any(line.startswith(("OK", "WARN", "CRIT", "UNKN")) for line in lines[1:])


def test_what_fails_is_named_in_the_first_line_what_costs_most_first() -> None:
    fleet = FleetBuilder().change_gpu("gpu-1", 0, temperature_c=95.0)
    fleet.change(OrchestratorRecord, "main", last_reward_round=Round(ROUND - 1))
    fleet.change(RewardHistory, "main", events=()).limit(reward_critical_blocks=3189)
    fleet.configure_chain(block_seconds=12.0)
    lines = report(fleet.limit(reward_critical_blocks=1594))
    check_format(lines)
    assert lines[0].startswith("CRITICAL - ")
    fleet.change(SignerAccount, REDEEMER, balance=0)
    first = report(fleet)[0]
    assert first.index("balance(redeemer)") < first.index("gpu-temperature(gpu-1/0)")


def test_one_line_a_finding_the_worst_first_with_remedy_and_evidence() -> None:
    lines = report(FleetBuilder().change_gpu("gpu-1", 0, temperature_c=95.0))
    check_format(lines)
    assert lines[0].startswith(
        f"CRITICAL - 1/{CHECKED} checks failing: gpu-temperature(gpu-1/0) 95 C|"
    )
    assert lines[1].startswith("CRITICAL gpu-temperature@gpu-1/0 - 95 C -> see its fans")
    assert "[NVIDIA L4 (HostGpus of gpu-1, 1 s ago)]" in lines[1]
    assert not any(line.startswith("OK ") for line in lines)


def test_what_follows_from_a_lost_host_is_counted_and_named() -> None:
    lines = report(FleetBuilder().lose_host("edge-1"))
    check_format(lines)
    told = re.match(
        r"CRITICAL - 1/\d+ checks failing \(and (\d+) that follow from these\)", lines[0]
    )
    assert told is not None
    assert lines[1].startswith("CRITICAL host-up@edge-1 - cannot be reached")
    follow = sum("(because of host-up@edge-1)" in line for line in lines)
    assert follow == int(told[1]) > 20


def test_nothing_checked_is_unknown() -> None:
    assert render_check(FleetBuilder().snapshot(), (), "text") == "UNKNOWN - nothing was checked\n"


def test_performance_data() -> None:
    metrics = (
        Metric("head age", 1.5, "s", "30", "120"),
        Metric("peers", None, "", "3:", "1:"),
        Metric("it's=odd|", 7, "wei"),
        Metric("nan", float("nan"), "%"),
        Metric("tiny", 0.00000001),
        Metric("big", 2**256 - 1, "wei", "5:"),
        Metric("negative", -2.5, "C"),
        Metric("below zero", -0.1, "s", "30", "-120:120"),
    )
    found = Finding("x", Severity.OK, "rpc", "n", "s", metrics=metrics)
    assert list(perfdata([found], 0.25)) == [
        "'run_time'=0.25s",
        "'n head age'=1.5s;30;120",
        "'n peers'=U",
        "'n it''s:odd/'=7",
        "'n nan'=U",
        "'n tiny'=0",
        f"'n big'={2**256 - 1};5:",
        "'n negative'=-2.5",
        "'n below zero'=-0.1s;~:30;-120:120",
    ]


def test_a_label_is_given_once() -> None:
    one = Finding("a", Severity.OK, "rpc", "n", "s", metrics=(Metric("latency", 1, "s"),))
    two = Finding("b", Severity.OK, "node", "n", "s", metrics=(Metric("latency", 2, "s"),))
    given = list(perfdata([one, two]))
    assert given == ["'n latency'=1s", "'n b latency'=2s"]


def test_a_large_fleet_keeps_the_first_line_short_and_loses_no_data() -> None:
    lines = report(FleetBuilder(orchestrators=40, transcoders=20), took_s=1.0)
    check_format(lines)
    data = data_of(lines)
    assert len(data) == len(set(data)) > 400
    assert data[0].startswith("'run_time'=")


def test_unicode_becomes_ascii() -> None:
    assert plain("é 漢 … 0x12…ab | 61°") == "? ? ... 0x12...ab / 61 deg"


@pytest.mark.parametrize("failing", [False, True], ids=["read", "failing"])
@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_hostile_facts_break_neither_checks_nor_any_report(text: str, failing: bool) -> None:
    for number, integer in zip(NUMBERS, cycle(INTEGERS), strict=False):
        snapshot = hostile(text, number, integer, failing=failing)
        findings = run_checks(snapshot)
        assert not [f.summary for f in findings if "the check itself failed" in f.summary]
        check_format(render_check(snapshot, findings, "text").splitlines())
        for form in CHECK_FORMATS:
            assert render_check(snapshot, findings, form)
        for form in STATUS_FORMATS:
            assert render_status(snapshot, findings, form)


@settings(max_examples=60, deadline=None)
@given(st.text(), st.text(max_size=30), st.floats(), st.integers())
def test_any_text_keeps_the_format(summary: str, target: str, value: float, count: int) -> None:
    metrics = (Metric(target, value, "s"), Metric(summary[:50], count))
    found = Finding(
        "c", Severity.CRITICAL, "host", target, summary, (summary,), summary, "", metrics
    )
    check_format(render_check(SNAPSHOT, (found,), "text").splitlines())


def test_unknown_formats_are_refused() -> None:
    with pytest.raises(LptuiError, match="has no format xml"):
        render_check(SNAPSHOT, (), "xml")
    with pytest.raises(LptuiError, match="has no format prometheus"):
        render_status(SNAPSHOT, (), "prometheus")
