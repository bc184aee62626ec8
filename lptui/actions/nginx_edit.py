"""Changes one `server` statement in the bytes of one of nginx's files, and no other byte.

Pure. It has a lexer of its own (nginx's `ngx_conf_read_token`), since every parser that could
write would write the whole file anew.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from lptui.errors import RefusedError
from lptui.text import clean

_SPACE: Final = b" \t\r\n"
_END_OF_WORD: Final = b" \t\r\n;{"
_USUAL_PORT: Final = ":80"
"""What the probe adds to an address without a port."""

_LUA: Final = re.compile(
    rb"--\[\[.*?\]\]|--[^\n]*|\[\[.*?\]\]"
    rb'|"(?:\\.|[^"\\])*"|' + rb"'(?:\\.|[^'\\])*'" + rb"|[{}]",
    re.DOTALL,
)
_ESCAPES: Final = {b"t": b"\t", b"r": b"\r", b"n": b"\n", b'"': b'"', b"'": b"'", b"\\": b"\\"}


class EditError(RefusedError):
    """The statement cannot be changed; why is in the words."""


@dataclass(frozen=True, slots=True)
class Which:
    """The statement that is meant.

    Attributes:
        upstream: the name of its block; a file of `server` lines alone has no block.
        address: as the probe has it: with a port.
        line: of the word `server`, from 1; None where only one such statement can be.
        nth, of: it is this one of so many that are alike, on that line (from 1).
    """

    upstream: str
    address: str
    line: int | None = None
    nth: int = 1
    of: int = 1


@dataclass(frozen=True, slots=True)
class Wish:
    """What the statement is to say; None leaves it as it is. A weight is 1 or more."""

    down: bool | None = None
    weight: int | None = None


@dataclass(frozen=True, slots=True)
class Edited:
    """The file with the change, and the statement before and after, safe to show."""

    text: bytes
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class _Word:
    """A word where it stands, quotes included, and what it says."""

    start: int
    end: int
    value: bytes


@dataclass(frozen=True, slots=True)
class _Statement:
    """A statement that ends in `;`, and the words of the block around it (none: the file)."""

    words: tuple[_Word, ...]
    end: int
    block: tuple[bytes, ...]

    @property
    def start(self) -> int:
        return self.words[0].start


def edit(text: bytes, which: Which, wish: Wish) -> Edited:
    """Raises EditError when the file is not well-formed, or does not have the statement once."""
    if wish.weight is not None and wish.weight < 1:
        why = f"nginx has no weight {wish.weight}"
        raise EditError(which.address, why, "take it out of service instead")
    statement = _only(text, which)
    changed = text
    for start, end, put in sorted(_changes(text, statement, wish), reverse=True):
        changed = changed[:start] + put + changed[end:]
    grown = len(changed) - len(text)
    return Edited(
        changed,
        clean(text[statement.start : statement.end], 200),
        clean(changed[statement.start : statement.end + grown], 200),
    )


def _only(text: bytes, which: Which) -> _Statement:
    found = [one for one in _statements(text) if _is_meant(text, one, which)]
    if len(found) != which.of or not 1 <= which.nth <= which.of:
        where = f" on line {which.line}" if which.line is not None else ""
        times = "is not there" if not found else f"is there {len(found)} times"
        raise EditError(
            f"server {which.address} of upstream {which.upstream}",
            f"its statement{where} {times}, not {'once' if which.of == 1 else which.of}",
            "the file was changed meanwhile, or is written in a way that lptui does not take"
            " apart: look at it, and make the plan again",
        )
    return found[which.nth - 1]


def _is_meant(text: bytes, one: _Statement, which: Which) -> bool:
    if one.words[0].value != b"server" or len(one.words) < 2:
        return False
    if one.block and (
        one.block[0] != b"upstream"
        or len(one.block) != 2
        or _shown(one.block[1], 120) != which.upstream
    ):
        return False
    address = _shown(one.words[1].value, 200)
    if which.address not in (address, address + _USUAL_PORT):
        return False
    return which.line is None or text.count(b"\n", 0, one.start) + 1 == which.line


def _shown(raw: bytes, limit: int) -> str:
    """As the probe has it."""
    return clean(raw.decode("utf-8", "replace"), limit)


def _changes(text: bytes, one: _Statement, wish: Wish) -> Iterator[tuple[int, int, bytes]]:
    """What to put in place of which bytes."""
    weights = [word for word in one.words[2:] if word.value.startswith(b"weight=")]
    if wish.weight is not None:
        put = b"weight=%d" % wish.weight
        if weights:  # the last one is what nginx goes by
            if weights[-1].value != put:
                yield weights[-1].start, weights[-1].end, put
        elif wish.weight != 1:
            yield one.words[1].end, one.words[1].end, b" " + put
    downs = [index for index, word in enumerate(one.words) if index > 1 and word.value == b"down"]
    if wish.down is True and not downs:
        yield one.words[-1].end, one.words[-1].end, b" down"
    if wish.down is False:
        for index in downs:
            word = one.words[index]
            yield _gap(text, one.words[index - 1].end, word.start), word.end, b""


def _gap(text: bytes, before: int, start: int) -> int:
    """Where to cut in front of a word: all the space, but never a comment or its line's end."""
    gap = text[before:start]
    if b"#" not in gap:
        return before
    return start - (len(gap) - len(gap.rstrip(b" \t")))


