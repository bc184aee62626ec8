"""How an operator writes where something is: host names, ports, URLs, service addresses.

A URL in the file holds no secret, and no message repeats more of one than its address.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import BeforeValidator, WithJsonSchema

from lptui.config.kinds import described, mistake, text_of
from lptui.config.mistakes import nearest, one_of, shown

_HOST_PORT: Final = re.compile(r"[A-Za-z0-9_.-]{1,253}:[0-9]{1,5}")
_LOGIN: Final = re.compile(r"(?:ssh://)?([^@:/\s]+)@([^@/\s]+)")
_HOST_LABELS: Final = re.compile(r"(?=.{1,253}$)[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?\.?")
_VARIABLE: Final = re.compile(r"\$[{(A-Za-z_]|\{\{|%[A-Za-z_]+%|<[A-Za-z_ -]+>")
_KEY_LIKE: Final = re.compile(r"(?=[^/]*[0-9])(?=[^/]*[A-Za-z])[A-Za-z0-9_-]{20,}")
_WORDS: Final = re.compile(r"(?:[a-z]+|v?[0-9]{1,4})(?:[-_](?:[a-z]+|v?[0-9]{1,4}))+")
"""`arbitrum-one-archive-2`: long, but nobody's key."""
_SECRET_PARAMETER: Final = re.compile(
    r"(?:^|[&;])[^=&;]*(?:key|token|secret|passw|auth)[^=&;]*=[^&;]", re.IGNORECASE
)


def host_address(value: object) -> str:
    """A host name or an IP address, without port."""
    text = text_of(value, "a host name or an IP address")
    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    if is_ip(bare):
        return bare
    login = _LOGIN.fullmatch(text)
    if login:
        user, address = login.groups()
        raise mistake(
            f"'{shown(text)}' has a user in it; write `user: {shown(user)}`", text, address
        )
    before, _, port_text = text.partition(":")
    if re.fullmatch(r"[0-9]+", port_text):
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


def public_ip(value: object) -> str:
    """An IP address in its shortest form, without scope."""
    text = text_of(value, "an IP address")
    try:
        return str(ipaddress.ip_address(text.removeprefix("[").removesuffix("]")))
    except ValueError:
        raise mistake(f"'{shown(text)}' is no IP address", text) from None


def port(value: object) -> int:
    """1 to 65535."""
    if not isinstance(value, int) or isinstance(value, bool):
        quoted = isinstance(value, str) and re.fullmatch(r"[0-9]{1,5}", value)
        hint = ": leave out the quotes" if quoted else ""
        raise mistake(f"expected a port number, not '{shown(value)}'{hint}", value)
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
        kinds = one_of(f"{known}://" for known in schemes)
        raise mistake(f"expected a URL with {kinds}", suggestion=_meant_url(text, schemes))
    if scheme == "unix":
        if not rest.startswith("/"):
            raise mistake("a unix socket is written unix:///path")
        return text
    _check_authority(text)
    _refuse_secrets(text, "auth" if default_scheme else "key")
    return text


def _meant_url(text: str, schemes: tuple[str, ...]) -> str:
    """What a URL without a known scheme was meant to be, without what may be a secret."""
    scheme, divider, rest = text.partition("://")
    if text.startswith("/") and "unix" in schemes:
        return f"unix://{shown(text)}"
    if not divider:
        is_plain = _HOST_PORT.fullmatch(text) and "http" in schemes
        return f"http://{text}" if is_plain else ""
    meant = {"ipc": "unix", "tcp": "http"}.get(scheme.lower()) or nearest(scheme, schemes)
    return f"{meant}://…" if rest and meant in schemes else ""


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
    if _VARIABLE.search(text):
        raise mistake(
            "no variable is put into a URL: give what is secret by reference, as {env: NAME}"
        )
    if not parts.hostname:
        raise mistake("a URL without an address")
    host_address(parts.hostname)


def _refuse_secrets(text: str, place: str) -> None:
    parts = urlsplit(text)
    pieces = [*parts.path.split("/"), *re.split(r"[&=]", parts.query)]
    is_long = any(_KEY_LIKE.fullmatch(piece) and not _WORDS.fullmatch(piece) for piece in pieces)
    if _SECRET_PARAMETER.search(parts.query):
        place = "headers: {NAME: {env: NAME}}" if place == "key" else "auth: {env: NAME}"
        raise mistake(
            f"the URL seems to hold a secret behind its '?': leave it out and add `{place}`"
        )
    if is_long:
        why = ", which is put at the end of the URL when it is used" if place == "key" else ""
        raise mistake(
            f"the URL seems to hold an API key: leave it out and add `{place}: {{env: NAME}}`{why}"
        )


def service_uri(value: object) -> str:
    """A public address as go-livepeer takes it: `https://host:port`."""
    text = text_of(value, "https://host:port")
    if text == "none":
        raise mistake("leave it out where -serviceAddr is none", text)
    if text.startswith("http://"):
        address = text.removeprefix("http://")
        raise mistake(
            f"'{shown(text)}' must be https: gateways only dial TLS",
            text,
            f"https://{address}" if _HOST_PORT.fullmatch(address) else "",
        )
    checked = url(text, ("https",), "https").rstrip("/")
    parts = urlsplit(checked)
    if parts.path or parts.query or parts.fragment:
        raise mistake(f"'{shown(text)}' is more than https://host:port", text)
    if parts.port is None:
        raise mistake(f"'{shown(text)}' has no port", text, f"{checked}:8935")
    return checked


HostAddress = Annotated[
    str,
    BeforeValidator(host_address),
    described("host name or IP address", r"^[A-Za-z0-9_.:%\[\]-]+$"),
]
IpAddress = Annotated[
    str, BeforeValidator(public_ip), described("IP address", r"^[0-9A-Fa-f.:\[\]]+$")
]
Port = Annotated[
    int,
    BeforeValidator(port),
    WithJsonSchema({"type": "integer", "minimum": 1, "maximum": 65535}),
]
ServiceUri = Annotated[
    str,
    BeforeValidator(service_uri),
    described("https://host:port", "^(?:https://)?[^/@]+:[0-9]+/?$"),
]
