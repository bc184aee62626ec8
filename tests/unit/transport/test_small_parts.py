"""Back-off, quantities, strict JSON, ssh_config, quoting, secrets, the fakes."""

from __future__ import annotations

import asyncio
import json
import random
import re
import shlex
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lptui.clock import FrozenClock
from lptui.errors import (
    BadAnswerError,
    DeadlineError,
    ProblemKind,
    RpcError,
    TransportError,
)
from lptui.fleet.topology import Endpoint, SecretRef, Ssh
from lptui.transport import openssh, secret
from lptui.transport.backoff import Backoff, again
from lptui.transport.fake import HANG, FakeReach
from lptui.transport.jsonrpc import is_deep, loads, quantity, rpc_error
from lptui.transport.protocols import Call, Command, HttpAnswer, Output
from lptui.transport.ssh_config import hop
from lptui.transport.ssh_exec import quoted


@given(st.integers(1, 40), st.integers(0, 2**32))
def test_backoff_grows_to_its_bound_with_jitter(failures: int, seed: int) -> None:
    clock = FrozenClock()
    backoff = Backoff(clock, 1.0, 60.0, random.Random(seed))
    error = TransportError("x", "y", kind=ProblemKind.REFUSED)
    for _ in range(failures):
        backoff.failed(error)
    nominal = min(60.0, 2.0 ** (failures - 1))
    assert nominal / 2 <= backoff.retry_at - clock.monotonic() <= nominal
    with pytest.raises(TransportError) as caught:
        backoff.check()
    assert caught.value.problem() == error.problem()
    clock.advance(nominal)
    backoff.check()
    backoff.succeeded()
    assert backoff.failures == 0


def test_an_error_given_again_is_a_new_one_of_the_same_kind() -> None:
    error = DeadlineError("a", "b", "c")
    copy = again(error)
    assert copy is not error
    assert isinstance(copy, DeadlineError)
    assert copy.problem() == error.problem()


@given(st.integers(0, 2**256 - 1))
def test_quantities(number: int) -> None:
    assert quantity(hex(number)) == number


@pytest.mark.parametrize(
    "value",
    [
        "16",
        "0x",
        "0X10",
        "0x-1",
        "0x 1",
        "0x1_0",
        "-0x1",
        None,
        16,
        True,
        [],
        "0x" + "f" * 65,
        "0xg",
    ],
)
def test_what_is_no_quantity(value: object) -> None:
    with pytest.raises(BadAnswerError):
        quantity(value)


@given(st.binary(max_size=100))
def test_json_is_parsed_or_a_typed_error(raw: bytes) -> None:
    problem = None
    try:
        loads(raw, "x")
    except RpcError as error:
        problem = error.problem()
    if problem is not None:
        assert problem.kind is ProblemKind.BAD_ANSWER
        assert problem.why.isprintable()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(alphabet='[]{}"\\a', max_size=200),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=20,
)


@given(json_values)
def test_sensible_json_is_never_too_deep(value: object) -> None:
    raw = json.dumps(value).encode()
    assert not is_deep(raw)
    assert loads(raw, "x") == value


@pytest.mark.parametrize("raw", [b"[" * 101, b'{"a":' * 101, b'["[",' * 300, b'"\\"' + b"[" * 500])
def test_deep_json(raw: bytes) -> None:
    assert is_deep(raw) == (not raw.startswith(b'"'))


@given(json_values)
def test_any_error_object_is_understood(error: object) -> None:
    understood = rpc_error("x", error)
    assert understood.why.isprintable()
    assert understood.code is None or isinstance(understood.code, int)


