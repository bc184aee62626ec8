"""Mistakes in the configuration: where, what, and what was probably meant."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Final

from lptui.errors import ConfigError
from lptui.paths import CONFIG_ENV, LOCAL_CONFIG, config_dir
from lptui.text import clean

VALUE_LIMIT: Final = 60
"""Longest offending value that is repeated, in characters."""

MISTAKE_LIMIT: Final = 200
"""Most mistakes of one file that are kept: beyond it the file is something else altogether."""


_URL: Final = re.compile(r"\b(?!unix:)([A-Za-z][A-Za-z0-9+.-]*://)([^/?#\s]*)(\S*)")
_PASSWORD: Final = re.compile(r"[^\s@/]*:[^\s@/]*@")


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake. All texts are plain and safe to show.

    Attributes:
        path: the configuration file, as it was given.
        line: counted from 1; 0 when the file as a whole could not be read.
        column: counted from 1, in characters; 0 as for `line`.
        message: what is wrong, the offending value included where it may be shown.
        value: the offending value; empty where there is none, or where it may be a secret.
        suggestion: what was probably meant, ready to be put in its place; may be empty.
    """

    path: str
    line: int
    column: int
    message: str
    value: str = ""
    suggestion: str = ""

    def __str__(self) -> str:
        place = f"{self.path}:{self.line}:{self.column}" if self.line else self.path
        hint = f", did you mean {self.suggestion!r}?" if self.suggestion else ""
        return f"{place}: {self.message}{hint}"


class ConfigMistakes(ConfigError):  # noqa: N818 (it holds mistakes; the base says error)
    """A configuration that cannot be used, with all that is wrong with it."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes: tuple[Mistake, ...] = in_order(mistakes)
        first = str(self.mistakes[0]) if self.mistakes else "it cannot be used"
        more = len(self.mistakes) - 1
        remedy = "`lptui --headless validate` lists every mistake"
        if self.mistakes and not self.mistakes[0].line:
            remedy = (
                f"read is the first of --config PATH, ${CONFIG_ENV}, ./{LOCAL_CONFIG} and "
                f"{config_dir() / LOCAL_CONFIG}"
            )
        super().__init__(
            "configuration", first + (f" (and {more} more)" if more > 0 else ""), remedy
        )


def in_order(mistakes: Iterable[Mistake]) -> tuple[Mistake, ...]:
    """Mistakes by position, without repeats, at most `MISTAKE_LIMIT`."""
    unique = dict.fromkeys(mistakes)
    ordered = sorted(unique, key=lambda found: (found.line, found.column, found.message))
    return tuple(ordered[:MISTAKE_LIMIT])


def shown(value: object, limit: int = VALUE_LIMIT) -> str:
    """A value of the file as it may be repeated: one safe line, cut.

    Of a URL no more than the address: operators paste the one with their API key in it.
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    text = _URL.sub(_address_only, str(value)[:2000])
    return clean(_PASSWORD.sub("…@", text), limit)


def _address_only(url: re.Match[str]) -> str:
    scheme, address, rest = url.groups()
    user, at, host = address.rpartition("@")
    is_login = scheme == "ssh://" and ":" not in user
    before = user + at if is_login or not at else "…@"
    return f"{scheme}{before}{host}{rest[:1]}{'…' if len(rest) > 1 else ''}"


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word that was probably meant; empty when none of the first thousand is near."""
    import difflib

    by_lowered = {candidate.lower(): candidate for candidate in islice(known, 1000)}
    lowered = clean(word, 80).lower()
    found = difflib.get_close_matches(lowered, by_lowered, n=1, cutoff=0.6)
    return by_lowered[found[0]] if found else ""


def one_of(words: Iterable[str], limit: int = 8) -> str:
    """`'a', 'b' or 'c'`, cut after `limit` words."""
    quoted = [f"'{word}'" for word in words]
    if len(quoted) > limit:
        return ", ".join(quoted[:limit]) + ", …"
    if len(quoted) < 2:
        return "".join(quoted)
    return ", ".join(quoted[:-1]) + f" or {quoted[-1]}"