def _statements(text: bytes) -> Iterator[_Statement]:
    """All statements that end in `;`, in their order; raises EditError."""
    blocks: list[tuple[bytes, ...]] = []
    words: list[_Word] = []
    at = 0
    while (at := _skip(text, at)) < len(text):
        char = text[at : at + 1]
        if char == b";":
            if not words:
                raise _malformed(text, at, "a `;` without a statement")
            yield _Statement(tuple(words), at + 1, blocks[-1] if blocks else ())
            words = []
            at += 1
        elif char == b"{":
            if not words:
                raise _malformed(text, at, "a `{` without a name")
            if words[0].value.endswith(b"_by_lua_block"):
                at = _after_lua(text, at)
            else:
                blocks.append(tuple(word.value for word in words))
                at += 1
            words = []
        elif char == b"}":
            if words or not blocks:
                raise _malformed(text, at, "a `}` too early")
            blocks.pop()
            at += 1
        else:
            word = _quoted(text, at) if char in (b'"', b"'") else _plain(text, at)
            words.append(word)
            at = word.end
    if words or blocks:
        raise _malformed(text, len(text), "the end of the file within a statement or block")


def _skip(text: bytes, at: int) -> int:
    """Past space and comments."""
    while at < len(text):
        if text[at] == 0x23:  # comment
            end = text.find(b"\n", at)
            at = len(text) if end < 0 else end
        elif text[at] not in _SPACE:
            return at
        at += 1
    return at


def _quoted(text: bytes, start: int) -> _Word:
    at = start + 1
    while at < len(text) and text[at] != text[start]:
        at += 2 if text[at : at + 1] == b"\\" else 1
    after = text[at + 1 : at + 2]
    if at >= len(text) or (after and after not in (b" ", b"\t", b"\r", b"\n", b";", b"{", b")")):
        raise _malformed(text, start, "a quote that is not closed well")
    return _Word(start, at + 1, _unescaped(text[start + 1 : at]))


def _plain(text: bytes, start: int) -> _Word:
    at, is_variable = start, False
    while at < len(text):
        char = text[at : at + 1]
        if char == b"{" and is_variable:
            at, is_variable = at + 1, False
            continue
        if char in _END_OF_WORD:
            break
        is_variable = char == b"$"
        at += 2 if char == b"\\" else 1
    end = min(at, len(text))
    return _Word(start, end, _unescaped(text[start:end]))


def _unescaped(raw: bytes) -> bytes:
    return re.sub(rb"\\([trn\"'\\])", lambda match: _ESCAPES[match[1]], raw)


def _after_lua(text: bytes, at: int) -> int:
    """Past a block of Lua that begins here."""
    depth = 0
    for match in _LUA.finditer(text, at):
        depth += {b"{": 1, b"}": -1}.get(match[0], 0)
        if depth == 0:
            return match.end()
    raise _malformed(text, at, "a block of Lua that does not end")


def _malformed(text: bytes, at: int, what: str) -> EditError:
    line = text.count(b"\n", 0, at) + 1
    return EditError(f"line {line}", what, "mend the file; nginx -t tests it")
