"""One statement changed in nginx's files, and no byte besides."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from lptui.actions.nginx_edit import EditError, Which, Wish, edit
from lptui.probes.nginx.dump import read, split
from lptui.probes.nginx.upstreams import find

OUT, IN = Wish(down=True), Wish(down=False)
A = Which("orch", "192.0.2.1:8935")


def out(text: str, which: Which = A) -> str:
    return edit(text.encode("latin-1"), which, OUT).text.decode("latin-1")


def back(text: str, which: Which = A) -> str:
    return edit(text.encode("latin-1"), which, IN).text.decode("latin-1")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("server 192.0.2.1:8935;", "server 192.0.2.1:8935 down;"),
        (
            "upstream orch { zone z 64k; server 192.0.2.1:8935; keepalive 8; }",
            "upstream orch { zone z 64k; server 192.0.2.1:8935 down; keepalive 8; }",
        ),
        (
            "server 192.0.2.1:8935 weight=3 backup ; # one\r\nserver 192.0.2.2:8935;\r\n",
            "server 192.0.2.1:8935 weight=3 backup down ; # one\r\nserver 192.0.2.2:8935;\r\n",
        ),
        (
            "server 192.0.2.2:8935; server 192.0.2.1:8935;# \xe9t\xe9\n",
            "server 192.0.2.2:8935; server 192.0.2.1:8935 down;# \xe9t\xe9\n",
        ),
        (
            "server\n\t192.0.2.1:8935 # why; {\n\tmax_fails=0\n;\n",
            "server\n\t192.0.2.1:8935 # why; {\n\tmax_fails=0 down\n;\n",
        ),
        ('server "192.0.2.1:8935";', 'server "192.0.2.1:8935" down;'),
        ("'server' '192.0.2.1:8935' ;", "'server' '192.0.2.1:8935' down ;"),
        (
            "# server 192.0.2.1:8935;\nserver 192.0.2.1:8935;",
            "# server 192.0.2.1:8935;\nserver 192.0.2.1:8935 down;",
        ),
        (
            'set $x "server 192.0.2.1:8935;"; server 192.0.2.1:8935;',
            'set $x "server 192.0.2.1:8935;"; server 192.0.2.1:8935 down;',
        ),
        (
            'server { return 200 "a\\";}{"; } upstream "orch" { server 192.0.2.1:8935; }',
            'server { return 200 "a\\";}{"; } upstream "orch" { server 192.0.2.1:8935 down; }',
        ),
        (
            "if ($a ~ ${b}c) { } map $x $y { ~^a\\;b 1; } server 192.0.2.1:8935;",
            "if ($a ~ ${b}c) { } map $x $y { ~^a\\;b 1; } server 192.0.2.1:8935 down;",
        ),
        (
            "content_by_lua_block { x = '}' -- }\n y = {1} }"
            " upstream orch {server 192.0.2.1:8935;}",
            "content_by_lua_block { x = '}' -- }\n y = {1} }"
            " upstream orch {server 192.0.2.1:8935 down;}",
        ),
    ],
)
def test_only_the_statement_changes_and_changes_back(before: str, after: str) -> None:
    assert out(before) == after
    assert back(after) == before
    assert out(after) == after
    assert back(before) == before


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("server 192.0.2.1:8935 down weight=2;", "server 192.0.2.1:8935 weight=2;"),
        ("server 192.0.2.1:8935\n  down\n  weight=2;", "server 192.0.2.1:8935\n  weight=2;"),
        ("server 192.0.2.1:8935 down down;", "server 192.0.2.1:8935;"),
        ('server 192.0.2.1:8935 "down";', "server 192.0.2.1:8935;"),
        ("server 192.0.2.1:8935 # x\n  down;", "server 192.0.2.1:8935 # x\n;"),
        ("server 192.0.2.1:8935 down # x\n;", "server 192.0.2.1:8935 # x\n;"),
    ],
)
def test_a_server_that_was_written_down_by_hand_comes_into_service(before: str, after: str) -> None:
    assert back(before) == after


@pytest.mark.parametrize(
    ("before", "weight", "after"),
    [
        ("server 192.0.2.1:8935;", 3, "server 192.0.2.1:8935 weight=3;"),
        ("server 192.0.2.1:8935 backup;", 3, "server 192.0.2.1:8935 weight=3 backup;"),
        ("server 192.0.2.1:8935 weight=5 down;", 3, "server 192.0.2.1:8935 weight=3 down;"),
        ("server 192.0.2.1:8935 weight=1 weight=5;", 3, "server 192.0.2.1:8935 weight=1 weight=3;"),
        ("server 192.0.2.1:8935 'weight=5';", 3, "server 192.0.2.1:8935 weight=3;"),
        ("server 192.0.2.1:8935;", 1, "server 192.0.2.1:8935;"),
        ("server 192.0.2.1:8935 weight=5;", 1, "server 192.0.2.1:8935 weight=1;"),
    ],
)
def test_weights(before: str, weight: int, after: str) -> None:
    assert edit(before.encode(), A, Wish(weight=weight)).text.decode() == after


def test_both_wishes_at_once_and_the_statement_before_and_after() -> None:
    text = b"upstream orch {\n  server 192.0.2.1:8935\n    weight=2 down;\n}\n"
    done = edit(text, A, Wish(down=False, weight=7))
    assert done.text == b"upstream orch {\n  server 192.0.2.1:8935\n    weight=7;\n}\n"
    assert done.old == "server 192.0.2.1:8935 weight=2 down;"
    assert done.new == "server 192.0.2.1:8935 weight=7;"


@pytest.mark.parametrize("weight", [0, -1])
def test_no_weight_that_nginx_does_not_have(weight: int) -> None:
    with pytest.raises(EditError, match="no weight"):
        edit(b"server 192.0.2.1:8935;", A, Wish(weight=weight))


def test_other_blocks_and_other_lines_are_not_meant() -> None:
    text = (
        "upstream other { server 192.0.2.1:8935; }\n"
        "upstream orch { server 192.0.2.1:8935; }\n"
        "upstream orch { server 192.0.2.1:8935; }\n"
    )
    with pytest.raises(EditError, match="2 times"):
        out(text)
    changed = out(text, Which("orch", "192.0.2.1:8935", line=3))
    assert [" down" in line for line in changed.splitlines()] == [False, False, True]
    with pytest.raises(EditError, match="line 1"):
        out(text, Which("orch", "192.0.2.1:8935", line=1))


def test_one_of_two_alike_on_one_line() -> None:
    text = "server 192.0.2.1:8935; server 192.0.2.1:8935;"
    second = Which("orch", "192.0.2.1:8935", line=1, nth=2, of=2)
    assert out(text, second) == "server 192.0.2.1:8935; server 192.0.2.1:8935 down;"
    with pytest.raises(EditError, match="2 times"):
        out(text)
    with pytest.raises(EditError, match="1 times"):
        out("server 192.0.2.1:8935;", second)


def test_the_port_that_the_probe_adds() -> None:
    assert out("server orch-1;", Which("orch", "orch-1:80")) == "server orch-1 down;"
    assert out("server [2001:db8::1];", Which("orch", "[2001:db8::1]:80")).endswith("] down;")
    socket = Which("orch", "unix:/run/o.sock")
    assert out("server unix:/run/o.sock;", socket) == "server unix:/run/o.sock down;"


@pytest.mark.parametrize(
    "text",
    [
        "server 192.0.2.1:8935",
        "upstream orch { server 192.0.2.1:8935;",
        "server 192.0.2.1:8935; }",
        "server '192.0.2.1:8935;",
        "server '192.0.2.1:8935'x;",
        "{ server 192.0.2.1:8935; }",
        "server 192.0.2.1:8935; ;",
        "server 192.0.2.1:8935; a \\",
        "rewrite_by_lua_block { if x then { server 192.0.2.1:8935;",
        "",
    ],
)
def test_a_file_that_nginx_would_not_read_is_not_touched(text: str) -> None:
    with pytest.raises(EditError) as caught:
        out(text)
    assert caught.value.remedy


@given(st.binary(max_size=200))
def test_whatever_a_file_holds_it_is_changed_or_refused(raw: bytes) -> None:
    text = raw + b"\nserver 192.0.2.1:8935;\n"
    try:
        changed = edit(text, A, OUT).text
    except EditError:
        return
    assert edit(changed, A, IN).text == text


_SPACE = st.sampled_from([" ", "  ", "\t", "\n", "\r\n", " # note; { } ' \"\n", "\n#\xe9\r\n"])
_MORE = st.sampled_from(["", "weight=2", "max_fails=0", "backup", "fail_timeout=1s", '"slow"'])


@st.composite
def _statement(draw: st.DrawFn, address: str, *, may_be_down: bool = True) -> str:
    words = ["server", address, draw(_MORE), draw(_MORE)]
    if may_be_down and draw(st.booleans()):
        words.insert(draw(st.integers(2, len(words))), "down")
    text = "".join(word + draw(_SPACE) for word in words if word)
    return text.rstrip(" \t") + draw(st.sampled_from([";", " ;", "\n;"]))


_OTHER = st.integers(2, 9).flatmap(lambda n: _statement(f"192.0.2.{n}:8935"))
_FILLING = st.sampled_from(
    ["zone z 64k;", "least_conn;", "# server 192.0.2.1:8935;\n", "\n\n", 'hash "$a;{" consistent;']
)


@given(
    before=st.lists(_OTHER | _FILLING, max_size=4),
    mine=_statement("192.0.2.1:8935", may_be_down=False),
    after=st.lists(_OTHER | _FILLING, max_size=4),
    gap=st.sampled_from(["", " ", "\n", "\r\n\t"]),
    in_block=st.booleans(),
)
def test_out_and_in_again_gives_every_byte_back(
    before: list[str], mine: str, after: list[str], gap: str, in_block: bool
) -> None:
    head, tail = gap.join([*before, ""]), gap.join(["", *after])
    if in_block:
        head, tail = f"http {{ upstream orch {{{head}", f"{tail}}} }}"
    text = (head + mine + tail).encode("latin-1")
    changed = edit(text, A, OUT).text
    assert changed != text
    assert changed.startswith(head.encode("latin-1"))
    assert changed.endswith(tail.encode("latin-1"))
    assert edit(changed, A, IN).text == text


@given(mine=_statement("192.0.2.1:8935"), weight=st.integers(1, 999), down=st.booleans())
def test_a_parser_that_is_not_ours_reads_what_was_wished(
    mine: str, weight: int, down: bool
) -> None:
    assume("slow" not in mine)
    text = f"http {{ upstream orch {{\n{mine}\nserver 192.0.2.2:1; }} }}".encode("latin-1")
    changed = edit(text, A, Wish(down=down, weight=weight)).text.decode("latin-1")
    dumped = f"# configuration file /etc/nginx/nginx.conf:\n{changed}\n"
    [upstream] = find(read(split(dumped))).known
    server = upstream.servers[0]
    assert (server.address, server.down, server.weight) == ("192.0.2.1:8935", down, weight)
    assert upstream.servers[1].down is False
