"""The kinds of value that an operator writes: durations, percents, amounts, accounts, names.

Each is a type for pydantic: the text that people write goes in, the value that the fleet uses
comes out. The messages name the value, except where it may hold a secret.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Annotated, Final

from pydantic import BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from lptui.config.keccak import keccak256
from lptui.config.mistakes import VALUE_LIMIT, nearest, one_of, shown
from lptui.fleet.topology import NO_DATABASE, UNLIMITED
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
_PRIVATE_KEY: Final = re.compile(r"(?:0[xX])?[0-9a-fA-F]{64}")
_VARIABLE_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,254}")


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


def _written(value: object, what: str, limit: int = VALUE_LIMIT) -> str:
    """The text of a scalar, numbers included, for kinds that check its shape themselves."""
    if value is None or isinstance(value, (dict, list)):
        raise mistake(f"expected {what}, not {shown(value) or 'nothing'}")
    return shown(value, limit).strip()


def duration(value: object) -> float:
    """Seconds from `500ms`, `2s`, `1m30s`, `6h`, `1d`."""
    text = _written(value, "a duration like 2s or 5m")
    if not _DURATION.fullmatch(text):
        raise mistake(f"'{text}' is not a duration like 2s, 500ms or 1m30s", value, _meant(text))
    parts = _DURATION_PART.findall(text)
    return float(sum(Decimal(number) * Decimal(str(_SECONDS[unit])) for number, unit in parts))


def session_cap(value: object) -> int | str:
    """A number of sessions, or `unlimited`."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 10_000:
        return value
    text = _written(value, "a number of sessions, or unlimited")
    if text == UNLIMITED:
        return text
    raise mistake(f"'{text}' is no number of sessions up to 10000, nor unlimited", value)


def _meant(text: str) -> str:
    """What a duration written in another way comes to: `2`, `5 min`, `1h 30m`."""
    squeezed = re.sub(r"\s+", "", text.lower())
    short = re.sub(r"([0-9](?:ms|[smhd]))[a-z]*", r"\1", squeezed)
    for tried in (short, f"{short}s"):
        if _DURATION.fullmatch(tried):
            return tried
    return ""


def percent(value: object) -> float:
    """0 to 100 from `85%`."""
    text = _written(value, "a percentage like 85%")
    found = _PERCENT.fullmatch(text)
    if not found:
        suggestion = ""
        if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value <= 100:
            suggestion = f"{text}%" if value > 1 else f"{value * 100:g}%"
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
    text = _written(value, "an account like 0x1234…, 40 hexadecimal digits", 80)
    if _PRIVATE_KEY.fullmatch(text):
        raise mistake("64 digits are a private key, not an account: it belongs in no file of yours")
    if not _ADDRESS.fullmatch(text):
        prefixed = f"0x{text[2:] if text.startswith('0X') else text}"
        meant = prefixed if _ADDRESS.fullmatch(prefixed) else ""
        raise mistake(f"'{text}' is not an account: 0x and 40 hexadecimal digits", value, meant)
    digits = text[2:]
    if digits not in (digits.lower(), digits.upper()):
        right = checksum(text)
        if right != text:
            raise mistake(
                f"'{text}' has a wrong checksum: a digit is mistyped, or its case is", value
            )
    if not int(digits, 16):
        raise mistake("the zero address is nobody's account", value)
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
            _meant_name(text),
        )
    if text in RESERVED_NAMES:
        raise mistake(f"'{text}' has a meaning of its own and cannot be a name", text)
    return text


def _meant_name(text: str) -> str:
    """What a name was meant to be, or the list of names that it is; nothing of a URL."""
    if "://" in text:
        return ""
    pieces = [piece.strip() for piece in text.split(",")]
    if len(pieces) > 1 and all(_NAME.fullmatch(piece) for piece in pieces):
        return f"[{', '.join(pieces)}]"
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("-._")[:63]


def environment_variable(value: object) -> str:
    """A variable's name; never repeated, for some put the secret itself here."""
    text = text_of(value, "the name of an environment variable")
    if not _VARIABLE_NAME.fullmatch(text):
        bare = text.strip("${}")
        meant = bare if text[:1] == "$" and _VARIABLE_NAME.fullmatch(bare) else ""
        raise mistake("`env` takes the name of an environment variable", suggestion=meant)
    return text


