"""GPUs at their limits, and what the driver does not tell."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lptui.errors import ProblemKind
from lptui.fleet.facts.gpu import HostGpus
from lptui.fleet.facts.host import HostProcesses
from lptui.fleet.finding import Severity
from lptui.fleet.units import Percent
from tests.snapshots import FleetBuilder
from tests.unit.checks.verdicts import CRITICAL, OK, UNKNOWN, WARNING, by_id, finding, severity


def card(**changes: object) -> FleetBuilder:
    return FleetBuilder().change_gpu("gpu-1", 0, **changes)


@pytest.mark.parametrize(
    ("degrees", "expected"),
    [(82.9, OK), (83.0, WARNING), (89.9, WARNING), (90.0, CRITICAL), (None, UNKNOWN)],
)
def test_temperature(degrees: float | None, expected: Severity) -> None:
    fleet = card(temperature_c=degrees)
    assert severity(fleet, "gpu-temperature@gpu-1/0") is expected
    assert severity(fleet, "gpu-temperature@gpu-1/1") is OK


@pytest.mark.parametrize(
    ("mask", "expected"),
    [(0, OK), (0x1 | 0x4, OK), (0x8, WARNING), (0x40, WARNING), (0x80, WARNING), (None, UNKNOWN)],
)
def test_throttled(mask: int | None, expected: Severity) -> None:
    assert severity(card(throttle_reasons=mask), "gpu-throttled@gpu-1/0") is expected


@pytest.mark.parametrize(("busy", "expected"), [(94.9, OK), (95.0, WARNING), (100.0, WARNING)])
def test_encoder(busy: float, expected: Severity) -> None:
    assert severity(card(encoder=Percent(busy)), "gpu-encoder@gpu-1/0") is expected


def test_a_card_without_encoder_or_error_counter_is_left_out() -> None:
    found = by_id(card(encoder=None, ecc_uncorrected=None))
    assert "gpu-encoder@gpu-1/0" not in found
    assert "gpu-ecc@gpu-1/0" not in found


def test_uncorrected_errors() -> None:
    assert severity(card(ecc_uncorrected=1), "gpu-ecc@gpu-1/0") is CRITICAL


def test_a_sick_card_explains_what_it_does_not_tell() -> None:
    fleet = card(
        problem="GPU requires reset", temperature_c=None, throttle_reasons=None, encoder=None
    )
    found = by_id(fleet)
    assert found["gpu-problem@gpu-1/0"].severity is CRITICAL
    for check in ("gpu-temperature", "gpu-throttled", "gpu-encoder"):
        assert found[f"{check}@gpu-1/0"].severity is UNKNOWN
        assert found[f"{check}@gpu-1/0"].cause == "gpu-problem@gpu-1/0"


@pytest.mark.parametrize(
    ("expected_cards", "expected"), [(1, OK), (2, OK), (3, CRITICAL), (None, OK)]
)
def test_missing_cards(expected_cards: int | None, expected: Severity) -> None:
    fleet = FleetBuilder().configure_host("gpu-1", gpus=expected_cards)
    assert severity(fleet, "gpu-missing@gpu-1") is expected


def test_no_vendor_tool_where_cards_are_expected() -> None:
    fleet = FleetBuilder().put(HostGpus(), "gpu-1")
    found = finding(fleet, "gpu-missing@gpu-1")
    assert found.severity is CRITICAL
    assert "no vendor tool" in found.summary


def test_no_vendor_tool_where_none_are_expected_is_no_matter() -> None:
    assert "gpu-missing@edge-1" not in by_id(FleetBuilder().put(HostGpus(), "edge-1"))


FAULT = HostGpus(tool="nvidia-smi", fault="Driver/library version mismatch", advice="reboot it")


@pytest.mark.parametrize(("wanted", "expected"), [(2, CRITICAL), (None, WARNING), (0, OK)])
def test_a_driver_that_does_not_work(wanted: int | None, expected: Severity) -> None:
    fleet = FleetBuilder().configure_host("gpu-1", gpus=wanted).put(FAULT, "gpu-1")
    found = finding(fleet, "gpu-missing@gpu-1")
    assert found.severity is expected
    assert ("mismatch" in found.summary) is (expected is not OK)
    assert ("reboot it" in found.remedy) is (expected is not OK)


def test_a_lost_card_shows_though_nobody_said_how_many_there_are() -> None:
    fleet = FleetBuilder().configure_host("gpu-1", gpus=None)
    fleet.change(HostGpus, "gpu-1", fault="GPU is lost", advice="reboot")
    assert severity(fleet, "gpu-missing@gpu-1") is CRITICAL
    assert severity(fleet, "gpu-temperature@gpu-1/0") is OK


@pytest.mark.parametrize(
    ("kind", "is_told"),
    [
        (ProblemKind.TIMEOUT, True),
        (ProblemKind.FORBIDDEN, True),
        (ProblemKind.BAD_ANSWER, True),
        (ProblemKind.NOT_READ, False),
    ],
)
def test_a_tool_that_fails_is_told_where_no_cards_were_declared(
    kind: ProblemKind, is_told: bool
) -> None:
    """Nobody says how many cards there should be; that nvidia-smi hangs matters all the same."""
    fleet = FleetBuilder().put(HostGpus(), "edge-1").fail(HostGpus, "edge-1", kind)
    assert "gpu-missing@edge-1" not in by_id(fleet), "it had no vendor's tool a moment ago"
    found = by_id(fleet.fail(HostGpus, "edge-1", kind))
    assert ("gpu-missing@edge-1" in found) is is_told
    if is_told:
        assert found["gpu-missing@edge-1"].severity is UNKNOWN
    fleet.lose_host("edge-1")
    assert "gpu-missing@edge-1" not in by_id(fleet), "the host is the matter then"


def test_what_rests_on_cards_that_are_not_told_names_why() -> None:
    fleet = FleetBuilder().configure_host("gpu-1", nvenc_sessions=8)
    assert finding(fleet.put(FAULT, "gpu-1"), "nvenc-sessions@gpu-1").cause == "gpu-missing@gpu-1"
    fleet = card(problem="GPU requires reset", encoder_sessions=None)
    assert finding(fleet, "nvenc-sessions@gpu-1").cause == "gpu-problem@gpu-1/0"
    fleet.fail(HostGpus, "gpu-1", ProblemKind.TIMEOUT)
    assert finding(fleet, "nvenc-sessions@gpu-1").cause == "gpu-missing@gpu-1"


def test_cards_that_do_not_answer_are_unknown_by_name() -> None:
    found = by_id(FleetBuilder().fail(HostGpus, "gpu-1", ProblemKind.TIMEOUT))
    assert found["gpu-missing@gpu-1"].severity is UNKNOWN
    assert found["gpu-temperature@gpu-1/0"].severity is UNKNOWN
    assert found["gpu-temperature@gpu-1/0"].cause == "gpu-missing@gpu-1"
    stale = by_id(FleetBuilder().age(HostGpus, "gpu-1", 100.0))
    assert stale["gpu-temperature@gpu-1/1"].severity is UNKNOWN


@pytest.mark.parametrize(("cap", "expected"), [(9, OK), (8, WARNING), (3, WARNING)])
def test_encoder_sessions_of_the_host_against_the_drivers_cap(cap: int, expected: Severity) -> None:
    fleet = FleetBuilder().configure_host("gpu-1", nvenc_sessions=cap)
    assert severity(fleet, "nvenc-sessions@gpu-1") is expected


def test_encoder_sessions_that_one_card_does_not_tell_are_unknown() -> None:
    assert severity(card(encoder_sessions=None), "nvenc-sessions@gpu-1") is UNKNOWN
    uncapped = FleetBuilder().configure_host("gpu-1", nvenc_sessions=None)
    assert "nvenc-sessions@gpu-1" not in by_id(uncapped)


def geforce(driver: str, *, sessions: int = 3) -> FleetBuilder:
    """A host with two consumer cards, whose limit nobody has configured."""
    fleet = FleetBuilder().configure_host("gpu-1", nvenc_sessions=None)
    for index in (0, 1):
        name = "NVIDIA GeForce RTX 3080"
        fleet.change_gpu("gpu-1", index, name=name, encoder_sessions=sessions)
    return fleet.change(HostGpus, "gpu-1", driver=driver)


@pytest.mark.parametrize(
    ("driver", "cap"),
    [("390.157", 2), ("470.82.01", 3), ("535.104.05", 5), ("550.54.14", 8), ("610.43", 8)],
)
def test_consumer_cards_have_the_cap_of_their_driver(driver: str, cap: int) -> None:
    found = finding(geforce(driver), "nvenc-sessions@gpu-1")
    assert found.summary == f"6 of {cap} encoder sessions allowed by the driver"
    assert found.severity is (WARNING if cap <= 6 else OK)
    assert f"limit of driver {driver} for NVIDIA GeForce RTX 3080" in found.evidence[0]


def test_an_operator_knows_better_than_the_table() -> None:
    fleet = geforce("470.82.01")
    assert severity(fleet.configure_host("gpu-1", nvenc_sessions=20), "nvenc-sessions@gpu-1") is OK
    fleet.configure_host("gpu-1", nvenc_sessions="unlimited")
    assert "nvenc-sessions@gpu-1" not in by_id(fleet)


def test_professional_cards_in_the_same_machine_do_not_count() -> None:
    fleet = geforce("550.54.14", sessions=4).change_gpu(
        "gpu-1", 1, name="NVIDIA RTX A4000", encoder_sessions=40
    )
    assert "4 of 8" in finding(fleet, "nvenc-sessions@gpu-1").summary


def test_a_busy_decoder() -> None:
    assert severity(card(decoder=Percent(94.9)), "gpu-decoder@gpu-1/0") is OK
    assert severity(card(decoder=Percent(95.0)), "gpu-decoder@gpu-1/0") is WARNING


def told(nvidia: str) -> FleetBuilder:
    """The first transcoder's process was started with these devices."""
    fleet = FleetBuilder()
    (process,) = fleet.value(HostProcesses, "gpu-1").livepeer
    flags = (*process.flags, ("nvidia", nvidia))
    return fleet.put(HostProcesses((replace(process, flags=flags),)), "gpu-1")


