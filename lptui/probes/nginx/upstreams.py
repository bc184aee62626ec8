"""Upstreams and listening addresses in nginx's directives."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urlsplit

from lptui.fleet.facts.balancer import NginxServer, NginxUpstream
from lptui.probes.nginx import passes
from lptui.probes.nginx.dump import Directive
from lptui.probes.nginx.passes import Pass
from lptui.probes.numbers import count
from lptui.text import clean

_ALGORITHMS: Final = frozenset({"ip_hash", "hash", "least_conn", "least_time", "random", "sticky"})
_SECURE: Final = frozenset({"https", "grpcs"})
_DURATION: Final = re.compile(r"([0-9]{1,9})(ms|s|m|h|d)?", re.ASCII)
_SECONDS: Final[Mapping[str, float]] = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
_PORT: Final = re.compile(r".*:[0-9]{1,5}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Upstreams:
    """Whom requests are passed to; `unknown` are passes by variables that depend on the request."""

    known: tuple[NginxUpstream, ...]
    unknown: tuple[str, ...] = ()


def find(directives: Sequence[Directive]) -> Upstreams:
    """The upstream blocks of http and stream, then servers that requests are passed to directly."""
    found: list[NginxUpstream] = []
    unknown: list[str] = []
    for context in ("http", "stream"):
        blocks = [one for one in directives if one.name == context and one.block is not None]
        inside = [one for block in blocks for one in block.block or ()]
        named = [_upstream(one, context) for one in inside if one.name == "upstream" and one.block]
        taken = passes.find(context, inside)
        unknown += taken.unknown
        schemes = passes.schemes(taken.found)
        found += [replace(one, scheme=schemes.get(one.name.lower(), "")) for one in named]
        found += _direct(taken.found, {one.name.lower() for one in named}, schemes, context)
    return Upstreams(tuple(_without_twins(found)), tuple(unknown))


def listens(directives: Sequence[Directive]) -> tuple[str, ...]:
    """The addresses of all server blocks, as written."""
    lines = (one for one in passes.walk(directives) if one.name == "listen" and one.args)
    return tuple(dict.fromkeys(clean(one.args[0], 80) for one in lines))[:100]


def error_log(directives: Sequence[Directive]) -> str:
    """The file of the main error log; "" where it is not said, or is not a file."""
    said = [one.args[0] for one in directives if one.name == "error_log" and one.args]
    return clean(said[0], 400) if said and said[0].startswith("/") else ""


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
        words=tuple(clean(word, 200) for word in (line.name, *line.args)),
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


def _direct(
    passes: Sequence[Pass], named: Set[str], schemes: Mapping[str, str], context: str
) -> list[NginxUpstream]:
    """`proxy_pass http://192.0.2.1:8935;`: a server without an upstream block."""
    found: dict[str, NginxUpstream] = {}
    for one in passes:
        if one.name.lower() in named or not _is_authority(one.name):
            continue
        scheme = schemes[one.name.lower()]
        address = _with_port(clean(one.name, 200), context, scheme)
        server = NginxServer(address=address, file=clean(one.line.file, 400), line=one.line.line)
        upstream = NginxUpstream(address, context, (server,), scheme=scheme, is_direct=True)
        found.setdefault(address, upstream)
    return list(found.values())


def _is_authority(name: str) -> bool:
    if name.startswith("unix:/"):
        return True
    try:
        return bool(urlsplit(f"//{name}").hostname)
    except ValueError:
        return False
