"""One-off commands on simulated hosts: what is wrapped around them, what they read, their ends."""

from __future__ import annotations

import hashlib
import shlex

import pytest

from lptui.actions.moves.reboot import in_boot
from lptui.sim.serve.host.call import unwrapped
from lptui.sim.serve.oneoff import Outcome, command
from tests.unit.sim.acting import ANNOUNCING, AS_ROOT, NONCE, Hosts

FILE = "/etc/livepeer/orch-1.env"
READING = (
    '[ -L "$1" ] && echo link; '
    'if [ -r "$1" ] || [ -z "$3" ]; then x=$(cat "$1"); else x=$("$3" -n cat "$1"); fi || exit; '
    'printf \'%s\\n\' "$x" | grep -E "$2"; exit 0'
)


@pytest.fixture
def hosts() -> Hosts:
    return Hosts()


def run_line(hosts: Hosts, line: str) -> Outcome:
    asked = command(hosts.world, hosts.world.machines["vault-1"], line)
    assert asked is not None
    return asked.run()


def test_it_tells_its_number_as_the_console_asks(hosts: Hosts) -> None:
    words = ["/bin/sh", "-c", ANNOUNCING, "lptui", "uname", "-m"]
    done = run_line(hosts, "exec " + shlex.join(words))
    assert (done.stdout, done.status) == (b"x86_64\n", 0)
    assert done.stderr.startswith(f"{NONCE} ".encode())
    assert done.stderr.split()[1].isdigit()


@pytest.mark.parametrize(
    ("words", "inner", "is_root"),
    [
        (("uname", "-m"), ("uname", "-m"), False),
        (("sudo", "-n", "--", "id"), ("id",), True),
        (("doas", "-n", "id"), ("id",), True),
        (("timeout", "5", "sudo", "-n", "id"), ("id",), True),
        (
            ("/bin/sh", "-c", AS_ROOT, "lptui", "mv", "-f", "a b", "c"),
            ("mv", "-f", "a b", "c"),
            True,
        ),
        (("sh", "-c", 'exec "$@"', "lptui", "id"), ("id",), False),
        ((*in_boot("1-2"), "sh", "-c", AS_ROOT, "x", "id"), ("id",), True),
        (("sh", "-c", ANNOUNCING, "x", "sh", "-c", AS_ROOT, "x", "id"), ("id",), True),
        (("sh", "-c", "id; reboot", "x", "id"), ("sh", "-c", "id; reboot", "x", "id"), False),
    ],
)
def test_wrappings_are_taken_off(
    words: tuple[str, ...], inner: tuple[str, ...], is_root: bool
) -> None:
    call = unwrapped(words)
    assert (call.words, call.is_root) == (inner, is_root)


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("exec /bin/sh -c 'kill -TERM -42 2>/dev/null||kill -TERM 42 2>/dev/null'", 0),
        ("/bin/sh -c 'rm -rf /'", 127),
        ("nonsense --all", 127),
        ("true 'open", 2),
        ("", 127),
        ("false", 1),
        ("echo a 'b  c'", 0),
        ("test -e /etc/os-release", 0),
        ("test -e /none", 1),
        ("hostname", 0),
        ("uptime", 0),
    ],
)
def test_what_is_run_and_how_it_ends(hosts: Hosts, line: str, status: int) -> None:
    done = run_line(hosts, line)
    assert done.status == status
    assert (b"not found" in done.stderr or b"not simulated" in done.stderr) is (status == 127)


def test_a_bare_shell_is_to_be_spoken_to(hosts: Hosts) -> None:
    assert command(hosts.world, hosts.world.machines["vault-1"], "exec /bin/sh") is None


def test_only_what_reads_waits_for_its_input(hosts: Hosts) -> None:
    machine = hosts.world.machines["vault-1"]
    for line, waits in (("tee /etc/x", True), ("cat", True), ("cat /etc/x", False), ("id", False)):
        asked = command(hosts.world, machine, line)
        assert asked is not None
        assert asked.waits is waits, line


