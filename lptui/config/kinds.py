"""The kinds of value that an operator writes: durations, percents, amounts, addresses, URLs.

Each is a type for pydantic: the text that people write goes in, the value that the fleet uses
comes out. The messages name the value, except where it may hold a secret.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from lptui.config.keccak import keccak256
from lptui.config.mistakes import nearest, one_of, shown
from lptui.fleet.units import Address, Wei, parse_eth

NAME_PATTERN: Final = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$"
TEXT_LIMIT: Final = 1000
"""Longest single value, in characters."""

RESERVED_NAMES: Final = frozenset({"all", "none", "direct"})
_NAME: Final = re.compile(NAME_PATTERN[1:-1])
_DURATION: Final = re.compile(r"(?:[0-9]{1,9}(?:\.[0-9]{1,6})?(?:ms|s|m|h|d))+")
_DURATION_PART: Final = re.compile(r"([0-9.]+)(ms|s|m|h|d)")
_SECONDS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DECIMAL: Final = r"[0-9]{1,12}(?:\.[0-9]{1,18})?"
_AMOUNT: Final = re.compile(rf"({_DECIMAL}) ?(ETH|gwei|wei)", re.IGNORECASE)
_PERCENT: Final = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,4})?) ?%")
_CELSIUS: Final = re.compile(r"([0-9]{1,3}(?:\.[0-9])?) ?°?C")
_ADDRESS: Final = re.compile(r"0x[0-9a-fA-F]{40}")
_HOST_LABELS: Final = re.compile(r"(?=.{1,253}$)[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?\.?")
_KEY_LIKE: Final = re.compile(r"(?=[^/]*[0-9])(?=[^/]*[A-Za-z])[A-Za-z0-9_-]{20,}")


def mistake(message: str, value: object = None, suggestion: str = "") -> PydanticCustomError:
    """A mistake in one value. `value` only where it cannot be a secret."""
    context = {"text": message, "value": shown(value), "suggestion": suggestion}
    return PydanticCustomError("lptui", "{text}", context)


def text_of(value: object, what: str) -> str:
    """A value that must be text; numbers and booleans are not turned into text silently."""
    if isinstance(value, str) and value.strip():
        if len(value) > TEXT_LIMIT:
            raise mistake(f"longer than {TEXT_LIMIT} characters")
        return value.strip()
    if value is None or isinstance(value, str):
        raise mistake(f"expected {what}, not nothing")
    if isinstance(value, (dict, list)):
        raise mistake(f"expected {what}, not {shown(value)}")
    raise mistake(f"expected {what}, not {shown(value)}; put it in quotes if it is one", value)


def _written(value: object, what: str) -> str:
    """The text of a scalar, numbers included, for kinds that check its shape themselves."""
    if value is None or isinstance(value, (dict, list)):
        raise mistake(f"expected {what}, not {shown(value) or 'nothing'}")
    return shown(value).strip()


def duration(value: object) -> float:
    """Seconds from `500ms`, `2s`, `1m30s`, `6h`, `1d`."""
    text = _written(value, "a duration like 2s or 5m")
    if not _DURATION.fullmatch(text):
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        suggestion = f"{text}s" if number and not text.startswith("-") else ""
        raise mistake(f"'{text}' is not a duration like 2s, 500ms or 1m30s", value, suggestion)
    parts = _DURATION_PART.findall(text)
    return float(sum(Decimal(number) * Decimal(str(_SECONDS[unit])) for number, unit in parts))


def percent(value: object) -> float:
    """0 to 100 from `85%`."""
    text = _written(value, "a percentage like 85%")
    found = _PERCENT.fullmatch(text)
    if not found:
        likely = isinstance(value, (int, float)) and 1 < value <= 100
        suggestion = f"{text}%" if likely else ""
        raise mistake(f"'{text}' is not a percentage like 85%", value, suggestion)
    if float(found[1]) > 100:
        raise mistake(f"'{text}' is more than 100%", value)
    return float(found[1])


def celsius(value: object) -> float:
    """Degrees Celsius from `83 C`."""
    text = _written(value, "a temperature like 83 C")
    found = _CELSIUS.fullmatch(text)
    if not found:
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        raise mistake(
            f"'{text}' is not a temperature like 83 C", value, f"{text} C" if number else ""
        )
    return float(found[1])


def amount(value: object) -> Wei:
    """Wei, exactly, from `0.05 ETH`, `30 gwei` or `1000 wei`."""
    text = _written(value, "an amount like 0.05 ETH")
    found = _AMOUNT.fullmatch(text)
    if not found:
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        suggestion = f"{text} ETH" if number and re.fullmatch(_DECIMAL, text) else ""
        raise mistake(f"'{text}' is not an amount like 0.05 ETH", value, suggestion)
    scale = {"eth": Decimal(1), "gwei": Decimal(10) ** -9, "wei": Decimal(10) ** -18}
    try:
        return parse_eth(str(Decimal(found[1]) * scale[found[2].lower()]))
    except (ValueError, InvalidOperation):
        raise mistake(f"'{text}' is not a whole number of wei", value) from None


def account(value: object) -> Address:
    """A 20-byte account; mixed case must carry the right checksum (EIP-55)."""
    text = _written(value, "an account like 0x1234…, 40 hexadecimal digits")
    if not _ADDRESS.fullmatch(text):
        raise mistake(f"'{text}' is not an account: 0x and 40 hexadecimal digits", value)
    digits = text[2:]
    if digits not in (digits.lower(), digits.upper()):
        right = checksum(text)
        if right != text:
            raise mistake(
                f"'{text}' has a wrong checksum: a digit is mistyped, or its case is", value
            )
    return Address(text.lower())


@lru_cache(maxsize=1024)
def checksum(text: str) -> str:
    """An account in the mixed case of EIP-55."""
    digits = text[2:].lower()
    digest = keccak256(digits.encode()).hex()
    return "0x" + "".join(
        char.upper() if nibble >= "8" else char
        for char, nibble in zip(digits, digest, strict=False)
    )


def name(value: object) -> str:
    """A name that selectors can hold: letters, digits, `.`, `_`, `-`."""
    is_number = isinstance(value, int) and not isinstance(value, bool)
    text = str(value) if is_number or isinstance(value, str) else text_of(value, "a name")
    if not _NAME.fullmatch(text):
        raise mistake(
            f"'{shown(text)}' is not a name: letters, digits, '.', '_' and '-', at most 63",
            text,
            re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("-._")[:63],
        )
    if text in RESERVED_NAMES:
        raise mistake(f"'{text}' has a meaning of its own and cannot be a name", text)
    return text


def plain_text(value: object) -> str:
    """Any one-line text."""
    return text_of(value, "text")


def file_path(value: object) -> str:
    """A path on the operator's machine; `~` and relative paths are resolved later."""
    return text_of(value, "a path")


