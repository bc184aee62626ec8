"""Upstreams and listening addresses in nginx's directives."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final
from urllib.parse import urlsplit

from lptui.fleet.facts.balancer import NginxServer, NginxUpstream
from lptui.probes.nginx.dump import Directive
from lptui.probes.numbers import count
from lptui.text import clean

_ALGORITHMS: Final = frozenset({"ip_hash", "hash", "least_conn", "least_time", "random", "sticky"})
_PASSES: Final = frozenset({"proxy_pass", "grpc_pass"})
_SECURE: Final = frozenset({"https", "grpcs"})
_DURATION: Final = re.compile(r"([0-9]{1,9})(ms|s|m|h|d)?", re.ASCII)
_SECONDS: Final[Mapping[str, float]] = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
_PORT: Final = re.compile(r".*:[0-9]{1,5}", re.ASCII)


def find(directives: Sequence[Directive]) -> tuple[NginxUpstream, ...]:
    """The upstream blocks of http and stream, then servers that requests are passed to directly."""
    found: list[NginxUpstream] = []
    for context in ("http", "stream"):
        blocks = [one for one in directives if one.name == context and one.block is not None]
        inside = [one for block in blocks for one in block.block or ()]
        named = [_upstream(one, context) for one in inside if one.name == "upstream" and one.block]
        targets = list(_targets(inside))
        schemes = _schemes(targets)
        found += [replace(one, scheme=schemes.get(one.name, one.scheme)) for one in named]
        found += _direct(targets, {one.name for one in named}, context)
    return tuple(_without_twins(found))


def listens(directives: Sequence[Directive]) -> tuple[str, ...]:
    """The addresses of all server blocks, as written."""
    found = [
        clean(one.args[0], 80) for one in _walk(directives) if one.name == "listen" and one.args
    ]
    return tuple(dict.fromkeys(found))[:100]


def seconds(text: str) -> float | None:
    """A time of nginx's: `10s`, `1m`, `500ms`, `10` (seconds)."""
    match = _DURATION.fullmatch(text)
    return None if match is None else float(int(match[1]) * _SECONDS[match[2] or "s"])


def _without_twins(found: Sequence[NginxUpstream]) -> Iterator[NginxUpstream]:
    """http and stream may each have an upstream of one name."""
    names: set[str] = set()
    for one in found:
        yield replace(one, name=f"{one.name} ({one.context})") if one.name in names else one
        names.add(one.name)


def _upstream(block: Directive, context: str) -> NginxUpstream:
    inside = block.block or ()
    algorithm = next((one for one in inside if one.name in _ALGORITHMS), None)
    words = () if algorithm is None else (algorithm.name, *algorithm.args)
    return NginxUpstream(
        name=clean(block.args[0], 120) if block.args else "",
        context=context,
        servers=tuple(_server(one, context) for one in inside if one.name == "server" and one.args),
        algorithm=clean(" ".join(words), 80),
        scheme="http" if context == "http" else "",
    )


def _server(line: Directive, context: str) -> NginxServer:
    options = dict(_option(word) for word in line.args[1:])
    weight = count(options.get("weight", "1"))
    fails = count(options.get("max_fails", "1"))
    timeout = seconds(options.get("fail_timeout", "10s"))
    return NginxServer(
        address=_with_port(clean(line.args[0], 200), context, "http"),
        weight=1 if weight is None else weight,
        backup="backup" in options,
        down="down" in options,
        max_fails=1 if fails is None else fails,
        fail_timeout_s=10.0 if timeout is None else timeout,
        file=clean(line.file, 400),
        line=line.line,
    )


def _option(word: str) -> tuple[str, str]:
    name, _, value = word.partition("=")
    return name, value


def _with_port(address: str, context: str, scheme: str) -> str:
    """An http server without a port has 80, or 443 behind https."""
    if context != "http" or address.startswith("unix:"):
        return address
    bare = address.rpartition("]")[2] if address.startswith("[") else address
    if _PORT.fullmatch(bare):
        return address
    return f"{address}:{443 if scheme in _SECURE else 80}"


def _targets(directives: Sequence[Directive]) -> Iterator[tuple[str, str, Directive]]:
    """Scheme and authority of everything that requests are passed to; names with variables not."""
    for one in _walk(directives):
        if one.name not in _PASSES or not one.args or "$" in one.args[0]:
            continue
        scheme, separator, rest = one.args[0].partition("://")
        if not separator:
            scheme, rest = "", one.args[0]
        if rest.startswith("unix:"):
            continue
        yield scheme.lower(), rest.partition("/")[0], one


def _schemes(targets: Sequence[tuple[str, str, Directive]]) -> dict[str, str]:
    """How requests to each name are sent; https where any of them is."""
    found: dict[str, str] = {}
    for scheme, name, _ in targets:
        if scheme in _SECURE:
            found[name] = "https"
    return found


def _direct(
    targets: Sequence[tuple[str, str, Directive]], named: set[str], context: str
) -> list[NginxUpstream]:
    """`proxy_pass http://192.0.2.1:8935;`: a server without an upstream block."""
    found: dict[str, NginxUpstream] = {}
    for scheme, name, line in targets:
        if name in named or not _is_authority(name):
            continue
        address = _with_port(clean(name, 200), context, scheme)
        server = NginxServer(address=address, file=clean(line.file, 400), line=line.line)
        kind = "https" if scheme in _SECURE else "http" if context == "http" else ""
        found.setdefault(
            address, NginxUpstream(name=address, context=context, servers=(server,), scheme=kind)
        )
    return list(found.values())


def _is_authority(name: str) -> bool:
    try:
        return bool(urlsplit(f"//{name}").hostname)
    except ValueError:
        return False


def _walk(directives: Sequence[Directive]) -> Iterator[Directive]:
    stack = list(reversed(directives))
    while stack:
        one = stack.pop()
        yield one
        stack.extend(reversed(one.block or ()))
