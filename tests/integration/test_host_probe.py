"""The host probes against this machine, in each shell that a node may have."""

from __future__ import annotations

import asyncio
import os
import resource
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from lptui.clock import SystemClock
from lptui.errors import LptuiError
from lptui.fleet.facts.host import (
    HostClock,
    HostDisks,
    HostListeners,
    HostProcesses,
    HostSystem,
    HostUnits,
    HostVitals,
    Origin,
)
from lptui.fleet.reading import Key, Reading
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Fleet, Host, Node, Role, Service, SupervisorKind
from lptui.probes.host import (
    PROBES,
    activity,
    commands,
    listing,
    processes,
    programs,
    system,
    units,
    vitals,
)
from lptui.probes.probe import Asking
from lptui.transport.protocols import Command
from lptui.transport.reach import FleetReach

HERE = "here"
FLEET = Fleet("test", hosts=MappingProxyType({HERE: Host(HERE, None, mounts=("/", "/not-there"))}))

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="nodes are Linux machines")


def _shells() -> list[list[str]]:
    found = [["sh"], ["bash", "--posix"], ["busybox", "sh"], ["dash"]]
    return [shell for shell in found if shutil.which(shell[0])]


@pytest.fixture
async def reach() -> AsyncIterator[FleetReach]:
    reach = FleetReach(FLEET)
    yield reach
    await reach.close()


async def _ask(reach: FleetReach, name: str, fleet: Fleet = FLEET, known: Any = None) -> Any:
    [probe] = [probe for probe in PROBES if probe.name == name]
    readings = {Key(type(known), HERE): Reading(known, None, "", 1.0)} if known else {}
    asking = Asking(fleet, reach, SystemClock(), Snapshot(fleet, readings), 15.0)
    answers = await probe.ask(asking, HERE)
    assert {one.key for one in answers} <= set(probe.keys(fleet, HERE))
    answer = answers[0]
    assert answer.problem is None
    return answer.value


async def test_vitals_of_this_machine(reach: FleetReach) -> None:
    first = await _ask(reach, "host-vitals")
    assert isinstance(first, HostVitals)
    assert first.memory_total == os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    assert 0 < first.memory_used < 100
    second = first
    while second.cpu_total_ticks == first.cpu_total_ticks:
        second = await _ask(reach, "host-vitals", known=first)
    assert second.cpu_busy is not None


def _established() -> int:
    rows = [
        line.split()
        for name in ("tcp", "tcp6")
        if (path := Path("/proc/net") / name).exists()
        for line in path.read_text().splitlines()[1:]
    ]
    return sum(row[3] == "01" for row in rows)


@pytest.mark.parametrize("shell", _shells(), ids=lambda shell: str(shell[0]))
def test_sockets_and_disks_of_this_machine_in_each_shell(shell: list[str]) -> None:
    function = activity.ACTIVITY.function
    assert function is not None
    with socket.create_server(("127.0.0.1", 0)) as server:
        held = [socket.create_connection(server.getsockname()) for _ in range(40)]
        try:
            told = subprocess.run(
                shell, input=f"{function.text}\nlptui_activity\n".encode(), capture_output=True
            )
            here = _established()
        finally:
            for one in held:
                one.close()
    found = activity.parse(told.stdout.decode())
    assert found.sockets is not None
    assert (found.sockets.open or 0) >= 40
    # Other tests may leave very many behind them.
    if found.sockets.established is not None:
        assert found.sockets.listening
        assert 40 <= found.sockets.established <= here + 200
    whole = {path.name for path in Path("/sys/block").iterdir()}
    assert {disk.name for disk in found.disks} <= whole


def test_a_host_with_very_many_sockets_is_not_made_to_list_each() -> None:
    function = activity.ACTIVITY.function
    assert function is not None
    few = function.text.replace(f"m={activity.MOST_SOCKETS}", "m=20")
    with socket.create_server(("127.0.0.1", 0)) as server:
        held = [socket.create_connection(server.getsockname()) for _ in range(30)]
        try:
            script = f"{few}\nlptui_activity\n".encode()
            told = subprocess.run(["sh"], input=script, capture_output=True, check=True)
        finally:
            for one in held:
                one.close()
    sockets = activity.parse(told.stdout.decode()).sockets
    assert sockets is not None
    assert sockets.established is None
    assert (sockets.open or 0) >= 30


async def test_disk_rates_of_this_machine(reach: FleetReach) -> None:
    first = await _ask(reach, "host-activity")
    second = await _ask(reach, "host-activity", known=first)
    assert second.uptime_s >= first.uptime_s
    for disk in second.disks if second.uptime_s > first.uptime_s else ():
        assert disk.busy is not None
        assert 0 <= disk.busy <= 100


