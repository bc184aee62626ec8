"""Says in the operator's words, and at its place, what pydantic found wrong."""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Iterator, Mapping
from typing import Final

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from lptui.config.load import Document, Loc, plain
from lptui.config.mistakes import Mistake, nearest, one_of, shown
from lptui.config.schema import Config
from lptui.text import clean

_SECRET: Final = re.compile(
    r"pass|secret|token|key|auth|credential|header|private|mnemonic", re.IGNORECASE
)
_BOUNDS: Final = {
    "greater_than_equal": ("at least", "ge"),
    "greater_than": ("more than", "gt"),
    "less_than_equal": ("at most", "le"),
    "less_than": ("less than", "lt"),
}
_KINDS: Final = {
    "model_type": "a mapping",
    "dict_type": "a mapping",
    "list_type": "a list",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "string_type": "text",
}
_SHORT: Final[Mapping[tuple[str | int, ...], tuple[str, str]]] = {
    ("hosts",): ("address", r"[A-Za-z0-9_-]*[A-Za-z.][A-Za-z0-9_.-]*"),
    ("rpcs",): ("url", r"[a-z]+://[^…\s]+"),
    ("signers",): ("address", "0x[0-9A-Fa-f]{40}"),
    ("chain", "orchestrators"): ("address", "0x[0-9A-Fa-f]{40}"),
}
"""Sections whose entries are more than the one value that people write: its key and its shape."""

_OTHER_WORDS: Final = {
    other: key
    for key, others in {
        "account": "ethacctaddr acctaddr ethaddress ethaccount wallet",
        "address": "ip ipaddress hostname fqdn",
        "backends": "upstreams backend upstream",
        "chain_id": "chainid",
        "cli": "cliaddr cliaddress cliport clihost cliurl",
        "container": "docker podman containername",
        "controller": "ethcontroller",
        "headers": "header",
        "identity": "identityfile keyfile privatekey sshkey",
        "jump": "proxyjump jumphost jumphosts bastion proxy",
        "key": "apikey token",
        "network": "networkname chain",
        "nvenc_sessions": "encodersessions nvenc",
        "orchestrator": "orch worksfor",
        "recipient": "ethorchaddr orchestratoraddress",
        "rpc": "ethurl ethereum",
        "rpcs": "endpoints rpcendpoints",
        "service_uri": "serviceaddr serviceaddress serviceurl",
        "ssh": "alias sshhost",
        "stub_status": "status",
        "unit": "systemd service systemdunit unitname",
        "verify_tls": "tlsverify insecure verify",
        "via": "through host",
    }.items()
    for other in others.split()
}
"""What go-livepeer, ssh and others call the same."""

_YES_NO: Final = {"yes": "true", "on": "true", "no": "false", "off": "false"}


def explain(error: ValidationError, document: Document) -> Iterator[Mistake]:
    """One mistake for each error."""
    for found in error.errors(include_url=False):
        loc = tuple(found["loc"])
        is_key = bool(loc) and loc[-1] == "[key]"
        if is_key:
            loc = loc[:-1]
        kind = found["type"]
        value = _value(found, loc, is_key)
        message, suggestion = _words(found, loc, value)
        spot = document.spot(loc, key=is_key or kind in ("extra_forbidden", "missing"))
        yield Mistake(document.path, spot.line, spot.column, message, value, suggestion)


def _value(found: ErrorDetails, loc: Loc, is_key: bool) -> str:
    if found["type"] == "lptui":
        return "" if is_secret(loc) else str(found["ctx"]["value"])
    if found["type"] in ("extra_forbidden", "missing"):
        return ""
    if is_key:
        return shown(loc[-1])
    return "" if is_secret(loc) else shown(found["input"])


def is_secret(loc: Loc) -> bool:
    """Whether a value at this place may be a secret that was written down by mistake."""
    return any(isinstance(part, str) and _SECRET.search(part) for part in loc[2:] or loc[-1:])


