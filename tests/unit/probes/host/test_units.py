"""Units, containers and their open files."""

from __future__ import annotations

import json
from math import inf
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lptui.errors import BadAnswerError, CommandError
from lptui.fleet.facts.host import HostUnits, Trigger, UnitLoad
from lptui.fleet.reading import Key
from lptui.probes.host.containers import in_order, parse_inspect
from lptui.probes.host.services import HostUnitsProbe
from lptui.probes.host.units import (
    parse_failed,
    parse_open_files,
    parse_show,
    parse_triggers,
    time_span,
    with_origin,
    with_triggers,
)
from lptui.transport.protocols import Command, Output
from tests.unit.probes.host.given import HOST, asking, fleet, ran, sample
from tests.unit.probes.hostile import HOSTILE, JSON

NAMES = ("livepeer-o", "no-such", "redeemer", "masked.service")
SHOWN = sample("systemctl-show.txt")
NOW = 1_800_000_000.0


def test_units_keep_the_names_that_the_operator_gave() -> None:
    units = parse_show(SHOWN, NAMES, 105.0)
    assert tuple(unit.name for unit in units) == NAMES
    running, missing, restarting, masked = units
    assert running.is_running
    assert (running.main_pid, running.restarts, running.tasks) == (812, 2, 17)
    assert running.memory == 104857600
    assert running.since_s == pytest.approx(99.986544)
    assert running.needs_reload
    assert (missing.load, missing.main_pid, missing.memory, missing.tasks) == (
        UnitLoad.NOT_FOUND,
        None,
        None,
        None,
    )
    assert missing.exit_status is None, "it never ran"
    assert (restarting.sub, restarting.restarts, restarting.exit_status) == ("auto-restart", 7, 2)
    assert (restarting.memory, restarting.tasks) == (None, None)
    assert restarting.since_s is None, "it is not active"
    assert masked.load is UnitLoad.MASKED
    assert masked.restarts is None, "not told is not zero"


MOVED = """\
Id=livepeer-o.service
LoadState=loaded
ActiveState=deactivating
SubState=stop-sigterm
UnitFileState=enabled
FragmentPath=/etc/systemd/system/livepeer-o.service
TimeoutStopUSec=1min 30s
RefuseManualStart=no
RefuseManualStop=yes
WantedBy=multi-user.target
RequiredBy=
OnFailureOf=geth.service
TriggeredBy=livepeer-o.timer livepeer-o.path
"""


def test_what_stops_and_starts_a_unit_is_told_of_it() -> None:
    [unit] = parse_show(MOVED, ["livepeer-o"], None)
    assert unit.stop_timeout_s == 90
    assert (unit.refuses_start, unit.refuses_stop) == (False, True)
    assert unit.pulled_in_by == ("multi-user.target", "geth.service")
    triggers = "Id=livepeer-o.timer\nLoadState=loaded\nActiveState=active\nUnitFileState=static\n"
    unit = with_triggers(unit, parse_triggers(triggers))
    assert unit.triggers == (
        Trigger("livepeer-o.timer", "active", "static"),
        Trigger("livepeer-o.path", "", ""),
    )
    assert all(trigger.is_live for trigger in unit.triggers), "what is not known counts"
    assert not Trigger("x.timer", "inactive", "disabled").is_live
    assert Trigger("x.timer", "inactive", "enabled").is_live, "after the next boot"


def test_a_linked_unit_is_told_with_the_file_that_it_is_linked_from() -> None:
    [unit] = parse_show(MOVED, ["livepeer-o.service"], None)
    assert with_origin(unit, "").file == "/etc/systemd/system/livepeer-o.service"
    links = "other.service /dev/null\nlivepeer-o.service /srv/my units/livepeer-o.service\n"
    assert with_origin(unit, links).file == "/srv/my units/livepeer-o.service"
    assert with_origin(unit, "sh: lptui_linked: not found").file == unit.file


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1min 30s", 90),
        ("10min", 600),
        ("2h 500ms", 7200.5),
        ("infinity", inf),
        ("0", None),
        ("", None),
        ("1 fortnight", None),
        ("9" * 400 + "s", None),
    ],
)
def test_spans_of_time_as_systemd_writes_them(text: str, seconds: float | None) -> None:
    assert time_span(text) == seconds