def variable(value: object) -> str:
    """The name of a variable in a file of settings."""
    text = text_of(value, "the name of a variable")
    if not _VARIABLE_NAME.fullmatch(text):
        bare = text.strip("${}")
        meant = bare if text[:1] == "$" and _VARIABLE_NAME.fullmatch(bare) else ""
        raise mistake(f"'{shown(text)}' is not the name of a variable", text, meant)
    return text


def argv(value: object) -> object:
    """A command as a list; never one text, which would need a shell."""
    if isinstance(value, str):
        raise mistake("a command is a list: [program, argument, …]")
    return value


def argument(value: object) -> str:
    """One argument of a command, exactly as it is written."""
    text_of(value, "an argument")
    return str(value)


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


def database_path(value: object) -> str:
    """A node's database on its host, or `none`."""
    return NO_DATABASE if value == NO_DATABASE else remote_path(value)


def log_path(value: object) -> str:
    """A file on a host, or a pattern for some."""
    text = remote_path(value)
    if text.endswith("/"):
        raise mistake(f"'{shown(text)}' is a folder; name its files, like {shown(text)}*.log", text)
    return text


def choice(
    what: str, words: tuple[str, ...], meant: Mapping[str, str], several: str = ""
) -> Callable[[object], str]:
    """A word of a closed list; `meant` maps words of other times to today's.

    `several` is what to tell those who wrote a list.
    """

    def check(value: object) -> str:
        if isinstance(value, list):
            raise mistake(f"expected one {what}, not a list{several}")
        text = _written(value, f"a {what}")
        if text in words:
            return text
        suggestion = _meant_words(text, words, meant) or nearest(text, words)
        known = "" if suggestion else f"; known: {one_of(words)}"
        raise mistake(f"unknown {what} '{text}'{known}", value, suggestion)

    return check


def _meant_words(text: str, words: tuple[str, ...], meant: Mapping[str, str]) -> str:
    """The words for one of other times, or for several: `O/T` is `[orchestrator, transcoder]`."""
    pieces = [piece for piece in re.split(r"[\s,/+&]+", text.lower()) if piece]
    found = [piece if piece in words else meant.get(piece, "") for piece in pieces]
    if not found or not all(found):
        return meant.get(text.lower(), "")
    return found[0] if len(found) == 1 else f"[{', '.join(found)}]"


def one_or_more(value: object) -> object:
    """A single value as a list of one."""
    return value if isinstance(value, list) or value is None else [value]


def described(description: str, pattern: str = "", **more: object) -> WithJsonSchema:
    schema: dict[str, object] = {"type": "string", "description": description, **more}
    if pattern:
        schema["pattern"] = pattern
    return WithJsonSchema(schema)


Duration = Annotated[
    float,
    BeforeValidator(duration),
    described("500ms, 2s, 1m30s, 6h, 1d", f"^{_DURATION.pattern}$"),
]
PercentValue = Annotated[float, BeforeValidator(percent), described("85%", f"^{_PERCENT.pattern}$")]
Celsius = Annotated[float, BeforeValidator(celsius), described("83 C", f"^{_CELSIUS.pattern}$")]
SessionCap = Annotated[
    int | str,
    BeforeValidator(session_cap),
    WithJsonSchema(
        {"anyOf": [{"type": "integer", "minimum": 0, "maximum": 10_000}, {"const": UNLIMITED}]}
    ),
]
Amount = Annotated[
    int,
    BeforeValidator(amount),
    described("0.05 ETH", rf"^{_DECIMAL} ?(?:[Ee][Tt][Hh]|[Gg]?[Ww][Ee][Ii])$"),
]
Account = Annotated[
    str, BeforeValidator(account), described("0x and 40 digits", f"^{_ADDRESS.pattern}$")
]
Name = Annotated[str, BeforeValidator(name), described("a name", NAME_PATTERN)]
Text = Annotated[str, BeforeValidator(plain_text), described("text")]
Argument = Annotated[str, BeforeValidator(argument), described("an argument")]
FilePath = Annotated[str, BeforeValidator(file_path), described("a path; ~ and relative are fine")]
DatabasePath = Annotated[
    str, BeforeValidator(database_path), described("an absolute path, or `none`", "^(/.*|none)$")
]
RemotePath = Annotated[str, BeforeValidator(remote_path), described("an absolute path", "^/")]