def remote_path(value: object) -> str:
    """An absolute path on a host."""
    text = text_of(value, "an absolute path")
    if not text.startswith("/"):
        raise mistake(f"'{shown(text)}' is not an absolute path on the host", text)
    return text


def host_address(value: object) -> str:
    """A host name or an IP address, without port."""
    text = text_of(value, "a host name or an IP address")
    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    if is_ip(bare):
        return bare
    if text.count(":") == 1:
        before, _, port_text = text.partition(":")
        raise mistake(
            f"'{shown(text)}' has a port in it; write `port: {shown(port_text)}`", text, before
        )
    if re.fullmatch(r"[0-9.]+", text) or not _HOST_LABELS.fullmatch(text) or ".." in text:
        raise mistake(f"'{shown(text)}' is neither a host name nor an IP address", text)
    return text


def is_ip(text: str) -> bool:
    """Whether a text is an IP address, scope (`%eth0`) included."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def port(value: object) -> int:
    """1 to 65535."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise mistake(f"expected a port number, not '{shown(value)}'", value)
    if not 1 <= value <= 65535:
        raise mistake(f"port {shown(value)} is outside 1 to 65535", value)
    return value


def address_port(value: object) -> tuple[str, int]:
    """`address:port`, IPv6 in brackets."""
    text = text_of(value, "address:port")
    host, _, port_text = text.rpartition(":")
    if not host or not re.fullmatch(r"[0-9]{1,5}", port_text) or (":" in host and host[0] != "["):
        raise mistake(f"'{shown(text)}' is not address:port", text)
    return host_address(host), port(int(port_text))


