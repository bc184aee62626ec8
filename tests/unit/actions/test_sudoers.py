"""The rules of sudoers: all that any plan runs as root, and nothing that cannot be read back."""

from __future__ import annotations

import asyncio
import itertools
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from lptui.actions.drivers import nginx as nginx_driver
from lptui.actions.moves.reboot import in_boot
from lptui.actions.moves.registry import MOVES
from lptui.actions.plan import Request, Step
from lptui.actions.registry import actions_of
from lptui.actions.root_commands import Argv, Files, Needed, needed
from lptui.actions.spec import Execution
from lptui.actions.sudoers import HostFacts, command, document, escaped, rule
from lptui.actions.sudoers_asking import asks_for_password, rules_in
from lptui.clock import FrozenClock
from lptui.errors import LptuiError
from lptui.fleet.declared import DeclaredCommand
from lptui.fleet.facts.balancer import AdminState, BalancerState, Health, NginxConfig, Server
from lptui.fleet.facts.environment import NodeEnvironment
from lptui.fleet.facts.host import HostUnits
from lptui.fleet.facts.keystore import KeyAtStart, KeyFile, NamedFile, Use
from lptui.fleet.facts.livepeer import NodeIdentity, NodeStatus
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Host, Node, Service, SupervisorKind
from lptui.probes.nginx.dump import read, split
from lptui.probes.nginx.upstreams import find
from lptui.transport.fake import FakeReach
from lptui.transport.protocols import Command, ExecResult
from lptui.transport.root import rooted
from tests.snapshots import REGISTERED, FleetBuilder
from tests.sshd import need

NGINX_FILE = "/etc/nginx/conf.d/orch.conf"
DUMP = f"""# configuration file /etc/nginx/nginx.conf:
http {{ include {NGINX_FILE}; }}

# configuration file {NGINX_FILE}:
upstream orch {{ server 192.0.2.1:1; server 192.0.2.2:1; }}
"""
CONTENTS = {
    NGINX_FILE: b"upstream orch { server 192.0.2.1:1; server 192.0.2.2:1; }\n",
    "/etc/default/trans-1": b"LP_ORCHADDR=192.0.2.10:8935\n",
    "/etc/default/orch-1": b"LP_ETHURL=http://127.0.0.1:8547\n",
}


def everything() -> FleetBuilder:
    """The reference fleet with all that changes are made of."""
    builder = FleetBuilder()
    nodes: dict[str, Node] = dict(builder.fleet.nodes)
    nodes["orch-1"] = replace(nodes["orch-1"], environment_file="/etc/default/orch-1")
    nodes["trans-1"] = replace(nodes["trans-1"], environment_file="/etc/default/trans-1")
    container = Service(SupervisorKind.CONTAINER, "livepeer")
    nodes["trans-2"] = replace(nodes["trans-2"], service=container)
    nodes["spare"] = replace(nodes["reward"], name="spare", host="lb-1", standby_for="reward")
    own = DeclaredCommand(
        "upgrade",
        ("/opt/up", "{unit}", "a, b"),
        ("role:transcoder",),
        "write",
        check=("is-up",),
        undo=("/opt/down", "{unit}"),
        as_root=True,
    )
    mine = DeclaredCommand("mine", ("mine",), ("host",), "write")
    builder.configure(nodes=nodes, commands={"upgrade": own, "mine": mine})
    builder.put(NodeEnvironment((("LP_ORCHADDR", "192.0.2.10:8935"),)), "trans-1")
    builder.put(NodeEnvironment((("LP_ETHURL", "http://127.0.0.1:8547"),)), "orch-1")
    core = builder.value(HostUnits, "core-1").units
    reward = next(unit for unit in core if unit.name == "livepeer-reward.service")
    stopped = replace(reward, active="inactive", sub="dead", enabled="disabled", since_s=None)
    for name in builder.fleet.hosts:
        own_units = tuple(
            replace(unit, can_reload=True) for unit in builder.value(HostUnits, name).units
        )
        more = (stopped,) if name == "lb-1" else ()
        builder.change(HostUnits, name, units=(*own_units, *more))
    for topic in (NodeStatus, NodeIdentity):
        builder.put(builder.value(topic, "reward"), "spare").fail(topic, "spare")
    known = find(read(split(DUMP))).known
    key = KeyFile(f"UTC--x--{REGISTERED[2:]}", REGISTERED)
    builder.put(KeyAtStart("livepeer", "/srv/lp/keystore", there=True, keys=(key,)), "spare")
    builder.put(NginxConfig(known, pid=1, workers=(2,), edited=False, old_workers=0), "ws")
    servers = tuple(
        Server("orch", f"192.0.2.{n}:1", f"192.0.2.{n}:1", AdminState.READY, Health.UP, weight=1)
        for n in (1, 2)
    )
    builder.put(BalancerState("nginx", "1.22", (), servers, edited=False), "ws")
    return builder


