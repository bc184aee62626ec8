"""The long-lived shell on a real sshd and on this machine."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from lptui.errors import CommandError, DeadlineError, ProblemKind, TransportError
from lptui.transport import shell as shell_module
from lptui.transport.protocols import Command, ExecResult, ShellFunction
from lptui.transport.reach import FleetReach
from tests.reaching import HELLO, failure, hello, reach_of
from tests.sshd import Sshd, need, running_sshd, sshd
from tests.waiting import on_this_machine, until

__all__ = ["sshd"]

OURS = f".{os.getpid()}"
"""Ends the durations of sleeps, so that no other run's processes are taken for this one's."""

UPTIME = ShellFunction("up", "up() { read -r _u </proc/uptime; printf '%s' \"$_u\"; }")


@pytest.fixture
async def reach(sshd: Sshd) -> AsyncIterator[FleetReach]:
    async with reach_of(sshd.ssh(), None, names=("node", "here")) as one:
        yield one


@pytest.mark.parametrize("host", ["node", "here"])
async def test_one_batch_gives_each_commands_output_and_status(
    reach: FleetReach, host: str
) -> None:
    outputs = await reach.shell(host).run(
        [
            Command(("printf", "%s", "it's; $HOME `id`")),
            Command(("sh", "-c", "echo out; echo err >&2; exit 3")),
            Command(("sh", "-c", "echo err >&2"), merge_stderr=True),
            Command(("no-such-command",)),
            Command(("up",), function=UPTIME),
            Command(("cat",)),
        ],
        10,
    )
    assert [output.status for output in outputs] == [0, 3, 0, 127, 0, 0]
    assert outputs[0].stdout == b"it's; $HOME `id`"
    assert outputs[1].stdout == b"out\n"
    assert outputs[2].stdout == b"err\n"
    assert float(outputs[4].text.split()[0]) > 0
    assert outputs[5].stdout == b"", "standard input is empty"


async def test_output_may_contain_anything(reach: FleetReach) -> None:
    fake = "\n@@0123456789abcdef 1 0\n"
    text = "".join(chr(code) for code in range(1, 256)) + fake
    outputs = await reach.shell("node").run(
        [
            Command(("printf", "%b", "\\000\\0377\\n@@\\n@@0 1 0\\n")),
            Command(("printf", "%s", text.replace("\n", "|").replace("\r", "|"))),
            Command(("printf", "%s", "")),
            Command(("printf", "%s", "no newline at the end\t")),
        ],
        10,
    )
    assert outputs[0].stdout == b"\0\377\n@@\n@@0 1 0\n"
    assert outputs[1].text == text.replace("\n", "|").replace("\r", "|")
    assert outputs[2].stdout == b""
    assert outputs[3].stdout == b"no newline at the end\t"


async def test_words_that_would_not_stay_one_line_are_refused(reach: FleetReach) -> None:
    for word in ("a\nb", "a\0b", "a\rb"):
        with pytest.raises(TransportError, match="line break"):
            await reach.shell("node").run([Command(("echo", word))], 5)


@pytest.mark.parametrize("host", ["node", "here"])
async def test_the_far_side_ends_a_command_at_its_own_timeout(reach: FleetReach, host: str) -> None:
    outputs = await reach.shell(host).run(
        [Command(("sleep", "61"), timeout_s=1), Command(("echo", "next"))], 20
    )
    assert [output.status for output in outputs] == [124, 0]
    assert outputs[1].stdout == b"next\n"


@pytest.mark.parametrize("host", ["node", "here"])
async def test_a_wedged_shell_is_abandoned_and_cleared_away(reach: FleetReach, host: str) -> None:
    wedge = ShellFunction("wedge", f"wedge() {{ sleep 62{OURS}; }}")
    shell = reach.shell(host)
    await shell.run(HELLO, 20)
    started = time.monotonic()
    with pytest.raises(DeadlineError, match="wedge"):
        await shell.run([Command(("wedge",), function=wedge)], 0.5)
    with pytest.raises(DeadlineError, match="sh -c"):
        await shell.run([Command(("sh", "-c", f"sleep 63{OURS}"), timeout_s=100)], 0.5)
    assert (await shell.run(HELLO, 20))[0].stdout == b"hello\n"
    assert time.monotonic() - started < on_this_machine(5)
    await until(lambda: not running("sleep", f"62{OURS}") and not running("sleep", f"63{OURS}"))


async def test_a_slow_command_does_not_delay_the_quick_readings(reach: FleetReach) -> None:
    shell = reach.shell("node")
    await shell.run(HELLO, 20)
    slow = asyncio.create_task(shell.run([Command(("sleep", f"3{OURS}"))], 10))
    other = asyncio.create_task(shell.run([Command(("sleep", "0.1"))], 10))
    await until(lambda: running("sleep", f"3{OURS}"))
    await shell.run([Command(("up",), function=UPTIME)], 2)
    for _ in range(10):
        started = time.monotonic()
        await shell.run([Command(("up",), function=UPTIME)], 2)
        assert time.monotonic() - started < on_this_machine(1)
    assert not slow.done()
    assert not other.done(), "only one shell is ever given commands that may hang"
    await asyncio.gather(slow, other)


async def test_many_users_at_once_each_get_their_own_answer(reach: FleetReach) -> None:
    shell = reach.shell("node")
    echo = ShellFunction("give", "give() { printf '%s' \"$1\"; }")

    async def ask(number: int) -> None:
        quick = number % 2
        command = Command(("give", str(number)), function=echo)
        if not quick:
            command = Command(("printf", "%s", str(number)))
        assert (await shell.run([command], 20))[0].text == str(number)

    await asyncio.gather(*(ask(number) for number in range(60)))


async def test_a_flood_is_stopped(reach: FleetReach) -> None:
    shell = reach.shell("node")
    with pytest.raises(CommandError, match="more than 1000 bytes") as caught:
        await shell.run([Command(("yes", "flood"), limit=1000, timeout_s=60)], 20)
    assert caught.value.kind is ProblemKind.OUTPUT_TOO_LARGE
    assert (await shell.run(HELLO, 20))[0].stdout == b"hello\n"
    await until(lambda: not running("yes", "flood"))
    output = await shell.run([Command(("head", "-c", "200000", "/dev/zero"))], 20)
    assert len(output[0].stdout) == 200_000


@pytest.mark.parametrize("host", ["node", "here"])
async def test_a_killed_shell_is_replaced(reach: FleetReach, host: str) -> None:
    shell = reach.shell(host)
    myself = ShellFunction("me", "me() { printf '%s' $$; }")
    pid = int((await shell.run([Command(("me",), function=myself)], 20))[0].text)
    waiting = asyncio.create_task(shell.run([Command(("sleep", f"64{OURS}"), timeout_s=99)], 30))
    await until(lambda: running("sleep", f"64{OURS}"))
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(TransportError) as caught:
        await waiting
    assert caught.value.kind is ProblemKind.DISCONNECTED
    again = int((await shell.run([Command(("me",), function=myself)], 20))[0].text)
    assert again != pid
    os.kill(again, signal.SIGKILL)
    # The news may come a moment after the next request was written: that one alone is lost.
    with contextlib.suppress(TransportError):
        await shell.run(HELLO, 20)
    assert (await shell.run(HELLO, 20))[0].stdout == b"hello\n"
    for left in running("sleep", f"64{OURS}"):
        os.kill(left, signal.SIGKILL)


async def test_a_caller_that_gives_up_leaves_the_shell_usable(reach: FleetReach) -> None:
    shell = reach.shell("node")
    await shell.run(HELLO, 20)
    for _ in range(5):
        task = asyncio.create_task(shell.run([Command(("sleep", "0.2"))], 10))
        await asyncio.sleep(0.02)
        task.cancel()
        await asyncio.wait({task})
        assert task.cancelled()
    assert (await shell.run(HELLO, 20))[0].stdout == b"hello\n"


async def test_only_one_session_allowed(tmp_path: Path) -> None:
    with running_sshd(tmp_path, {"MaxSessions": "1"}) as server:
        async with reach_of(server.ssh()) as reach:
            shell = reach.shell("h0")
            slow = asyncio.create_task(shell.run([Command(("sleep", "0.5"))], 10))
            await until(lambda: running("sleep", "0.5"))
            quick = await shell.run([Command(("up",), function=UPTIME)], 5)
            assert quick[0].status == 0
            assert (await slow)[0].status == 0


@pytest.mark.parametrize(
    "options",
    [
        {"ForceCommand": "echo This account is not available; exit 1"},
        {"MaxSessions": "0"},
        {"ForceCommand": "internal-sftp"},
    ],
)
async def test_an_account_without_a_shell_still_forwards(
    tmp_path: Path, options: dict[str, str]
) -> None:
    with running_sshd(tmp_path, options) as server:
        async with reach_of(server.ssh()) as reach:
            error = await failure(reach, deadline_s=3)
            assert error.kind in (ProblemKind.NO_SHELL, ProblemKind.TIMEOUT)
            if "echo" in str(options):
                assert "This account is not available" in error.why
            started = time.monotonic()
            assert (await failure(reach)).kind is error.kind
            assert time.monotonic() - started < on_this_machine(0.5), "not asked again at once"
            took = await reach.connect_time("h0", f"127.0.0.1:{server.port}", 5)
            assert took < on_this_machine(1)


async def test_noise_of_the_login_does_not_confuse(tmp_path: Path) -> None:
    noise = "seq 1 5000; printf '@@x 0 0'; echo '@@0123456789abcdef 0 0'"
    command = f"{noise}; echo warning >&2; eval $SSH_ORIGINAL_COMMAND"
    with running_sshd(tmp_path, {"ForceCommand": command}) as server:
        async with reach_of(server.ssh()) as reach:
            assert await hello(reach) == "hello\n"
            assert await hello(reach) == "hello\n"


async def test_a_slow_login_is_waited_for_beyond_one_request(tmp_path: Path) -> None:
    slow = "sleep 2; eval $SSH_ORIGINAL_COMMAND"
    with running_sshd(tmp_path, {"ForceCommand": slow}) as server:
        async with reach_of(server.ssh()) as reach:
            for _ in range(2):
                with pytest.raises(DeadlineError, match="said nothing yet") as caught:
                    await reach.shell("h0").run(HELLO, 0.5)
                assert "slow" in caught.value.remedy
            assert await hello(reach) == "hello\n"
        assert server.log.count("Starting session") <= 2, "no login was given up and begun again"


async def test_a_login_that_never_gives_a_shell_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shell_module, "START_S", 0.3)
    with running_sshd(tmp_path, {"ForceCommand": f"sleep 67{OURS}"}) as server:
        async with reach_of(server.ssh()) as reach:
            with pytest.raises(DeadlineError, match="said nothing yet"):
                await reach.shell("h0").run(HELLO, 2)
            started = time.monotonic()
            with pytest.raises(DeadlineError):
                await reach.shell("h0").run(HELLO, 9)
            assert time.monotonic() - started < on_this_machine(1), "it is not asked again at once"


async def test_a_wedge_behind_requests_that_were_given_up_is_found(reach: FleetReach) -> None:
    """The first has no one who waits for it, the second waits for nothing but the wedge."""
    shell = reach.shell("node")
    await shell.run(HELLO, 20)
    wedge = ShellFunction("wedge", f"wedge() {{ sleep 68{OURS}; }}")
    quick = [Command(("up",), function=UPTIME)]
    first = asyncio.create_task(shell.run([Command(("wedge",), function=wedge)], 1.5))
    await until(lambda: running("sleep", f"68{OURS}"))
    second = asyncio.create_task(shell.run(quick, 5))
    with pytest.raises(DeadlineError):
        await first
    assert len(await second) == 1, "it was asked again, of another shell"


async def test_a_login_that_floods(tmp_path: Path) -> None:
    with running_sshd(tmp_path, {"ForceCommand": "yes flooding"}) as server:
        async with reach_of(server.ssh()) as reach:
            error = await failure(reach)
    assert error.kind is ProblemKind.OUTPUT_TOO_LARGE


async def test_a_deadline_of_a_queued_request_says_that_it_waited(reach: FleetReach) -> None:
    shell = reach.shell("node")
    await shell.run(HELLO, 20)
    slow = asyncio.create_task(shell.run([Command(("sleep", f"2{OURS}"))], 10))
    await until(lambda: running("sleep", f"2{OURS}"))
    with pytest.raises(DeadlineError, match="waited behind"):
        await shell.run(HELLO, 0.3)
    await slow


@pytest.mark.parametrize("host", ["node", "here"])
async def test_execute_keeps_output_and_errors_apart(reach: FleetReach, host: str) -> None:
    result = await reach.execute(
        host, Command(("sh", "-c", "cat; echo oops >&2; exit 7")), b"in\n\0\xff"
    )
    assert result == ExecResult(b"in\n\0\xff", b"oops\n", 7)
    merged = await reach.execute(
        host, Command(("sh", "-c", "echo a; echo b >&2"), merge_stderr=True)
    )
    assert sorted(merged.stdout.split()) == [b"a", b"b"]
    assert (await reach.execute(host, Command(("no-such-program",)))).status == 127
    assert (await reach.execute(host, Command(("sh", "-c", "kill -9 $$")))).status == 137
    with pytest.raises(CommandError):
        await reach.execute(host, Command(("yes", "too much"), limit=5000))
    with pytest.raises(CommandError):
        await reach.execute(host, Command(("echo", "a\0b")))


@pytest.mark.parametrize("host", ["node", "here"])
async def test_execute_stops_the_command_at_its_timeout(reach: FleetReach, host: str) -> None:
    with pytest.raises(DeadlineError, match="told to stop") as caught:
        await reach.execute(host, Command(("sleep", f"65{OURS}"), timeout_s=0.5))
    assert "unknown" in caught.value.remedy
    await until(lambda: not running("sleep", f"65{OURS}"))
    with pytest.raises(DeadlineError):
        await reach.execute(
            host, Command(("sh", "-c", f"trap '' TERM; sleep 66{OURS}; sleep 66"), timeout_s=0.5)
        )
    await until(lambda: not running("trap", "TERM"))


@pytest.mark.parametrize("force", ["echo welcome; true", "/usr/sbin/nologin", "false"])
async def test_execute_never_takes_another_programs_end_for_the_commands(
    tmp_path: Path, force: str
) -> None:
    with running_sshd(tmp_path, {"ForceCommand": force}) as server:
        async with reach_of(server.ssh()) as reach:
            with pytest.raises(TransportError, match="does not run it") as caught:
                await reach.execute("h0", HELLO[0])
    assert caught.value.kind is ProblemKind.NO_SHELL
    assert caught.value.remedy


async def test_execute_without_a_session_left(tmp_path: Path) -> None:
    with running_sshd(tmp_path, {"MaxSessions": "1"}) as server:
        async with reach_of(server.ssh()) as reach:
            await reach.shell("h0").run(HELLO, 20)
            with pytest.raises(TransportError) as caught:
                await reach.execute("h0", HELLO[0])
    assert caught.value.kind is ProblemKind.FORBIDDEN
    assert "MaxSessions" in caught.value.remedy


ODD_WORDS = (
    "a b",
    "$x",
    '"q"',
    "it's",
    "back\\slash",
    "two\\\\",
    "end\\",
    "!!",
    "*",
    "~",
    "`id`",
    "=ls",
)


@pytest.mark.parametrize("shell", ["sh", "bash", "zsh", "fish", "tcsh", "mksh"])
async def test_execute_through_any_login_shell(tmp_path: Path, shell: str) -> None:
    need(shutil.which(shell), shell)
    force = f'exec {shell} -c "$SSH_ORIGINAL_COMMAND"'
    with running_sshd(tmp_path, {"ForceCommand": force}) as server:
        async with reach_of(server.ssh()) as reach:
            result = await reach.execute("h0", Command(("printf", "%s|", *ODD_WORDS)))
    assert result.stdout.decode() == "".join(f"{word}|" for word in ODD_WORDS)


def running(*words: str) -> list[int]:
    """Processes with these words on their command line, shells that run such a script included."""
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            line = (entry / "cmdline").read_bytes().decode("utf-8", "replace").split("\0")
            script = any(" ".join(words) in word for word in line[1:]) and line[0].endswith("sh")
            if (line[0] == words[0] and words[1] in line) or script:
                found.append(int(entry.name))
    return found