def url(value: object, schemes: tuple[str, ...], default_scheme: str = "") -> str:
    """A URL of one of some schemes, free of secrets; the messages repeat none either."""
    text = text_of(value, "a URL")
    if default_scheme and "://" not in text:
        text = f"{default_scheme}://{text}"
    scheme, _, rest = text.partition("://")
    if scheme not in schemes or not rest:
        meant = nearest(scheme, schemes) if rest else ""
        kinds = one_of(f"{known}://" for known in schemes)
        raise mistake(f"expected a URL with {kinds}", suggestion=f"{meant}://…" if meant else "")
    if scheme == "unix":
        if not rest.startswith("/"):
            raise mistake("a unix socket is written unix:///path")
        return text
    _check_authority(text)
    _refuse_secrets(text)
    return text


def _check_authority(text: str) -> None:
    try:
        parts = urlsplit(text)
        port_number = parts.port
    except ValueError:
        raise mistake("not a URL: its address or its port is wrong (1 to 65535)") from None
    if "@" in parts.netloc:
        raise mistake("a URL with a user or password in it: give secrets by reference instead")
    if port_number == 0:
        raise mistake("port 0 is outside 1 to 65535")
    if any(char.isspace() for char in text):
        raise mistake("a URL with a space in it")
    host_address(parts.hostname or "")


def _refuse_secrets(text: str) -> None:
    parts = urlsplit(text)
    pieces = [*parts.path.split("/"), *re.split(r"[&=]", parts.query)]
    if any(_KEY_LIKE.fullmatch(piece) for piece in pieces):
        raise mistake(
            "the URL seems to hold an API key: leave it out and add `key: {env: NAME}`, "
            "which is put at the end of the URL when it is used"
        )


def service_uri(value: object) -> str:
    """A public address as go-livepeer takes it: `https://host:port`."""
    text = text_of(value, "https://host:port")
    if text.startswith("http://"):
        raise mistake(
            f"'{shown(text)}' must be https: gateways only dial TLS",
            text,
            "https://" + text.removeprefix("http://"),
        )
    checked = url(text, ("https",), "https").rstrip("/")
    parts = urlsplit(checked)
    if parts.path or parts.query or parts.fragment:
        raise mistake(f"'{shown(text)}' is more than https://host:port", text)
    if parts.port is None:
        raise mistake(f"'{shown(text)}' has no port", text, f"{checked}:8935")
    return checked


def choice(what: str, words: tuple[str, ...], meant: Mapping[str, str]) -> Callable[[object], str]:
    """A word of a closed list; `meant` maps words of other times to today's."""

    def check(value: object) -> str:
        text = _written(value, f"a {what}")
        if text in words:
            return text
        suggestion = meant.get(text.lower(), "") or nearest(text, words)
        known = "" if suggestion else f"; known: {one_of(words)}"
        raise mistake(f"unknown {what} '{text}'{known}", value, suggestion)

    return check


def one_or_more(value: object) -> object:
    """A single value as a list of one."""
    return value if isinstance(value, list) or value is None else [value]


def _json(description: str, pattern: str = "", **more: object) -> WithJsonSchema:
    schema: dict[str, object] = {"type": "string", "description": description, **more}
    if pattern:
        schema["pattern"] = pattern
    return WithJsonSchema(schema)


Duration = Annotated[
    float, BeforeValidator(duration), _json("500ms, 2s, 1m30s, 6h, 1d", f"^{_DURATION.pattern}$")
]
PercentValue = Annotated[float, BeforeValidator(percent), _json("85%", f"^{_PERCENT.pattern}$")]
Celsius = Annotated[float, BeforeValidator(celsius), _json("83 C", f"^{_CELSIUS.pattern}$")]
Amount = Annotated[
    int, BeforeValidator(amount), _json("0.05 ETH", rf"^{_DECIMAL} ?(?:ETH|gwei|wei)$")
]
Account = Annotated[
    str, BeforeValidator(account), _json("0x and 40 digits", f"^{_ADDRESS.pattern}$")
]
Name = Annotated[str, BeforeValidator(name), _json("a name", NAME_PATTERN)]
Text = Annotated[str, BeforeValidator(plain_text), _json("text")]
FilePath = Annotated[str, BeforeValidator(file_path), _json("a path; ~ and relative are fine")]
RemotePath = Annotated[str, BeforeValidator(remote_path), _json("an absolute path", "^/")]
HostAddress = Annotated[str, BeforeValidator(host_address), _json("host name or IP address")]
Port = Annotated[
    int,
    BeforeValidator(port),
    WithJsonSchema({"type": "integer", "minimum": 1, "maximum": 65535}),
]
ServiceUri = Annotated[
    str, BeforeValidator(service_uri), _json("https://host:port", "^https://[^/]+:[0-9]+/?$")
]