@pytest.mark.parametrize(
    ("text", "needed"),
    [
        (b"# it's all # plain\nHost a\n  Port 22\n\n  IdentityFile ~/.ssh/id\n", False),
        (b"Host a\n  ProxyJump b,c\n", False),
        (b"Port 22 # mine", True),
        (b"Host a\n\tInclude other", True),
        (b"match host a", True),
        (b"CanonicalizeHostname yes", True),
        (b"UserKnownHostsFile ~/.ssh/known_%h", True),
        (b"IdentityAgent $AGENT", True),
        (b"User 'a'", True),
        (b"# caf\xe9", True),
    ],
)
def test_configurations_that_only_openssh_reads(tmp_path: Path, text: bytes, needed: bool) -> None:
    (tmp_path / "config").write_bytes(text)
    assert openssh.is_needed([str(tmp_path / "missing"), str(tmp_path / "config")]) is needed


@given(st.lists(st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=20)))
def test_a_quoted_word_is_one_word_to_a_posix_shell(words: list[str]) -> None:
    line = " ".join(map(quoted, words))
    assert shlex.split(line) == words
    # What fish and tcsh read otherwise stands outside of quotes, behind a backslash.
    assert not set(re.sub(r'"\'"|\\[\\!]', "", line)) & set("\\!")


def test_jump_hosts_by_address() -> None:
    like = Ssh("x", address="1.2.3.4", identities=("k",), jump=("y",), known_hosts="f")
    assert hop("me@gate.example:2222", like) == Ssh(
        "gate.example", port=2222, user="me", identities=("k",), known_hosts="f"
    )
    assert hop("[2001:db8::1]:22", like).alias == "2001:db8::1"
    assert hop("2001:db8::1", like).alias == "2001:db8::1"
    with pytest.raises(TransportError):
        hop("gate:many", like)


async def test_secrets_that_hang(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secret, "DEADLINE_S", 0.2)
    import os

    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    secrets = secret.Secrets()
    for ref in (
        SecretRef("file", str(pipe)),
        SecretRef("command", argv=("sleep", "30")),
        SecretRef("unknown", "x"),
        SecretRef("command", argv=("printf", "a\\nb")),
    ):
        with pytest.raises(TransportError) as caught:
            await secrets.get(ref)
        assert caught.value.kind is ProblemKind.SECRET
    with pipe.open("wb"):
        pass  # lets the reader go


async def test_the_fakes_follow_the_script() -> None:
    down = TransportError("gone", "refused", kind=ProblemKind.REFUSED)
    reach = FakeReach(
        commands={"a": {("df",): "text", ("systemctl", "show"): Output(b"x", 3), ("hang",): HANG}},
        pages={"http://x/status": "{}", "POST http://x/reward": HttpAnswer(500, {}, b"no")},
        calls={"r": {"eth_chainId": "0x1", "eth_call": RpcError("r", "reverted", code=3)}},
        sockets={"a /s": b"stat"},
        connects={"a b:1": 0.5},
        down={"b": down},
    )
    outputs = await reach.shell("a").run(
        [Command(("df", "-P")), Command(("systemctl", "show", "x")), Command(("other",))], 1
    )
    assert outputs == [Output(b"text", 0), Output(b"x", 3), Output(b"", 127)]
    with pytest.raises(DeadlineError):
        await reach.shell("a").run([Command(("hang",))], 0.01)
    with pytest.raises(TransportError):
        await reach.shell("b").run([Command(("df",))], 1)
    http = reach.http(Endpoint("http://x", "a"))
    assert (await http.request("GET", "/status")).body == b"{}"
    assert (await http.request("POST", "/reward")).status == 500
    assert (await http.request("GET", "/other")).status == 404
    results = await reach.rpc("r").batch([Call("eth_chainId"), Call("eth_call"), Call("x")])
    assert results[0] == "0x1"
    assert [getattr(result, "code", None) for result in results[1:]] == [3, -32601]
    assert await reach.exchange("a", "/s", b"show stat", 1) == b"stat"
    assert await reach.connect_time("a", "b:1", 1) == 0.5
    assert ("run", "a", ("df", "-P")) in reach.asked
    await asyncio.sleep(0)