def _words(found: ErrorDetails, loc: Loc, value: str) -> tuple[str, str]:
    kind = found["type"]
    given = found["input"]
    said = f"'{value}'" if value else "nothing" if given is None else "this"
    if isinstance(given, str) and value and _would_be(kind, given):
        said += ": leave out the quotes"
    if kind == "lptui":
        return str(found["ctx"]["text"]), str(found["ctx"]["suggestion"])
    if kind == "extra_forbidden":
        return _unknown_key(loc)
    if kind == "missing":
        return f"{_owner(loc[:-1])} has no `{loc[-1]}`", ""
    if kind == "bool_type":
        return f"expected true or false, not {said}", _YES_NO.get(value.lower(), "")
    if kind in _KINDS:
        if value in ("a mapping", "a list"):
            said = value
        return f"expected {_KINDS[kind]}, not {said}", _whole(loc, value)
    if kind in _BOUNDS:
        word, bound = _BOUNDS[kind]
        return f"{value or 'it'} is out of bounds: it must be {word} {found['ctx'][bound]}", ""
    if kind == "too_short":
        return "an empty list", ""
    return clean(str(found["msg"]), 120), ""


def _would_be(kind: str, text: str) -> bool:
    """Whether a text would be what is expected if it were not in quotes."""
    expected = {"bool_type": (bool,), "int_type": (int,), "float_type": (int, float)}
    return type(plain(text)) in expected.get(kind, ())


def _whole(loc: Loc, value: str) -> str:
    """The mapping that a single value was meant to be: a host's address, an endpoint's URL."""
    lacks_space = re.fullmatch(r"([a-z_]+):([^\s/].*)", value)
    if lacks_space:
        return f"{lacks_space[1]}: {lacks_space[2]}"
    key, shape = _SHORT.get(tuple(loc[:-1]), ("", ""))
    return f"{{{key}: {value}}}" if key and re.fullmatch(shape, value) else ""


def _owner(loc: Loc) -> str:
    """What a place belongs to: `node 'o1'`, `chain`, `orchestrator 'main' of chain`."""
    if not loc:
        return "the configuration"
    if len(loc) == 2 and isinstance(loc[1], str):
        return f"{str(loc[0]).removesuffix('s')} '{clean(loc[1], 60)}'"
    return "`" + ".".join(clean(str(part), 60) for part in loc) + "`"


def _unknown_key(loc: Loc) -> tuple[str, str]:
    written = str(loc[-1])
    known = known_keys(loc[:-1])
    other = _OTHER_WORDS.get(re.sub(r"[^a-z]", "", written.lower()), "")
    suggestion = other if other in known else nearest(written, known)
    hint = "" if suggestion or not known else f"; known here: {one_of(known, 12)}"
    return f"unknown key '{shown(written)}'{hint}", suggestion


def known_keys(loc: Loc) -> tuple[str, ...]:
    """The keys that the schema has at a place."""
    here: object = Config
    for part in loc:
        model = _model_in(here)
        if model is not None and part in model.model_fields:
            here = model.model_fields[str(part)].annotation
        else:
            here = _member(here)
    model = _model_in(here)
    return tuple(model.model_fields) if model is not None else ()


def _bare(annotation: object) -> object:
    """An annotation without `Annotated` and `| None`."""
    while True:
        if typing.get_origin(annotation) is typing.Annotated:
            annotation = typing.get_args(annotation)[0]
        elif (
            isinstance(annotation, types.UnionType) or typing.get_origin(annotation) is typing.Union
        ):
            some = [kind for kind in typing.get_args(annotation) if kind is not type(None)]
            annotation = some[0]
        else:
            return annotation


def _model_in(annotation: object) -> type[BaseModel] | None:
    bare = _bare(annotation)
    return bare if isinstance(bare, type) and issubclass(bare, BaseModel) else None


def _member(annotation: object) -> object:
    """What a dict's values or a list's items are."""
    arguments = typing.get_args(_bare(annotation))
    return arguments[-1] if arguments else None
