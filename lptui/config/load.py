"""Reads a configuration file: bounded, UTF-8, YAML with the position of every key and value.

The tree is built from the parser's events, not by PyYAML's composer: nesting, aliases and size
stay bounded, duplicate keys are seen, and only null, true/false and decimal numbers are told
from text, so `0x…` addresses, `on`, `no` and `12:30` stay what the operator wrote.
"""

from __future__ import annotations

import math
import os
import re
import stat
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple, NoReturn

import yaml

from lptui.config.mistakes import ConfigMistakes, Mistake
from lptui.paths import example_config
from lptui.text import clean

FILE_LIMIT: Final = 1024 * 1024
"""Largest configuration file, in bytes."""

NODE_LIMIT: Final = 50_000
"""Most values in one file, aliases written out."""

DEPTH_LIMIT: Final = 24
"""Deepest nesting; the schema needs 7."""

_TAG: Final = "tag:yaml.org,2002:"
_MERGE: Final = "<<"
_INT: Final = re.compile(r"[-+]?[0-9]{1,40}")
_FLOAT: Final = re.compile(
    r"[-+]?(?:[0-9]{1,40}\.[0-9]{0,40}|\.[0-9]{1,40})(?:[eE][-+]?[0-9]{1,4})?"
)
_NULL: Final = frozenset({"", "~", "null", "Null", "NULL"})
_TRUE: Final = frozenset({"true", "True", "TRUE"})
_FALSE: Final = frozenset({"false", "False", "FALSE"})
_UNREADABLE: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]")
_OPEN: Final = object()
"""What an anchor stands for until its mapping or list has ended."""
_LOADER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

Loc = Sequence[str | int]


class Spot(NamedTuple):
    """A place in the file, line and column counted from 1."""

    line: int
    column: int


class YamlMap(dict[str, Any]):
    """A mapping of the file that knows where its keys and values are."""

    __slots__ = ("key_spots", "size", "value_spots")

    def __init__(self) -> None:
        super().__init__()
        self.key_spots: dict[str, Spot] = {}
        self.value_spots: dict[str, Spot] = {}
        self.size = 1


class YamlList(list[Any]):
    """A list of the file that knows where its items are."""

    __slots__ = ("size", "spots")

    def __init__(self) -> None:
        super().__init__()
        self.spots: list[Spot] = []
        self.size = 1


@dataclass(frozen=True, slots=True)
class Document:
    """A file that was read: its tree, and the mistakes that did not stop the reading."""

    path: str
    root: YamlMap
    mistakes: tuple[Mistake, ...] = ()

    def spot(self, loc: Loc, *, key: bool = False) -> Spot:
        """Where a value is (or its key); where it is not in the file, its nearest parent's key."""
        here: Any = self.root
        spot = Spot(1, 1)
        for index, part in enumerate(loc):
            last = index == len(loc) - 1
            if isinstance(here, YamlMap) and part in here:
                name = str(part)
                following = loc[index + 1] if not last else None
                # An index into a single value is the value itself, written without its list.
                is_lacking = isinstance(following, str) and not _holds(here[name], following)
                wants_key = key if last else is_lacking
                spot = (here.key_spots if wants_key else here.value_spots)[name]
                here = here[name]
            elif isinstance(here, YamlList) and isinstance(part, int) and part < len(here):
                spot = here.spots[part]
                here = here[part]
            else:
                break
        return spot

    def at(self, loc: Loc) -> object:
        """The value at a place; None where there is none."""
        here: Any = self.root
        for part in loc:
            if not _holds(here, part):
                return None
            here = here[part]
        return here


def _holds(container: object, part: object) -> bool:
    """Whether a container has a member of that name or index."""
    if isinstance(container, YamlMap):
        return part in container
    return isinstance(container, YamlList) and isinstance(part, int) and part < len(container)


def read_document(path: Path) -> Document:
    """The tree of a configuration file; raises ConfigMistakes when there is none to be had."""
    shown_path = clean(str(path).encode("utf-8", "surrogatepass"))
    return parse_document(_read(path, shown_path), shown_path)


def parse_document(text: str, path: str) -> Document:
    """The tree of a configuration's text; raises ConfigMistakes."""
    unreadable = _UNREADABLE.search(text)
    if unreadable:
        code = ord(unreadable.group())
        _stop(
            path, _spot_of(text, unreadable.start()), f"control character U+{code:04X} in the file"
        )
    builder = _Builder(path)
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            builder.take(event)
    except yaml.MarkedYAMLError as error:
        _stop(path, *_syntax(error, text))
    except yaml.YAMLError as error:
        _stop(path, Spot(1, 1), f"not YAML: {clean(str(error), 120)}")
    except RecursionError:
        _stop(path, Spot(1, 1), "too deeply nested")
    if builder.missing:
        _stop(path, Spot(1, 1), f"the configuration is empty; copy {example_config()}")
    if not isinstance(builder.root, YamlMap):
        _stop(path, builder.start, "expected a mapping (`hosts:`, `nodes:`, …) at the top")
    return Document(path, builder.root, tuple(builder.mistakes))


