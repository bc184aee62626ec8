"""The framing between console and shell: any output, cut anywhere, comes back whole."""

from __future__ import annotations

import contextlib
import shlex
import shutil
import subprocess

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lptui.errors import CommandError
from lptui.transport import frames
from lptui.transport.protocols import Command, ShellFunction

NONCE = "0123456789abcdef"
OTHER = "fedcba9876543210"

hostile = st.one_of(
    st.binary(max_size=60),
    st.sampled_from(
        [
            b"",
            b"\n",
            b"\n@@",
            f"\n@@{OTHER} 1 0\n".encode(),
            f"\n@@{NONCE[:-1]}".encode(),
            f"@@{NONCE}".encode(),
            b"\n" * 50,
            b"@@ 1 0\n",
        ]
    ),
).filter(lambda data: f"\n@@{NONCE} ".encode() not in data)
replies = st.lists(st.tuples(hostile, st.integers(0, 255)), max_size=6)


def wire(answers: list[tuple[bytes, int]]) -> bytes:
    return b"".join(
        output + f"\n@@{NONCE} {number} {status}\n".encode()
        for number, (output, status) in enumerate(answers, 1)
    )


@given(replies, st.data())
@example([(b"\n@@", 0)], None)
def test_replies_come_back_whatever_they_contain_and_however_they_are_cut(
    answers: list[tuple[bytes, int]], data: st.DataObject | None
) -> None:
    parser = frames.Frames(NONCE)
    for number in range(1, len(answers) + 1):
        parser.expect(number, 10_000)
    stream = wire(answers)
    found = []
    while stream:
        size = data.draw(st.integers(1, len(stream))) if data else 1
        found += parser.feed(stream[:size])
        stream = stream[size:]
    assert found == answers


@given(st.lists(st.binary(max_size=200), max_size=20))
def test_no_input_breaks_the_parser(chunks: list[bytes]) -> None:
    parser = frames.Frames(NONCE)
    parser.expect(1, 100)
    with contextlib.suppress(frames.FloodError):
        for chunk in chunks:
            parser.feed(chunk)
            parser.feed(f"\n@@{NONCE} ".encode())


@pytest.mark.parametrize("tail", ["2 0", "1 x", "1", "1 0 0", "", "-1 0", "1 " + "9" * 60])
def test_a_marker_that_is_not_the_expected_one_is_output(tail: str) -> None:
    parser = frames.Frames(NONCE)
    parser.expect(1, 1000)
    fake = f"\n@@{NONCE} {tail}\n".encode()
    assert parser.feed(fake) == []
    assert parser.feed(f"\n@@{NONCE} 1 0\n".encode()) == [(fake, 0)]


@given(st.integers(0, 300), st.integers(1, 50))
def test_the_limit_holds_to_the_byte(size: int, chunk: int) -> None:
    parser = frames.Frames(NONCE)
    parser.expect(1, 200)
    stream = b"x" * size + f"\n@@{NONCE} 1 0\n".encode()
    found: list[tuple[bytes, int]] = []
    try:
        for start in range(0, len(stream), chunk):
            found += parser.feed(stream[start : start + chunk])
    except frames.FloodError:
        assert size > 200
    else:
        assert size <= 200
        assert found == [(b"x" * size, 0)]


def test_a_flood_takes_no_earlier_reply_with_it() -> None:
    parser = frames.Frames(NONCE)
    parser.expect(1, 100)
    parser.expect(2, 100)
    with pytest.raises(frames.FloodError) as caught:
        parser.feed(f"whole\n@@{NONCE} 1 7\n".encode() + b"x" * 500)
    assert caught.value.replies == [(b"whole", 7)]


def test_what_nobody_asked_for_is_not_kept() -> None:
    parser = frames.Frames(NONCE)
    for _ in range(100):
        assert parser.feed(b"x" * 10_000) == []
    assert parser.pending == b""


words = st.lists(st.text(min_size=1, max_size=20), min_size=1, max_size=5)


@given(words)
def test_a_request_is_one_line_that_gives_back_its_words(argv: list[str]) -> None:
    try:
        verb, tail = frames.request(Command(tuple(argv)), 5)
    except CommandError:
        assert any(char in word for word in argv for char in "\n\r\0")
        return
    except UnicodeEncodeError:
        assert any("\ud800" <= char <= "\udfff" for word in argv for char in word)
        return
    line = (verb + b"7" + tail).decode("utf-8", "surrogateescape")
    assert line.endswith("\n")
    assert line.count("\n") == 1
    assert shlex.split(line) == ["_q", "7", "5", *argv]


def test_seconds_follow_the_deadline_and_functions_have_none() -> None:
    function = ShellFunction("f", "f() { :; }")
    assert frames.request(Command(("a",), timeout_s=8), 3.2) == (b"_q ", b" 4 a\n")
    assert frames.request(Command(("a",), timeout_s=2.1), 30) == (b"_q ", b" 3 a\n")
    assert frames.request(Command(("f",), function=function), 3) == (b"_q ", b" 0 f\n")
    assert frames.request(Command(("a",), merge_stderr=True), 8)[0] == b"_m "
    for empty in ((), ("",)):
        with pytest.raises(CommandError):
            frames.request(Command(empty), 1)


def shells() -> list[list[str]]:
    found = [["sh"]]
    for name, argv in (
        ("dash", ["dash"]),
        ("bash", ["bash", "--posix"]),
        ("busybox", ["busybox", "sh"]),
    ):
        if shutil.which(name):
            found.append(argv)
    return found


@pytest.mark.parametrize("shell", shells(), ids=" ".join)
def test_the_prelude_in_real_shells(shell: list[str]) -> None:
    commands = [
        Command(("printf", "%s|%s", "a  b", "$(c)")),
        Command(("sh", "-c", "echo out; echo err >&2; exit 9"), merge_stderr=True),
        Command(("sleep", "30"), timeout_s=1),
        Command(("missing-command",)),
    ]
    parser = frames.Frames(NONCE)
    parser.expect(0, 10_000)
    script = frames.prelude(NONCE) + frames.HELLO
    for number, command in enumerate(commands, 1):
        verb, tail = frames.request(command, 10)
        script += verb + b"%d" % number + tail
        parser.expect(number, 1000)
    output = subprocess.run(shell, input=script, capture_output=True, timeout=30, check=False)
    hello, *answers = parser.feed(output.stdout)
    process = frames.hello_process(hello[0])
    assert process is not None
    assert process.pid > 1
    assert process.started > 0
    assert answers == [
        (b"a  b|$(c)", 0),
        (b"out\nerr\n", 9),
        (b"", 124),
        (b"", 127),
    ]


@given(st.binary(max_size=200))
def test_hello_is_not_trusted(reply: bytes) -> None:
    frames.hello_process(reply)


def test_hello_names_the_process_even_when_its_name_is_odd() -> None:
    after = " ".join(str(number) for number in range(3, 53))
    assert frames.hello_process(f"noise\n42 (a) b) {after}".encode()) == frames.ShellProcess(42, 22)
    assert frames.hello_process(b"") is None