OPTIONS: tuple[tuple[tuple[str, str], ...], ...] = (
    (),
    *(((name, value),) for name, value in (
        ("preset", "reload"), ("preset", "reboot"), ("with", "upgrade"), ("to", "orch-2"),
        ("to", "reference"), ("to", "spare"), ("late", "cut"),
    )),
    (("to", "orch-2"), ("address", "192.0.2.11:8935")),
    (("preset", "upgrade"), ("with", "upgrade")),
)  # fmt: skip


def all_steps(snapshot: Snapshot) -> Iterator[Step]:
    """The steps of every plan of every action for every target, whether it may run or not."""
    for action in actions_of(snapshot.fleet):
        for target, options in itertools.product(action.targets(snapshot), OPTIONS):
            with suppress(LptuiError, ValueError):
                yield from action.plan(snapshot, Request((target,), options)).steps


class Machine:
    """Hosts that do what they are told, and tell what they were told as root."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.reach = FakeReach(
            commands={
                name: partial(self._answer, host) for name, host in snapshot.fleet.hosts.items()
            }
        )
        self.as_root: set[tuple[str, Argv]] = set()
        self.files = dict(CONTENTS)

    def _answer(self, host: Host, command: Command) -> ExecResult:
        argv = command.argv
        if argv[:5] == in_boot("".join(argv[4:5])):
            argv = argv[5:]
        if rooted(host.privilege, argv[4:]) != argv:
            return ExecResult(b"", b"", 1)  # the login itself may do nothing
        argv = argv[4:]
        self.as_root.add((host.name, argv))
        if argv[0] == "readlink":
            return ExecResult(f"{argv[-1]}\n".encode(), b"", 0)
        if argv[0] == "cp":
            self.files[argv[3]] = self.files.get(argv[2], b"")
        if argv[0] == "mv":
            self.files[argv[3]] = self.files.pop(argv[2], b"")
        return ExecResult(self.files.get(argv[-1], b"") if argv[0] == "cat" else b"", b"", 0)

    async def tee(self, host: str, command: Command, stdin: bytes = b"") -> ExecResult:
        if command.argv[4:5] == ("tee",):
            self.files[command.argv[-1]] = stdin
        return await FakeReach.execute(self.reach, host, command, stdin)

    async def make_and_unmake(self, step: Step) -> None:
        move = MOVES[step.kind]

        async def look_at(_: object) -> Snapshot:
            return self.snapshot

        async def nothing(*_: Any) -> None:
            return

        self.reach.execute = self.tee  # type: ignore[method-assign]
        execution = Execution(
            self.snapshot.fleet, self.reach, FrozenClock(), lambda: look_at(()), lambda _: None,
            lambda _: None, 60.0, look_at, Recorder(), nothing, asyncio.Event(),
        )  # fmt: skip
        for change in (move.make, move.unmake):
            with suppress(LptuiError):
                await change(step, execution)


class Recorder:
    run = ""

    async def step(self, number: int, event: object, words: str = "") -> None:
        return


def test_what_the_login_may_not_see_of_a_key_at_its_start_is_looked_at_as_root() -> None:
    builder = everything()

    def asked() -> Needed:
        host = builder.fleet.hosts["lb-1"]
        found = needed(builder.snapshot(), host, Files())
        return next(one for one in found if one.purpose == "whether node spare would find its key")

    open_to_all = builder.value(KeyAtStart, "spare")
    files = (
        NamedFile("/etc/lp.env", Use.VARIABLES, True, closed=True),
        NamedFile("/etc/lp.conf", Use.CONFIGURATION, True),
        NamedFile("/etc/pw", Use.PASSPHRASE, True, closed=True),
    )
    builder.put(replace(open_to_all, closed=True, files=files), "spare")
    assert [argv[0] for argv in asked().commands] == ["grep", "find", "find"]
    assert [argv[-1] if argv[0] == "grep" else argv[2] for argv in asked().commands] == [
        "/etc/lp.env",
        "/etc/pw",
        "/srv/lp/keystore",
    ]
    assert asked().unknown == ""
    unread = NamedFile("/etc/lp.env", Use.VARIABLES, None, "denied", closed=True)
    builder.put(KeyAtStart("livepeer", unknown="what that says", files=(unread,)), "spare")
    assert [argv[0] for argv in asked().commands] == ["grep"]
    assert "print this again" in asked().unknown


async def test_all_that_any_plan_runs_as_root_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nginx_driver, "LOADED_S", 0.0)
    builder = everything()
    machine = Machine(builder.snapshot())
    for unit in ("livepeer-reward.service",):
        # A start is refused while another with its key runs.
        builder.change_unit("core-1", unit, active="inactive", sub="dead")
    stopped = Machine(builder.snapshot())
    ran: set[tuple[str, Argv]] = set()
    for one in (machine, stopped):
        for step in dict.fromkeys(all_steps(one.snapshot)):
            if step.kind:
                await one.make_and_unmake(step)
        ran |= one.as_root
    allowed = {
        (host.name, argv)
        for host in machine.snapshot.fleet.hosts.values()
        for one in needed(machine.snapshot, host, Files())
        for argv in one.commands
    }
    assert sorted(ran - allowed) == []
    # What was tried is worth the name.
    tried = {" ".join(argv) for _, argv in ran}
    for words in (
        "systemctl stop livepeer-reward.service",
        "systemctl start livepeer-transcoder.service",
        "systemctl reload livepeer-orchestrator.service",
        "systemctl disable livepeer-reward.service",
        "systemctl reboot",
        f"tee {NGINX_FILE.replace('orch.conf', '.orch.conf.lptui-new')}",
        "nginx -s reload -c /etc/nginx/nginx.conf",
        "tee /etc/default/.trans-1.lptui-new",
        "/opt/up livepeer-transcoder.service a, b",
        "/opt/down livepeer-transcoder.service",
    ):
        assert words in tried, sorted(tried)
    # And nothing is allowed besides, but for what other readings, or a failure, would lead to.
    spare = {
        argv[:2] if argv[0] in ("systemctl", "nginx") else argv[:1] for _, argv in allowed - ran
    }
    assert spare == {
        *(("systemctl", "reset-failed"), ("systemctl", "start"), ("systemctl", "reboot")),
        *(("nginx", "-T"), ("cat",), ("cp",), ("rm",), ("is-up",), ("sshd",)),
    }


FACTS = HostFacts("ops", {"systemctl": "/bin/systemctl", "nginx": "/usr/sbin/nginx"})


class TestRules:
    def test_a_rule_is_one_command_with_exactly_its_arguments(self) -> None:
        assert rule(FACTS, ("systemctl", "stop", "a@b-c.service")) == (
            "ops ALL=(root) NOPASSWD: /bin/systemctl stop a@b-c.service"
        )

    def test_without_arguments_it_must_have_none(self) -> None:
        assert rule(FACTS, ("nginx",)).endswith('NOPASSWD: /usr/sbin/nginx ""')

    @pytest.mark.parametrize(
        ("word", "written"),
        [
            ("a,b:c=d", r"a\,b\:c\=d"),
            ("*?[x]!", r"\*\?\[x\]\!"),
            ("a b#", r"a\ b\#"),
            (r"live\x2dpeer", r"live\\\\x2dpeer"),
            ("^x$", r"\^x$"),
            ("plain-._/@%+", "plain-._/@%+"),
        ],
    )
    def test_what_sudoers_would_read_otherwise_is_escaped(self, word: str, written: str) -> None:
        assert escaped(word) == written

    def test_logins_of_a_domain_are_quoted(self) -> None:
        line = rule(replace(FACTS, login=r"AD\ops user"), ("systemctl", "stop", "a"))
        assert line.startswith(r'"AD\\ops user" ALL=(root)')

    def test_paths_are_the_hosts_else_the_usual_ones(self) -> None:
        facts = HostFacts("ops", trouble="no route")
        assert facts.path("nginx") == "/usr/sbin/nginx"
        assert facts.path("cat") == "/usr/bin/cat"
        assert facts.path("/opt/up") == "/opt/up"
        assert FACTS.path("systemctl") == "/bin/systemctl"


def documents() -> dict[str, str]:
    """The file of each host of the fleet with everything."""
    snapshot = everything().snapshot()
    return {
        name: document(name, "ex*ample\n", FACTS, needed(snapshot, host, Files()))
        for name, host in snapshot.fleet.hosts.items()
    }


class TestDocuments:
    def test_each_says_what_it_is_for(self) -> None:
        text = documents()["lb-1"]
        assert text.startswith("# lptui, fleet ex*ample: /etc/sudoers.d/lptui on lb-1 (visudo -f")
        assert "# nginx ws\n" in text
        assert "# unit of node spare\n" in text
        rules = [line for line in text.splitlines() if not line.startswith("#")]
        assert len(set(rules)) == len(rules), "each rule once"

    def test_a_host_where_nothing_is_needed_has_no_rules(self) -> None:
        assert document("x", "f", HostFacts("ops", trouble="lost"), ()).splitlines() == [
            "# lptui, fleet f: /etc/sudoers.d/lptui on x (visudo -f /etc/sudoers.d/lptui)",
            "# nothing is run as root on x",
        ]

    def test_what_is_not_known_is_said(self) -> None:
        builder = everything().fail(NginxConfig, "ws")
        snapshot = builder.snapshot()
        host = snapshot.fleet.hosts["lb-1"]
        facts = HostFacts("ops", trouble="lost")
        text = document("lb-1", "f", facts, needed(snapshot, host, Files()))
        assert "# lb-1 could not be asked: paths are Debian's usual ones (lost)" in text
        assert "# not complete: which files it has could not be read" in text
        assert "tee" not in text

    def test_files_that_the_login_may_write_itself_need_no_rule(self) -> None:
        snapshot = everything().snapshot()
        host = snapshot.fleet.hosts["lb-1"]
        commands = {
            argv
            for one in needed(snapshot, host, Files({}, frozenset({NGINX_FILE})))
            for argv in one.commands
        }
        assert not any(argv[0] in ("tee", "cp", "mv", "rm") for argv in commands)

    def test_a_link_stays_one(self) -> None:
        snapshot = everything().snapshot()
        host = snapshot.fleet.hosts["lb-1"]
        wanted = needed(snapshot, host, Files({NGINX_FILE: "/srv/orch.conf"}))
        commands = {argv for one in wanted for argv in one.commands}
        assert ("readlink", "-f", NGINX_FILE) in commands
        assert ("mv", "-f", "/srv/.orch.conf.lptui-new", "/srv/orch.conf") in commands
        assert not any(argv[0] == "mv" and argv[-1] == NGINX_FILE for argv in commands)

    @pytest.mark.parametrize("privilege", ["root", "none", "doas"])
    def test_where_sudo_is_not_used_there_are_no_rules(self, privilege: str) -> None:
        snapshot = everything().snapshot()
        host = replace(snapshot.fleet.hosts["edge-1"], privilege=privilege)
        text = document("edge-1", "f", FACTS, needed(snapshot, host, Files()), privilege)
        assert all(line.startswith("#") for line in text.splitlines())
        assert ("systemctl stop" in text) is (privilege == "doas")

    def test_visudo_accepts_them(self, tmp_path: Path) -> None:
        visudo = need(shutil.which("visudo", path="/usr/sbin:/usr/bin"), "visudo")
        nasty = tuple(" !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~äß")
        odd = Needed("odd", (("/opt/a b,c/x", *nasty), ("x", "".join(nasty)), ("date",)))
        path = tmp_path / "sudoers"
        path.write_text("".join(documents().values()) + document("x", "f", FACTS, (odd,)))
        done = subprocess.run([visudo, "-cf", str(path)], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr


LISTED = """\
User ops may run the following commands on h:

Sudoers entry:
    RunAsUsers: root
    Options: !authenticate
    Commands:
\t/bin/systemctl stop a.service
\t/opt/x a\\,b

Sudoers entry:
    RunAsUsers: www-data
    Options: !authenticate
    Commands:
\t/bin/systemctl stop b.service
"""
WITH_PASSWORD = (
    "\nSudoers entry:\n    RunAsUsers: ALL\n    RunAsGroups: ALL\n    Commands:\n\tALL\n"
)


@pytest.mark.parametrize(
    ("listed", "argv", "asks"),
    [
        (LISTED, ("systemctl", "stop", "a.service"), False),
        (LISTED, ("/opt/x", "a,b"), False),
        (LISTED + WITH_PASSWORD, ("systemctl", "stop", "a.service"), True),
        (WITH_PASSWORD + LISTED, ("systemctl", "stop", "a.service"), False),
        (WITH_PASSWORD + LISTED, ("systemctl", "stop", "b.service"), True),
        ("", ("systemctl", "stop", "a.service"), False),
    ],
)
def test_the_last_rule_that_fits_decides_about_the_password(
    listed: str, argv: Argv, asks: bool
) -> None:
    assert asks_for_password(tuple(rules_in(listed)), command(FACTS, argv)) is asks