def _stop(path: str, spot: Spot, message: str) -> NoReturn:
    raise ConfigMistakes([Mistake(path, spot.line, spot.column, message)])


def _read(path: Path, shown_path: str) -> str:
    nowhere = Spot(0, 0)
    try:
        # Opening a named pipe would wait for a writer; anything but a file is refused before.
        if not stat.S_ISREG(path.stat().st_mode):
            what = "is a directory" if path.is_dir() else "is not a regular file"
            _stop(shown_path, nowhere, f"{what}, not a configuration file")
        with path.open("rb") as file:
            raw = file.read(FILE_LIMIT + 1)
    except FileNotFoundError:
        hint = f"copy {example_config()}, or see `lptui --demo`"
        _stop(shown_path, nowhere, f"there is no such file; {hint}")
    except (OSError, ValueError) as error:
        why = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)
        _stop(shown_path, nowhere, f"cannot be read: {clean(why)}")
    if len(raw) > FILE_LIMIT:
        _stop(
            shown_path,
            nowhere,
            f"is larger than {FILE_LIMIT // 1024} KiB; that is no configuration",
        )
    return decode(raw, shown_path)


def decode(raw: bytes, path: str) -> str:
    """The text of a file's bytes; raises ConfigMistakes with the place of what is not UTF-8."""
    try:
        return raw.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        good = raw[: error.start].decode("utf-8").removeprefix("\ufeff")
        message = f"not UTF-8 text (byte 0x{raw[error.start]:02x})"
        _stop(path, _spot_of(good, len(good)), message)


def _spot_of(text: str, offset: int) -> Spot:
    before = text[:offset].replace("\r\n", "\n").replace("\r", "\n")
    return Spot(before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1)


def _syntax(error: yaml.MarkedYAMLError, text: str) -> tuple[Spot, str]:
    mark = error.problem_mark or error.context_mark
    spot = Spot(mark.line + 1, mark.column + 1) if mark else Spot(1, 1)
    problem = clean(error.problem or "not YAML", 120)
    lines = text.splitlines()
    line = lines[spot.line - 1] if spot.line <= len(lines) else ""
    if "\t" in line[: spot.column]:
        return spot, "a tab where YAML wants spaces"
    context = f" ({clean(error.context, 80)}" if error.context else ""
    begun = error.context_mark
    if context and begun and spot != (begun.line + 1, begun.column + 1):
        context += f" that begins at {begun.line + 1}:{begun.column + 1}"
    return spot, f"not YAML: {problem}{context}{')' if context else ''}"


def _unseen(text: str) -> str:
    """What is wrong with a value that is not one line of plain characters."""
    char = next(char for char in text if not char.isprintable())
    if char == "\n":
        return "a value is one line"
    what = unicodedata.name(char, "control character").lower()
    return f"a value with a character that cannot be seen: U+{ord(char):04X}, {what}"


@dataclass(slots=True)
class _Frame:
    """A mapping or list whose end has not come yet."""

    value: YamlMap | YamlList
    spot: Spot
    anchor: str | None
    key: str | None = None
    key_spot: Spot = field(default_factory=lambda: Spot(1, 1))
    expects_key: bool = True
    merges: list[YamlMap] = field(default_factory=list)


