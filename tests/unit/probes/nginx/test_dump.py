"""nginx's configuration, processes and status page."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from lptui.errors import BadAnswerError
from lptui.fleet.facts.balancer import NginxServer, NginxUpstream
from lptui.probes.nginx import processes, status, upstreams
from lptui.probes.nginx.dump import Dump, includes, matches, read, split
from tests.unit.probes.hostile import HOSTILE

DUMP = (Path(__file__).parent / "samples" / "dump.txt").read_text()
MAIN = "/etc/nginx/nginx.conf"


def _upstreams(text: str = DUMP) -> dict[str, NginxUpstream]:
    return {one.name: one for one in upstreams.find(read(split(text))).known}


def _conf(text: str) -> str:
    return f"# configuration file {MAIN}:\n{text}\n"


def test_servers_of_an_included_file_belong_to_the_upstream_that_includes_it() -> None:
    orch = _upstreams()["orch"]
    assert (orch.context, orch.algorithm, orch.scheme) == ("http", "least_conn", "https")
    assert [(one.address, one.weight, one.down, one.backup) for one in orch.servers] == [
        ("192.0.2.11:8935", 3, False, False),
        ("192.0.2.12:80", 1, True, False),
        ("192.0.2.11:8935", 1, False, False),
        ("unix:/run/spare.sock", 1, False, True),
    ]
    assert (orch.servers[1].file, orch.servers[1].line) == ("/etc/nginx/lptui/orch.servers", 1)


def test_stream_upstreams_and_their_parameters() -> None:
    tls = _upstreams()["tls_orch"]
    assert (tls.context, tls.scheme) == ("stream", "")
    assert tls.algorithm == "hash $remote_addr consistent"
    first, second = tls.servers
    assert (first.address, first.weight, first.max_fails, first.fail_timeout_s) == (
        "orch-3.example.com:8935",
        5,
        2,
        60.0,
    )
    assert (second.address, second.down) == ("[2001:db8::1]:8935", True)


def test_a_server_without_an_upstream_block_and_one_name_in_two_contexts() -> None:
    found = _upstreams()
    assert found["192.0.2.50:9443"].scheme == "https"
    assert found["192.0.2.50:9443"].servers[0].address == "192.0.2.50:9443"
    assert found["orch (stream)"].servers[0].address == "192.0.2.77:8935"
    assert set(found) == {"orch", "192.0.2.50:9443", "tls_orch", "orch (stream)"}


HTTP = """http {{
    upstream Pool {{ server 192.0.2.1:1; }}
    upstream spare {{ server 192.0.2.2:1; }}
    map $http_upgrade $chosen {{ default pool; "~*web;socket {{}}" spare; }}
    server {{ set $late "orch.example.org"; location / {{ {} }} }}
}}"""


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("proxy_pass https://pool;", {"Pool": "https", "spare": ""}),
        ("proxy_pass http://pool/$1;", {"Pool": "http", "spare": ""}),
        ("proxy_pass http://pool$request_uri;", {"Pool": "http", "spare": ""}),
        ("proxy_pass https://$chosen;", {"Pool": "https", "spare": "https"}),
        ("grpc_pass pool; location /a { proxy_pass https://pool; }", {"Pool": "https"}),
        ("grpc_pass grpcs://pool;", {"Pool": "grpcs"}),
        ("fastcgi_pass spare;", {"spare": "fastcgi"}),
        ("proxy_pass http://192.0.2.9:8545$request_uri;", {"192.0.2.9:8545": "http"}),
        ("proxy_pass https://$late:8935/x;", {"orch.example.org:8935": "https"}),
        ("proxy_pass https://${late};", {"orch.example.org:443": "https"}),
        ("proxy_pass http://unix:/run/a.sock:/path/;", {"unix:/run/a.sock": "http"}),
        ("uwsgi_pass unix:/run/u.sock;", {"unix:/run/u.sock": "uwsgi"}),
        ("scgi_pass 127.0.0.1:9000;", {"127.0.0.1:9000": "scgi"}),
    ],
)
def test_how_and_where_requests_are_passed(line: str, found: dict[str, str]) -> None:
    known = {name: one.scheme for name, one in _upstreams(_conf(HTTP.format(line))).items()}
    assert {name: known.get(name) for name in found} == found
    assert set(known) == {"Pool", "spare", *found}


def test_what_depends_on_the_request_is_named_not_guessed() -> None:
    line = "proxy_pass http://$host:$port; location /b { proxy_pass $http_x; }"
    found = upstreams.find(read(split(_conf(HTTP.format(line)))))
    assert {one.name for one in found.known} == {"Pool", "spare"}
    assert found.unknown == ("http://$host:$port", "$http_x")


def test_variables_that_name_each_other_come_to_an_end() -> None:
    line = "set $a $b$b$b; set $b $a$a; proxy_pass http://$a;"
    assert upstreams.find(read(split(_conf(HTTP.format(line))))).unknown


def test_a_stream_is_udp_where_nothing_else_is_listened_for() -> None:
    text = """stream {
        upstream dns { server 192.0.2.1:53; }
        upstream both { server 192.0.2.1:54; }
        server { listen 53 udp; proxy_pass dns; }
        server { listen 54 udp reuseport; listen 54; proxy_pass both; }
        server { listen 55 udp; proxy_pass 192.0.2.1:55; }
        server { listen 56; proxy_pass unix:/run/a.sock; }
    }"""
    known = {name: one.scheme for name, one in _upstreams(_conf(text)).items()}
    assert known == {"dns": "udp", "both": "", "192.0.2.1:55": "udp", "unix:/run/a.sock": ""}


@pytest.mark.parametrize("written", ["./sites/*.conf", "x/../sites/a.conf", "sites//a.conf"])
def test_an_include_is_found_however_its_path_is_written(written: str) -> None:
    """nginx names the file as the include does."""
    path = f"/etc/nginx/{written.replace('*', 'a')}"
    text = _conf(f"http {{ include {written}; }}")
    text += f"# configuration file {path}:\nupstream u {{ server a; }}\n"
    assert set(_upstreams(text)) == {"u"}
    assert includes(split(text)) == (f"/etc/nginx/{written}",)


def test_a_file_that_is_missing_from_a_dump_is_not_passed_over() -> None:
    with pytest.raises(BadAnswerError, match=r"no included file sites/a\.conf"):
        read(split(_conf("http { include sites/a.conf; }")))
    assert read(split(_conf("http { include sites/*.conf; }")))


def test_listening_addresses() -> None:
    assert upstreams.listens(read(split(DUMP))) == ("443", "[::]:443", "80", "8935", "8936")


def test_defaults_are_those_of_nginx() -> None:
    found = _upstreams(_conf("http { upstream u { server a; } }"))
    assert found["u"].servers == (
        NginxServer(address="a:80", file=MAIN, line=1, words=("server", "a")),
    )
    assert upstreams.seconds("500ms") == 0.5
    assert upstreams.seconds("x") is None


@pytest.mark.parametrize(
    "text",
    [
        "http { upstream u { server a; }",
        "}",
        "http { upstream u { server 'a; } }",
    ],
)
def test_a_partial_tree_is_never_used(text: str) -> None:
    with pytest.raises(BadAnswerError) as caught:
        read(split(_conf(text)))
    assert "/tmp" not in str(caught.value), "the operator's file is named, not the copy"


def test_a_file_that_includes_itself_is_refused() -> None:
    with pytest.raises(BadAnswerError, match="itself"):
        read(split(_conf("include nginx.conf;")))


def test_newer_directives_than_the_library_knows_are_read() -> None:
    text = "stream { upstream u { resolver 192.0.2.53; server a:1 resolve; least_time x; } }"
    assert _upstreams(_conf(text))["u"].servers[0].address == "a:1"


@pytest.mark.parametrize(
    ("pattern", "path", "is_match"),
    [
        ("/etc/nginx/sites-enabled/*", "/etc/nginx/sites-enabled/x", True),
        ("/etc/nginx/sites-enabled/*", "/etc/nginx/sites-enabled/.x", False),
        ("/etc/nginx/*", "/etc/nginx/a/b", False),
        ("/etc/nginx/*/b", "/etc/nginx/a/b", True),
        ("/a/[ab].conf", "/a/b.conf", True),
        ("/a/b.conf", "/a/bxconf", False),
    ],
)
def test_patterns_are_those_of_glob(pattern: str, path: str, is_match: bool) -> None:
    assert matches(pattern, path) is is_match


def test_includes_are_found_wherever_they_stand() -> None:
    text = _conf("include a/*.conf; http { server { include /b; } }")
    assert set(includes(split(text))) == {"/etc/nginx/a/*.conf", "/b"}


def test_messages_are_no_files_and_unreadable_files_are_named() -> None:
    dump = split(f"{DUMP}# unreadable file /etc/nginx/secret:\n")
    assert dump.main == MAIN
    assert dump.unreadable == ("/etc/nginx/secret",)
    with pytest.raises(BadAnswerError):
        read(Dump())


PROCESSES = """now 1763668800.5
uptime 86400.5 172000.00
hz 100
process 700 1 4321 nginx: master process /usr/sbin/nginx -g daemon on; master_process on;
process 701 700 8640000 nginx: worker process
process 702 700 8000000 nginx: worker process
process 655 700 2000 nginx: worker process is shutting down
process 710 700 9 nginx: cache manager process
"""


def test_the_oldest_worker_that_serves_tells_when_the_files_were_loaded() -> None:
    now, found = processes.parse(PROCESSES)
    generation = processes.generation(now, found, None)
    assert generation is not None
    assert (generation.pid, generation.old_workers) == (700, 1)
    assert generation.loaded_at == pytest.approx(1763668800 - 86400 + 80000)
    assert generation.uptime_s == pytest.approx(86400.5 - 43.21)


def test_several_masters_are_told_apart_by_their_configuration() -> None:
    more = "process 800 1 1 nginx: master process nginx -c /opt/nginx.conf\n"
    now, found = processes.parse(PROCESSES + more)
    chosen = processes.generation(now, found, "/opt/nginx.conf")
    assert chosen is not None
    assert (chosen.pid, chosen.loaded_at) == (800, None)
    assert processes.generation(now, found, None) is None, "not clear is not a guess"
    assert processes.generation(now, (), None) is None


def test_a_worker_that_was_just_forked_has_its_masters_title_and_is_no_master() -> None:
    title = "nginx: master process nginx -c /opt/nginx.conf"
    master, forked = (f"process 800 1 1 {title}\n", f"process 801 800 2 {title}\n")
    worker = "process 802 801 3 nginx: worker process\n"
    now, found = processes.parse(PROCESSES + master + forked)
    chosen = processes.generation(now, found, "/opt/nginx.conf")
    assert chosen is not None
    assert (chosen.pid, chosen.workers) == (800, ())
    # With workers of its own it is a master: a binary that is being upgraded.
    now, found = processes.parse(PROCESSES + master + forked + worker)
    assert processes.generation(now, found, "/opt/nginx.conf") is None


def test_an_nginx_in_a_container_is_not_taken_for_the_host_s_own() -> None:
    boxed = "process 900 1 1 nginx: master process nginx -g daemon off;\ncontained 900\n"
    now, found = processes.parse(PROCESSES + boxed)
    chosen = processes.generation(now, found, "/etc/nginx/nginx.conf")
    assert chosen is not None
    assert chosen.pid == 700
    now, alone = processes.parse(PROCESSES.partition("process")[0] + boxed)
    chosen = processes.generation(now, alone, "/srv/nginx.conf")
    assert chosen is not None, "its configuration may well be a file of the host"
    assert chosen.pid == 900


def test_another_nginx_is_not_taken_for_the_one_that_has_ended() -> None:
    other = processes.Process(7, 1, 0.0, "nginx: master process nginx -c /srv/other.conf")
    usual = processes.Process(8, 1, 0.0, "nginx: master process /usr/sbin/nginx -g daemon on;")
    assert processes.generation(9.0, (other,), "/opt/nginx.conf") is None
    assert processes.generation(9.0, (other,), None) is not None
    chosen = processes.generation(9.0, (other, usual), "/etc/nginx/nginx.conf")
    assert chosen is not None
    assert chosen.pid == 8


def test_stub_status() -> None:
    page = "Active connections: 2 \nserver accepts handled requests\n 10 9 31 \n"
    page += "Reading: 0 Writing: 1 Waiting: 1 \n"
    assert status.parse(page) == status.StubStatus(active=2, requests=31, dropped=1)
    for text in ("", "<html>", page[:60]):
        with pytest.raises(BadAnswerError):
            status.parse(text)


_SOME = settings(HOSTILE, max_examples=60, suppress_health_check=list(HealthCheck))
_PIECES = st.sampled_from(
    ["http", "upstream u", "{", "}", ";", "server a:1", "include *", "'", '"', "\\", "#", "\n",
     "listen 80", "proxy_pass http://u/", "x_by_lua_block", "if (", ")", "include nginx.conf"]
)  # fmt: skip


@_SOME
@given(st.lists(_PIECES | st.text(max_size=6), max_size=24).map(" ".join))
@example("http {" * 400)
@example("proxy_pass http://[::1;")
@example("http { server { proxy_pass http://[::1; } }")
def test_any_configuration_is_read_or_refused(text: str) -> None:
    try:
        directives = read(split(_conf(text)))
        includes(split(_conf(text)))
    except BadAnswerError:
        return
    upstreams.find(directives)
    upstreams.listens(directives)


@HOSTILE
@given(
    st.lists(st.sampled_from(PROCESSES.splitlines()) | st.text(max_size=30)).map("\n".join),
    st.text(max_size=60),
)
def test_any_text_is_processes_and_pages_or_refused(text: str, page: str) -> None:
    processes.parse_modified(text)
    for parse in (processes.parse, status.parse):
        try:
            parse(text)
            parse(page)
        except BadAnswerError:
            continue
