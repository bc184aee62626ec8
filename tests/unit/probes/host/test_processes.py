"""Command lines of `livepeer`, without their secrets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lptui.errors import BadAnswerError
from lptui.fleet.facts.host import HostProcesses, LivepeerProcess, Origin
from lptui.probes.host.processes import HostProcessesProbe, parse
from tests.unit.probes.host.given import HOST, asking, sample
from tests.unit.probes.hostile import HOSTILE


def test_flags_as_go_reads_them() -> None:
    orchestrator, transcoder = parse(sample("processes.txt")).livepeer
    assert (orchestrator.pid, orchestrator.user) == (812, "livepeer")
    assert orchestrator.unit == "livepeer-o.service"
    assert orchestrator.flag("network") == "arbitrum-one-mainnet"
    assert orchestrator.flag("orchestrator") == ""
    assert orchestrator.flag("ticketEV") == "-5", "a negative number is a value"
    assert orchestrator.flag("CLIADDR") == "127.0.0.1:7935"
    assert orchestrator.flag("reward") == "false", "from the environment"
    assert orchestrator.flag("redeemer") is None
    assert orchestrator.literal_password
    assert transcoder.unit == "docker-0123abcd.scope"
    assert not transcoder.literal_password


def test_other_livepeer_programs_are_not_nodes() -> None:
    found = parse(sample("processes.txt"))
    assert [process.pid for process in found.livepeer] == [812, 900]
    assert [(process.pid, process.program) for process in found.others] == [(901, "livepeer_cli")]


def test_a_host_that_hides_processes_says_so() -> None:
    assert not parse(sample("processes.txt")).hidden
    assert parse("hidden\n" + sample("processes.txt")).hidden
    with pytest.raises(BadAnswerError):
        parse(sample("processes.txt") + "\nhidden\n")


def test_no_secret_is_kept() -> None:
    kept = repr(parse(sample("processes.txt")))
    for secret in ("hunter2", "Bearer", "user:pw", "0123456789abcdef"):
        assert secret not in kept
    assert "https://rpc.example.com:8545" in kept


def test_the_password_s_value_is_dropped_even_when_the_host_sent_it() -> None:
    text = "process 1 u /\n livepeer\n -ethPassword=hunter2\n"
    [process] = parse(text).livepeer
    assert process.literal_password
    assert process.flag("ethPassword") == ""
    [process] = parse(text.replace("hunter2", "/etc/livepeer/password")).livepeer
    assert not process.literal_password


def told(*words: str) -> LivepeerProcess:
    [process] = parse("\n".join(["process 1 u /", " livepeer", *words])).livepeer
    return process


def test_a_switch_takes_no_value_and_what_follows_it_is_lost_on_go() -> None:
    process = told(" -orchestrator", " -reward=false", " -monitor", " true", " -transcoder")
    assert process.flags == (("orchestrator", ""), ("reward", "false"), ("monitor", ""))


def test_a_wrapper_before_the_first_flag_is_none_of_its_settings() -> None:
    assert told(" /usr/local/bin/livepeer", " -redeemer").flags == (("redeemer", ""),)


def test_what_counts_is_the_command_line_then_the_environment_then_the_file() -> None:
    process = told(
        *(" -config=/etc/o.conf", " -cliAddr", " 127.0.0.1:1", "=", "=cliAddr 127.0.0.1:3"),
        *("=maxSessions 3", "=monitor", "=nvidia all # both", "+", "+LP_MAXSESSIONS=2"),
    )
    assert process.setting("cliAddr") == ("127.0.0.1:1", Origin.ARGUMENT)
    assert process.setting("maxSessions") == ("2", Origin.ENVIRONMENT)
    assert process.setting("nvidia") == ("all", Origin.FILE)
    assert process.setting("monitor") == ("", Origin.FILE)
    assert process.config_file == "/etc/o.conf"
    assert process.unread == ()


def test_what_could_not_be_read_is_told() -> None:
    assert told(" -orchestrator").unread == (Origin.ENVIRONMENT,)
    assert told(" -config", " o.conf", "+").unread == (Origin.FILE,)
    assert told(" -orchestrator", "+").unread == ()
    assert told(" -orchestrator", "=network offchain", "+").flag("network") is None


def test_a_password_in_a_file_is_not_on_the_command_line() -> None:
    assert not told(" -config=o.conf", "=ethPassword <literal>").literal_password


def test_no_process_is_an_answer() -> None:
    assert parse("") == HostProcesses(())


async def test_asks_the_host() -> None:
    given_, _ = asking({("lptui_livepeer",): sample("processes.txt")})
    [answer] = await HostProcessesProbe().ask(given_, HOST)
    assert isinstance(answer.value, HostProcesses)
    assert len(answer.value.livepeer) == 2


@pytest.mark.parametrize("text", [" -x", "process x y z", "what"])
def test_lines_of_no_process_are_refused(text: str) -> None:
    with pytest.raises(BadAnswerError):
        parse(text)


_SECRET = "s3cr3t"


@HOSTILE
@given(
    st.sampled_from(["ethPassword", "orchSecret", "s3creds", "liveAIAuthApiKey", "gsKey"]),
    st.sampled_from([" -{0}\n {1}\n", " --{0}={1}\n", " -{0}={1}\n", " -config=x\n={0} {1}\n"]),
    st.lists(st.text(max_size=20).map(lambda text: " " + text.replace("\n", " ")), max_size=4),
)
def test_a_secret_never_stays(flag: str, form: str, others: list[str]) -> None:
    lines = "\n".join(["process 1 u /", " livepeer", *others])
    text = lines + "\n -monitor\n" + form.format(flag, _SECRET)
    assert _SECRET not in repr(parse(text))


@HOSTILE
@given(st.lists(st.sampled_from(sample("processes.txt").splitlines()) | st.text(max_size=30)))
def test_any_text_is_processes_or_a_bad_answer(lines: list[str]) -> None:
    try:
        parse("\n".join(lines))
    except BadAnswerError:
        return