@HOSTILE
@given(text=st.text(alphabet=" 0123456789dhimnosuwy", max_size=40))
def test_any_text_is_a_span_or_none(text: str) -> None:
    found = time_span(text)
    assert found is None or found >= 0


def test_without_the_uptime_no_age_is_claimed() -> None:
    assert parse_show(SHOWN, NAMES, None)[0].since_s is None


def test_blocks_that_do_not_match_the_names_are_refused() -> None:
    with pytest.raises(BadAnswerError, match="4 units for 3 names"):
        parse_show(SHOWN, NAMES[:3], 1.0)


def test_failed_units_by_name() -> None:
    text = "● certbot.service loaded failed failed Certbot\nx.mount loaded failed failed /x\n\n"
    assert parse_failed(text) == ("certbot.service", "x.mount")
    assert parse_failed("") == ()


def test_open_files_that_the_kernel_does_not_tell_are_unknown() -> None:
    assert parse_open_files("812 42 65536\n901 0 unlimited\n7 ? ?\nsh: x: not found\n") == {
        812: (42, 65536),
        901: (None, None),
        7: (None, None),
    }


def test_containers_read_like_units() -> None:
    found = parse_inspect(sample("docker-inspect.txt"), NOW)
    assert found.complaints == ()
    running, killed, gone = in_order(("livepeer-t1", "livepeer-t2", "gone"), found)
    assert running.is_running
    assert (running.restarts, running.main_pid, running.container) == (
        3,
        4242,
        "livepeer/go-livepeer:v0.8.9",
    )
    assert running.since_s == pytest.approx(59.876544, abs=1e-3)
    assert (killed.active, killed.result, killed.exit_status) == ("failed", "oom-kill", 137)
    assert killed.since_s is None
    assert gone.load is UnitLoad.NOT_FOUND


def test_a_container_may_be_asked_for_by_its_id() -> None:
    """docker answers in the order that it was asked in, by the containers' names."""
    found = parse_inspect(sample("docker-inspect.txt"), NOW)
    by_id, gone, named = in_order(("3f29ab", "gone", "livepeer-t2"), found)
    assert (by_id.name, by_id.is_running, by_id.main_pid) == ("3f29ab", True, 4242)
    assert (gone.load, named.result) == (UnitLoad.NOT_FOUND, "oom-kill")
    lost = in_order(("3f29ab", "77aa11", "livepeer-t2"), found)
    assert [unit.load for unit in lost[:2]] == [UnitLoad.NOT_FOUND] * 2, "which is which is a guess"


def _host(**changes: Any) -> dict[tuple[str, ...], Any]:
    answers: dict[str, Any] = {
        "vitals": sample("vitals.txt"),
        "show": SHOWN,
        "failed": "certbot.service loaded failed failed Certbot\n",
        "docker": Output(b"", 127),
        "podman": Output(b"", 127),
        "fds": "812 42 65536\n",
        "linked": "",
        **changes,
    }
    return {
        ("lptui_vitals",): answers["vitals"],
        ("systemctl", "show"): answers["show"],
        ("systemctl", "list-units"): answers["failed"],
        ("docker",): answers["docker"],
        ("podman",): answers["podman"],
        ("lptui_fds",): answers["fds"],
        ("lptui_linked",): answers["linked"],
    }


async def _ask(given_: Any) -> HostUnits:
    [answer] = await HostUnitsProbe().ask(given_, HOST)
    assert isinstance(answer.value, HostUnits)
    return answer.value


async def test_open_files_cost_no_second_round_trip_once_the_pids_are_known() -> None:
    described = fleet(units=NAMES)
    given_, reach = asking(_host(), described)
    value = await _ask(given_)
    unit = value.find("livepeer-o")
    assert unit is not None
    assert (unit.fd_used, unit.fd_limit) == (42, 65536)
    assert value.failed == ("certbot.service",)
    assert ran(reach)[-1] == "lptui_fds"
    again, reach = asking(_host(), described, {Key(HostUnits, HOST): value})
    assert await _ask(again) == value
    assert ran(reach).count("lptui_fds") == 1


NO_SYSTEMD = Output(sample("no-systemd.txt").encode(), 1)


async def test_no_systemd_is_no_problem_where_no_unit_is_declared() -> None:
    given_, _ = asking(_host(failed=NO_SYSTEMD))
    assert await _ask(given_) == HostUnits(())
    given_, _ = asking(_host(failed=Output(b"", 127)))
    assert await _ask(given_) == HostUnits(())