@pytest.mark.parametrize("nvidia", ["0", "0,1", "all", "GPU-gpu-1-1"])
def test_devices_that_are_there(nvidia: str) -> None:
    assert severity(told(nvidia), "gpu-devices@trans-1") is OK


def test_a_device_that_is_not_there() -> None:
    found = finding(told("0,2"), "gpu-devices@trans-1")
    assert found.severity is Severity.CRITICAL
    assert "no card 2 on the host" in found.summary


def test_a_card_without_an_encoder_cannot_transcode() -> None:
    fleet = told("1").change_gpu("gpu-1", 1, name="NVIDIA H100 80GB HBM3")
    found = finding(fleet, "gpu-devices@trans-1")
    assert found.severity is Severity.CRITICAL
    assert "NVIDIA H100 80GB HBM3: without an encoder" in found.summary
    assert (
        severity(fleet.put(told("0").value(HostProcesses, "gpu-1"), "gpu-1"), "gpu-devices@trans-1")
        is OK
    )


def test_drivers_of_several_major_versions() -> None:
    fleet = FleetBuilder()
    assert severity(fleet, "driver-skew@example") is OK
    fleet.change(HostGpus, "gpu-1", driver="550.54.14")
    fleet.change(HostGpus, "gpu-2", driver="550.90.07")
    assert severity(fleet, "driver-skew@example") is OK
    fleet.change(HostGpus, "gpu-2", driver="535.104.05")
    assert severity(fleet, "driver-skew@example") is WARNING
