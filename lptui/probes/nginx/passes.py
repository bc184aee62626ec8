"""What nginx passes requests to, and how it speaks to it; variables are filled in."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from lptui.probes.nginx.dump import Directive
from lptui.text import clean

_PASSES: Final[Mapping[str, str]] = {
    "proxy_pass": "http",
    "grpc_pass": "grpc",
    "fastcgi_pass": "fastcgi",
    "uwsgi_pass": "uwsgi",
    "scgi_pass": "scgi",
    "memcached_pass": "memcached",
}
"""Directives and the scheme where none is written; in `stream` it is not known ("")."""

_STRENGTH: Final = ("https", "http", "grpcs", "grpc", "", "udp")
"""Where a server is spoken to in several ways: the one that tells most when it is asked."""

_TABLES: Final = frozenset({"map", "geo", "split_clients"})
_VARIABLE: Final = re.compile(r"\$(?:\{(\w{1,60})\}|(\w{1,60}))", re.ASCII)
_PATH: Final = re.compile(r"/|\?|\$\{?(?:request_uri|uri|document_uri)\b", re.ASCII)
_MOST_WAYS: Final = 64
_DEEPEST: Final = 4


@dataclass(frozen=True, slots=True)
class Pass:
    """A way that requests take: `name` is an upstream, an address, or `unix:/path`.

    `scheme` is http, https, grpc, fastcgi, …; udp, or "" for whatever a stream carries.
    """

    scheme: str
    name: str
    line: Directive


@dataclass(frozen=True, slots=True)
class Passes:
    """All of a context, and what could not be followed: it depends on the request."""

    found: tuple[Pass, ...]
    unknown: tuple[str, ...]


def find(context: str, inside: Sequence[Directive]) -> Passes:
    """The passes of everything inside the `http` or `stream` blocks."""
    constants = _constants(inside)
    found: list[Pass] = []
    unknown: dict[str, None] = {}
    for usual, line in _lines(context, inside):
        for text in _filled(line.args[0], constants, _DEEPEST)[:_MOST_WAYS]:
            scheme, name = _target(text, usual)
            if "$" in name:
                unknown[clean(line.args[0], 80)] = None
            elif name:
                found.append(Pass(scheme, name, line))
    return Passes(tuple(found), tuple(unknown))


def schemes(found: Sequence[Pass]) -> dict[str, str]:
    """How each name is spoken to; names are in lower case, as nginx compares them."""
    best: dict[str, str] = {}
    for one in found:
        name = one.name.lower()
        if name not in best or _rank(one.scheme) < _rank(best[name]):
            best[name] = one.scheme
    return best


def walk(directives: Sequence[Directive]) -> Iterator[Directive]:
    """All directives, those in blocks too, in their order."""
    stack = list(reversed(directives))
    while stack:
        one = stack.pop()
        yield one
        stack.extend(reversed(one.block or ()))


def _rank(scheme: str) -> int:
    return _STRENGTH.index(scheme) if scheme in _STRENGTH else len(_STRENGTH)


def _lines(context: str, inside: Sequence[Directive]) -> Iterator[tuple[str, Directive]]:
    """The directives that pass requests on, each with its usual scheme."""
    if context == "http":
        for one in walk(inside):
            if one.name in _PASSES and one.args:
                yield _PASSES[one.name], one
        return
    for server in inside:
        lines = list(walk(server.block or ())) if server.name == "server" else []
        listens = [one.args for one in lines if one.name == "listen"]
        is_udp = bool(listens) and all("udp" in args for args in listens)
        for one in lines:
            if one.name == "proxy_pass" and one.args:
                yield "udp" if is_udp else "", one


def _target(text: str, usual: str) -> tuple[str, str]:
    """Scheme, and upstream, authority or socket, without what follows."""
    scheme, separator, rest = text.partition("://")
    if not separator or "$" in scheme:
        scheme, rest = usual, text
    if rest.startswith("unix:"):
        return scheme.lower(), "unix:" + rest.removeprefix("unix:").partition(":")[0]
    return scheme.lower(), _PATH.split(rest, maxsplit=1)[0]


def _constants(inside: Sequence[Directive]) -> dict[str, tuple[str, ...]]:
    """What `set`, `map`, `geo` and `split_clients` may give each variable."""
    found: dict[str, dict[str, None]] = {}
    for one in walk(inside):
        if one.name == "set" and len(one.args) == 2:
            found.setdefault(one.args[0].lstrip("$"), {})[one.args[1]] = None
        elif one.name in _TABLES and one.args and one.block is not None:
            values = [line.args[0] for line in one.block if len(line.args) == 1]
            found.setdefault(one.args[-1].lstrip("$"), {}).update(dict.fromkeys(values))
    return {name: tuple(values) for name, values in found.items()}


def _filled(text: str, constants: Mapping[str, tuple[str, ...]], depth: int) -> list[str]:
    """The text for each value of its variables; those that depend on the request stay."""
    for match in _VARIABLE.finditer(text):
        values = constants.get(match[1] or match[2])
        if values is None or depth == 0:
            continue
        ways = (text.replace(match[0], value) for value in values[:_MOST_WAYS])
        return [filled for way in ways for filled in _filled(way, constants, depth - 1)]
    return [text]