def test_only_a_binary_is_asked_for_its_version(tmp_path: Path) -> None:
    """A wrapper of that name would start a node."""
    started = tmp_path / "started"
    wrapper = tmp_path / "livepeer"
    wrapper.write_text(f"#!/bin/sh\ntouch {started}\necho Livepeer Node Version: 9\n")
    wrapper.chmod(0o755)
    (tmp_path / "ffmpeg").symlink_to(shutil.which("true") or "/bin/true")
    told = subprocess.run(
        programs.PROGRAMS.argv,
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
        capture_output=True,
        check=True,
    )
    found = programs.parse(told.stdout.decode())
    assert (found.livepeer, found.ffmpeg) == (None, None)
    assert not started.exists()


async def test_disks_and_a_mount_point_that_is_not_there(reach: FleetReach) -> None:
    disks = await _ask(reach, "host-disks")
    assert isinstance(disks, HostDisks)
    assert disks.missing == ("/not-there",)
    root = next(mount for mount in disks.mounts if mount.path == "/")
    status = os.statvfs("/")
    assert root.size == status.f_blocks * status.f_frsize


async def test_system_facts_of_this_machine(reach: FleetReach) -> None:
    facts = await _ask(reach, "host-system")
    assert isinstance(facts, HostSystem)
    assert (facts.hostname, facts.kernel) == (os.uname().nodename, os.uname().release)
    assert facts.cpus == os.sysconf("SC_NPROCESSORS_ONLN")
    assert facts.has_systemd == Path("/run/systemd/system").is_dir()
    assert facts.files_open


async def test_a_machine_s_clock_agrees_with_itself(reach: FleetReach) -> None:
    clock = await _ask(reach, "host-clock")
    assert isinstance(clock, HostClock)
    assert abs(clock.offset_s) <= clock.uncertainty_s + 0.01


async def test_a_listening_socket_is_found(reach: FleetReach) -> None:
    if not (shutil.which("ss") or shutil.which("netstat")):
        pytest.skip("neither ss nor netstat")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        found = await _ask(reach, "host-listeners")
    assert isinstance(found, HostListeners)
    assert [one.is_loopback for one in found.listeners if one.port == port] == [True]


async def test_units_or_why_there_are_none(reach: FleetReach) -> None:
    if Path("/run/systemd/system").is_dir():
        assert isinstance(await _ask(reach, "host-units"), HostUnits)
        return
    assert await _ask(reach, "host-units") == HostUnits(())
    service = Service(SupervisorKind.SYSTEMD, "livepeer.service")
    node = Node("n", HERE, frozenset({Role.TRANSCODER}), service)
    declared = Fleet("test", hosts=FLEET.hosts, nodes=MappingProxyType({"n": node}))
    with pytest.raises(LptuiError, match=r"systemd|not installed"):
        await _ask(reach, "host-units", declared)


async def test_an_unknown_unit_s_command_does_not_stop_the_vitals(reach: FleetReach) -> None:
    shell = reach.shell(HERE)
    outputs = await shell.run(
        [Command(("no-such-program",)), commands.VITALS, commands.show_units(["x"])], 10.0
    )
    assert outputs[0].status == 127
    assert vitals.parse(outputs[1].text).uptime_s > 0


CONFIG_FILE = """\
# hunter 7
cliAddr 0.0.0.0:80
  maxSessions 4
orchSecret hunter 8
serviceAddr o.example.org:8935 # where gateways find it
reward
hunter9 10
ethUrl https://rpc.example.org/hunter11
"""