async def test_no_systemd_fails_the_reading_where_a_unit_is_declared() -> None:
    given_, _ = asking(_host(failed=NO_SYSTEMD, show=NO_SYSTEMD), fleet(units=["a"]))
    with pytest.raises(CommandError, match="not been booted with systemd"):
        await _ask(given_)


@pytest.mark.parametrize("failed", [Output(b"", 124), Output(b"Failed to list units: x\n", 1)])
async def test_failed_units_that_are_not_told_are_unknown_not_none(failed: Output) -> None:
    given_, _ = asking(_host(failed=failed), fleet(units=NAMES))
    value = await _ask(given_)
    assert value.failed is None
    assert "list-units" in value.problems[0]
    given_, _ = asking(_host(failed=""), fleet(units=NAMES))
    assert (await _ask(given_)).failed == ()


async def test_containers_are_known_though_systemd_is_missing() -> None:
    described = fleet(units=["a"], containers=["livepeer-t1"])
    docker = Output(sample("docker-inspect.txt").encode(), 1)
    given_, _ = asking(_host(failed=NO_SYSTEMD, show=NO_SYSTEMD, docker=docker), described)
    value = await _ask(given_)
    assert [unit.name for unit in value.units] == ["livepeer-t1"]
    assert any("systemd" in problem for problem in value.problems)


async def test_podman_is_asked_where_there_is_no_docker() -> None:
    given_, _ = asking(
        _host(podman=sample("docker-inspect.txt")), fleet(containers=["livepeer-t1"])
    )
    assert (await _ask(given_)).units[0].is_running


async def test_neither_docker_nor_podman_is_a_problem_only_where_a_container_is_declared() -> None:
    given_, _ = asking(_host(), fleet(containers=["t"]))
    value = await _ask(given_)
    assert value.units == ()
    assert "neither docker nor podman" in value.problems[0]


async def test_a_container_is_not_called_missing_when_docker_may_not_be_asked() -> None:
    denied = Output(
        b"permission denied while trying to connect to the Docker daemon socket at unix:///x\n", 1
    )
    given_, _ = asking(_host(docker=denied, failed=""), fleet(containers=["t"]))
    with pytest.raises(CommandError, match="group docker"):
        await _ask(given_)


async def test_a_hanging_docker_is_named() -> None:
    def answer(command: Command) -> Any:
        if command.argv[0] == "docker":
            return Output(b"", 124)
        return sample("vitals.txt") if command.argv[0] == "lptui_vitals" else ""

    given_, _ = asking(answer, fleet(containers=["t"]))
    with pytest.raises(CommandError, match="did not end in time"):
        await _ask(given_)


_BLOCK = st.lists(
    st.sampled_from(SHOWN.splitlines()) | st.text(max_size=20).map(lambda text: f"MainPID={text}"),
    max_size=12,
)


@HOSTILE
@given(_BLOCK.map("\n".join), st.integers(0, 3))
@example("LoadState=loaded\nNRestarts=" + "9" * 5000, 1)
def test_any_text_is_units_or_a_bad_answer(text: str, count: int) -> None:
    try:
        units = parse_show(text, [f"u{n}" for n in range(count)], 5.0)
    except BadAnswerError:
        return
    assert len(units) == count
    assert all(unit.main_pid != 0 for unit in units)


@HOSTILE
@given(st.text(max_size=200))
def test_any_text_is_open_files_and_failed_units(text: str) -> None:
    parse_failed(text)
    assert all(used != 0 for used, _ in parse_open_files(text).values())


_STATE = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("Status", "Pid", "ExitCode", "StartedAt", "Health"), JSON)
)
_DOCUMENT = st.fixed_dictionaries(
    {"name": st.text(max_size=8), "state": _STATE},
    optional={"restarts": JSON, "policy": JSON, "image": JSON},
)


@HOSTILE
@given(st.lists(_DOCUMENT | JSON, max_size=3), st.text(max_size=40))
def test_any_documents_are_containers_or_complaints(documents: list[Any], noise: str) -> None:
    found = parse_inspect("\n".join([*map(json.dumps, documents), noise]), NOW)
    assert all(unit.main_pid != 0 for unit in found.units)
    assert len(in_order(("a", "b"), found)) == 2