class _Builder:
    """Builds the tree from the parser's events."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.root: object = None
        self.start = Spot(1, 1)
        self.missing = True
        self.mistakes: list[Mistake] = []
        self._stack: list[_Frame] = []
        self._anchors: dict[str, Any] = {}
        self._documents = 0
        self._size = 0

    def take(self, event: yaml.Event) -> None:
        mark = event.start_mark
        spot = Spot(mark.line + 1, mark.column + 1) if mark is not None else Spot(1, 1)
        if isinstance(event, yaml.ScalarEvent):
            self._scalar(event, spot)
        elif isinstance(event, yaml.CollectionStartEvent):
            self._open(event, spot)
        elif isinstance(event, yaml.CollectionEndEvent):
            self._close()
        elif isinstance(event, yaml.AliasEvent):
            self._alias(event.anchor or "", spot)
        elif isinstance(event, yaml.DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                _stop(self.path, spot, "a second document (`---`); one file is one configuration")

    def _note(self, spot: Spot, message: str, value: str = "") -> None:
        if len(self.mistakes) < 1000:
            self.mistakes.append(Mistake(self.path, spot.line, spot.column, message, value))

    def _grow(self, size: int, spot: Spot) -> None:
        self._size += size
        if self._size > NODE_LIMIT:
            _stop(self.path, spot, f"more than {NODE_LIMIT} values, aliases written out")

    def _open(self, event: yaml.CollectionStartEvent, spot: Spot) -> None:
        if len(self._stack) >= DEPTH_LIMIT:
            _stop(self.path, spot, f"nested deeper than {DEPTH_LIMIT} levels")
        is_map = isinstance(event, yaml.MappingStartEvent)
        if event.tag not in (None, "!", _TAG + ("map" if is_map else "seq")):
            self._note(spot, f"YAML tag {clean(event.tag, 60)!r} has no meaning here")
        self._grow(1, spot)
        if event.anchor:
            self._anchors[event.anchor] = _OPEN
        self._stack.append(_Frame(YamlMap() if is_map else YamlList(), spot, event.anchor))

    def _close(self) -> None:
        frame = self._stack.pop()
        value = frame.value
        if isinstance(value, YamlMap):
            for source in frame.merges:
                _merge(value, source)
        if frame.anchor:
            self._anchors[frame.anchor] = value
        self._place(value, frame.spot)

    def _alias(self, anchor: str, spot: Spot) -> None:
        if anchor not in self._anchors:
            _stop(self.path, spot, f"alias '*{clean(anchor, 60)}' has no anchor before it")
        value = self._anchors[anchor]
        if value is _OPEN:
            _stop(self.path, spot, f"alias '*{clean(anchor, 60)}' contains itself")
        self._grow(value.size if isinstance(value, (YamlMap, YamlList)) else 1, spot)
        self._place(value, spot)

    def _scalar(self, event: yaml.ScalarEvent, spot: Spot) -> None:
        self._grow(1, spot)
        text = event.value
        frame = self._stack[-1] if self._stack else None
        if not text.isprintable():
            self._note(spot, _unseen(text))
            text = clean(text)
        if frame and isinstance(frame.value, YamlMap) and frame.expects_key:
            if event.anchor:
                self._anchors[event.anchor] = text
            self._key(frame, text, spot)
            return
        value = self._resolve(event, text, spot)
        if event.anchor:
            self._anchors[event.anchor] = value
        self._place(value, spot)

    def _resolve(self, event: yaml.ScalarEvent, text: str, spot: Spot) -> object:
        tag = event.tag
        if tag in ("!", _TAG + "str") or (tag is None and event.style in ("'", '"', "|", ">")):
            return text
        value = plain(text)
        if tag is None:
            return value
        expected = {"int": int, "float": float, "bool": bool, "null": type(None)}
        kind = expected.get(tag.removeprefix(_TAG))
        if kind is None or type(value) is not kind:
            self._note(spot, f"YAML tag {clean(tag, 60)!r} has no meaning here")
        return value

    def _key(self, frame: _Frame, text: str, spot: Spot) -> None:
        frame.expects_key = False
        frame.key, frame.key_spot = text, spot
        if not text:
            self._note(spot, "an empty key")
            frame.key = None
        elif text in frame.value and text != _MERGE:
            first = frame.value.key_spots[text]  # type: ignore[union-attr]
            name = clean(text, 60)
            self._note(spot, f"'{name}' is here twice (first on line {first.line})", name)
            frame.key = None

    def _place(self, value: object, spot: Spot) -> None:
        if not self._stack:
            self.root, self.start = value, spot
            self.missing = value is None
            return
        frame = self._stack[-1]
        container = frame.value
        if isinstance(container, YamlList):
            container.append(value)
            container.spots.append(spot)
            container.size += getattr(value, "size", 1)
        elif frame.expects_key:
            self._note(spot, "a key must be plain text")
            frame.key, frame.expects_key = None, False
        else:
            frame.expects_key = True
            if frame.key == _MERGE:
                frame.merges.extend(self._merge_sources(value, spot))
            elif frame.key is not None:
                container[frame.key] = value
                container.key_spots[frame.key] = frame.key_spot
                container.value_spots[frame.key] = spot
                container.size += getattr(value, "size", 1)

    def _merge_sources(self, value: object, spot: Spot) -> Iterator[YamlMap]:
        for source in value if isinstance(value, YamlList) else [value]:
            if isinstance(source, YamlMap):
                self._grow(source.size, spot)
                yield source
            else:
                self._note(spot, "'<<' takes a mapping (an alias of one), or a list of them")


def _merge(into: YamlMap, source: YamlMap) -> None:
    """Adds what is missing: a mapping's own keys win, then those of earlier sources."""
    for key, value in source.items():
        if key not in into:
            into[key] = value
            into.key_spots[key] = source.key_spots[key]
            into.value_spots[key] = source.value_spots[key]
            into.size += getattr(value, "size", 1)


def plain(text: str) -> object:
    """What an unquoted scalar means: None, a boolean, a decimal number, else its text."""
    first = text[:1]
    if first in "-+.0123456789" and first:
        if _INT.fullmatch(text):
            return int(text)
        if _FLOAT.fullmatch(text) and math.isfinite(number := float(text)):
            return number
        return text
    if text in _NULL:
        return None
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    return text