def test_a_file_is_read_copied_written_and_put_in_anothers_place(hosts: Hosts) -> None:
    assert hosts.run("orch-1", "cat", FILE).status == 1
    old = hosts.root("orch-1", "cat", FILE).stdout
    new = old + b"# \xff\xfe not UTF-8\r\n"
    beside = "/etc/livepeer/.orch-1.env.lptui-new"
    hosts.done("orch-1", "cp", "-p", FILE, beside)
    assert hosts.root("orch-1", "tee", beside, stdin=new).stdout == new
    assert hosts.root("orch-1", "cat", FILE).stdout == old
    assert hosts.run("orch-1", "cat", beside).status == 1
    hosts.done("orch-1", "mv", "-f", beside, FILE)
    assert hosts.root("orch-1", "cat", FILE).stdout == new
    assert hosts.root("orch-1", "cat", beside).status == 1
    digest = hosts.done("orch-1", "sha256sum", FILE)
    assert digest == f"{hashlib.sha256(new).hexdigest()}  {FILE}\n"
    hosts.done("orch-1", "rm", "-f", beside, FILE)
    assert hosts.root("orch-1", "cat", FILE).stderr == f"cat: {FILE}: {GONE}\n".encode()


GONE = "No such file or directory"


@pytest.mark.parametrize(
    "words",
    [
        ("cp", "-p", "/none", "/etc/x"),
        ("cp", "-p", FILE, "/none/x"),
        ("mv", "-f", "/none", FILE),
        ("tee", "/none/x"),
        ("tail", "-n", "5", "/none"),
        ("stat", "-c", "%Y", "--", "/none"),
        ("sha256sum", "/none"),
    ],
)
def test_what_is_not_there_is_told(hosts: Hosts, words: tuple[str, ...]) -> None:
    done = hosts.root("orch-1", *words, stdin=b"x")
    assert (done.status, GONE.encode() in done.stderr) == (1, True)


def test_the_login_owns_no_file(hosts: Hosts) -> None:
    owns = ("/bin/sh", "-c", '[ -O "$1" ] && [ -w "$2" ]', "lptui", FILE, "/etc/livepeer")
    assert hosts.run("orch-1", *owns).status == 1


def test_settings_are_read_as_the_probe_asks(hosts: Hosts) -> None:
    words = ("sh", "-c", READING, "lptui", FILE, "^[[:blank:]]*(export[[:blank:]]+)?(LP_ETHURL)=")
    read = hosts.run("orch-1", *words, "sudo")
    assert (read.status, read.stdout) == (0, b"LP_ETHURL=http://10.20.2.10:8545\n")
    closed = hosts.run("orch-1", *words, "")
    assert (closed.status, b"Permission denied" in closed.stderr) == (1, True)
    hosts.world.machines["orch-1"].files.link(FILE, "/etc/livepeer/real.env")
    gone = hosts.run("orch-1", *words, "sudo")
    assert (gone.status, gone.stdout) == (1, b"link\n")


def test_programs_and_files_are_found_as_sudoers_asks(hosts: Hosts) -> None:
    programs = 'PATH=/usr/bin:/bin; for x; do command -v "$x" || echo; done'
    said = hosts.run("rpc-edge", "/bin/sh", "-c", programs, "lptui", "nginx", "none", "cat")
    assert said.stdout == b"/usr/sbin/nginx\n\n/usr/bin/cat\n"
    assert hosts.run("orch-1", "/bin/sh", "-c", programs, "lptui", "nginx").stdout == b"\n"
    files = (
        'for x; do r=$(readlink -f "$x") || r=$x; printf "%s\\n" "$r"; '
        'if [ -O "$r" ] && [ -w "${r%/*}" ]; then echo own; else echo root; fi; done'
    )
    link = "/etc/nginx/sites-enabled/rpc.conf"
    said = hosts.run("rpc-edge", "/bin/sh", "-c", files, "lptui", link)
    assert said.stdout == b"/etc/nginx/sites-available/rpc.conf\nroot\n"


def test_the_login_may_become_root_for_everything(hosts: Hosts) -> None:
    assert b"!authenticate" in hosts.run("orch-1", "sudo", "-n", "-ll").stdout
    allowed = hosts.run("orch-1", "sudo", "-n", "-l", "--", "systemctl", "reboot")
    assert (allowed.status, allowed.stdout) == (0, b"/usr/bin/systemctl reboot\n")
    assert hosts.world.machines["orch-1"].boots_until is None
    assert hosts.run("orch-1", "sudo", "-n", "-l", "--", "vi", "x").status == 1