@pytest.fixture
def livepeer(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A program named livepeer whose command line holds a secret; it waits for its input to end."""
    program = tmp_path / "livepeer"
    program.symlink_to(sys.executable)
    (tmp_path / "orch-secret").write_text("never shown")
    (tmp_path / "node.conf").write_text(CONFIG_FILE)
    arguments = [
        str(program),
        "-c",
        "import sys; print(flush=True); sys.stdin.read()",
        "-orchestrator",
        "-ethPassword",
        "hunter 2",
        "-orchSecret=orch-secret",
        "-pricePerGateway",
        "two\nlines",
        "-cliAddr",
        "127.0.0.1:7935",
        "-config",
        "node.conf",
        "",
    ]
    # The interpreter must still find its library behind another name.
    environment = {
        "LP_NETWORK": "offchain",
        "LP_ETHPASSWORD": "hunter 3",
        "LP_ETHURL": "https://user:hunter4@rpc.example.com:8545/v3/hunter5?key=hunter6",
        "LP_MAXSESSIONS": "7",
        **_python_home(),
    }
    with subprocess.Popen(
        arguments,
        cwd=tmp_path,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
        assert process.stdin is not None
        process.stdin.close()


def _python_home() -> dict[str, str]:
    return {"PYTHONHOME": f"{sys.base_prefix}:{sys.base_exec_prefix}"}


async def test_a_running_livepeer_is_found_without_its_secrets(
    reach: FleetReach, livepeer: subprocess.Popen[bytes]
) -> None:
    [output] = await reach.shell(HERE).run([listing.PROCESSES], 10.0)
    assert b"hunter" not in output.stdout, "a secret must not leave the host"
    found = await _ask(reach, "host-processes")
    assert isinstance(found, HostProcesses)
    [process] = [one for one in found.livepeer if one.pid == livepeer.pid]
    assert process.literal_password
    assert process.flag("orchSecret") == "<file>"
    assert process.flag("pricePerGateway") == "two lines"
    assert process.flag("cliAddr") == "127.0.0.1:7935"
    assert process.flag("network") == "offchain"


async def test_settings_are_those_that_count_and_tell_where_they_are_from(
    reach: FleetReach, livepeer: subprocess.Popen[bytes]
) -> None:
    found = await _ask(reach, "host-processes")
    [process] = [one for one in found.livepeer if one.pid == livepeer.pid]
    assert process.config_file == "node.conf"
    assert process.unread == ()
    assert process.setting("cliAddr") == ("127.0.0.1:7935", Origin.ARGUMENT)
    assert process.setting("maxSessions") == ("7", Origin.ENVIRONMENT)
    assert process.setting("serviceAddr") == ("o.example.org:8935", Origin.FILE)
    assert process.setting("reward") == ("", Origin.FILE)
    assert process.setting("ethUrl") == ("https://rpc.example.com:8545", Origin.ENVIRONMENT)


async def test_a_configuration_file_that_is_not_there_is_told(
    reach: FleetReach, livepeer: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    (tmp_path / "node.conf").unlink()
    found = await _ask(reach, "host-processes")
    [process] = [one for one in found.livepeer if one.pid == livepeer.pid]
    assert process.unread == (Origin.FILE,)
    assert process.flag("serviceAddr") is None


async def test_open_files_are_counted(reach: FleetReach) -> None:
    [output] = await reach.shell(HERE).run([commands.open_files([os.getpid(), 2**22 + 5])], 10.0)
    [(pid, (used, limit))] = units.parse_open_files(output.text).items()
    assert pid == os.getpid()
    assert used is not None
    assert abs(used - len(list(Path("/proc/self/fd").iterdir()))) < 20
    assert limit == resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def _in(shell: list[str], command: Command) -> str:
    assert command.function is not None
    script = f"{command.function.text}\n{shlex.join(command.argv)}\n"
    environment = {"LC_ALL": "C", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
    done = subprocess.run(
        shell, input=script.encode(), capture_output=True, env=environment, check=False, timeout=30
    )
    return done.stdout.decode()


@pytest.mark.parametrize("shell", _shells(), ids=lambda shell: shell[0])
def test_every_shell_answers_alike(shell: list[str], livepeer: subprocess.Popen[bytes]) -> None:
    assert vitals.parse(_in(shell, commands.VITALS)).uptime_s > 0
    assert system.parse(_in(shell, commands.SYSTEM)).hostname == os.uname().nodename
    assert units.parse_open_files(_in(shell, commands.open_files([os.getpid()])))[os.getpid()][0]
    found = processes.parse(_in(shell, listing.PROCESSES)).livepeer
    [process] = [one for one in found if one.pid == livepeer.pid]
    assert process.literal_password
    assert process.setting("maxSessions") == ("7", Origin.ENVIRONMENT)
    assert process.setting("serviceAddr") == ("o.example.org:8935", Origin.FILE)


def _functions() -> list[Command]:
    return [
        commands.VITALS,
        commands.SYSTEM,
        listing.PROCESSES,
        commands.open_files([1]),
        activity.ACTIVITY,
    ]


@pytest.mark.parametrize("command", _functions(), ids=lambda command: command.argv[0])
def test_functions_are_one_line_and_touch_no_variable_of_the_shell(command: Command) -> None:
    assert command.function is not None
    text = command.function.text
    assert "\n" not in text
    script = f'{text}\nset >"$T/before"; {shlex.join(command.argv)} >/dev/null; set >"$T/after"\n'
    assert _changed(script) <= {"x_", "_", "IFS", "OPTIND", "PPID"}


def _changed(script: str) -> set[str]:
    """Names of variables that a script changed, those of the functions as `x_`."""

    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            ["sh"],
            input=script.encode(),
            env={"T": folder, "PATH": "/usr/bin:/bin"},
            check=True,
            stderr=subprocess.DEVNULL,
        )
        before, after = (
            set((Path(folder) / name).read_text().splitlines()) for name in ("before", "after")
        )
    names = {line.partition("=")[0] for line in before ^ after if "=" in line}
    return {"x_" if name.startswith("x_") else name for name in names}


async def test_the_recurring_reading_costs_a_node_at_most_three_milliseconds() -> None:
    """200 requests into a shell; its CPU and that of its children, per request."""
    function = commands.VITALS.function
    assert function is not None
    script = f"{function.text}\n" + "lptui_vitals </dev/null 2>/dev/null\n" * 200
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    process = await asyncio.create_subprocess_exec(
        "sh", stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    output, _ = await process.communicate(script.encode())
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert output.count(b"uptime ") == 200
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    assert spent / 200 <= 0.003
